"""The watch: levels rise at once and fall slowly, sequences end only as they should, goodbyes are told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.taxonomy import SUICIDE
from moderation.types import LEVELS, UNSURE, Decision, Level, Mark, Sequence, WatchState, level_rank
from moderation.watch import (
    FAREWELL,
    FOLLOW_UP,
    JOKING,
    advance,
    consider,
    from_json,
    lift_home_danger,
    patterns,
    settle,
    to_json,
)

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
ALLOW = Decision("allow")


def _danger(level: Level, playbook: str | None = None) -> Decision:
    return Decision("crisis", 3, level, ("T01",), playbook or SUICIDE[level], incident=True, about="self", low=True)


def _after(state: WatchState, decision: Decision, *signals: str, at: datetime = NOW) -> tuple[WatchState, Decision]:
    considered = consider(state, decision, signals, at)
    return advance(state, considered, at, signals=signals), considered


def _in_sequence(level: Level, *, step: int = 1, safe: bool = False) -> WatchState:
    state, _ = _after(WatchState(), _danger(level))
    assert state.sequence is not None
    return replace(state, sequence=replace(state.sequence, step=step, safe=safe))


def test_a_level_rises_at_once() -> None:
    state, _ = _after(WatchState(), _danger("L3"))
    assert state.level == "L3"
    assert state.sequence == Sequence("suicide_L3")


def test_a_lesser_sign_does_not_lower_it() -> None:
    state, decision = _after(_in_sequence("L3"), _danger("L1"))
    assert state.level == "L3"
    assert decision.playbook == "suicide_L3"
    assert decision.incident


def test_it_falls_one_step_a_day_without_a_sign() -> None:
    state = _in_sequence("L3")
    assert settle(state, NOW + timedelta(hours=23)).level == "L3"
    day = settle(state, NOW + timedelta(hours=24))
    assert (day.level, day.sequence) == ("L2", None)
    assert settle(day, NOW + timedelta(hours=48)).level == "L1"
    assert settle(state, NOW + timedelta(days=9)).level == "L0"


def test_a_second_rise_within_a_week_counts_one_more() -> None:
    first, _ = _after(WatchState(), _danger("L1"))
    second, decision = _after(first, _danger("L2"), at=NOW + timedelta(hours=2))
    assert (second.level, decision.playbook) == ("L3", "suicide_L3")
    later, decision = _after(first, _danger("L2"), at=NOW + timedelta(days=8))
    assert (later.level, decision.playbook) == ("L2", "suicide_L2")
    assert "escalating" in patterns(second, NOW + timedelta(hours=2))


@pytest.mark.parametrize(
    "signals", [("short", "stays"), ("stays",), ("short",), ("low",), ("stays", "safe"), ("farewell", "anchored")]
)
def test_a_message_without_a_sign_stays_in_the_sequence(signals: tuple[str, ...]) -> None:
    _, decision = _after(_in_sequence("L2"), ALLOW, *signals)
    assert (decision.playbook, decision.reason, decision.low) == ("suicide_L2", FOLLOW_UP, True)
    assert decision.action == "crisis"


@pytest.mark.parametrize("level", ["L1", "L2"])
def test_two_changes_of_topic_end_it(level: Level) -> None:
    state, first = _after(_in_sequence(level, step=2), ALLOW)
    assert first.reason == FOLLOW_UP
    state, second = _after(state, ALLOW)
    assert second.action == "allow"
    assert state.sequence is None
    assert state.level == level


def test_a_sign_between_them_starts_the_count_anew() -> None:
    state, _ = _after(_in_sequence("L1", step=2), ALLOW)
    state, _ = _after(state, _danger("L1"))
    state, decision = _after(state, ALLOW)
    assert decision.reason == FOLLOW_UP


def test_from_l3_on_only_a_safe_person_may_change_the_topic() -> None:
    state = _in_sequence("L3", step=4)
    for _ in range(5):
        state, decision = _after(state, ALLOW)
        assert decision.reason == FOLLOW_UP
    state, _ = _after(state, ALLOW, "safe", "stays")
    state, decision = _after(state, ALLOW)
    assert decision.action == "allow"


def test_asking_for_another_topic_is_heard_at_l1() -> None:
    _, early = _after(_in_sequence("L1", step=1), ALLOW, "topic")
    assert early.reason == FOLLOW_UP
    state, late = _after(_in_sequence("L1", step=2), ALLOW, "topic")
    assert (late.action, state.sequence) == ("allow", None)
    _, serious = _after(_in_sequence("L2", step=2), ALLOW, "topic")
    assert serious.reason == FOLLOW_UP


def test_i_was_joking_is_asked_about_once() -> None:
    state, decision = _after(_in_sequence("L2"), ALLOW, "joking", "short")
    assert (decision.playbook, decision.reason, decision.action) == ("joking_check", JOKING, "support")
    assert state.level == "L2"
    state, decision = _after(state, ALLOW)
    assert (decision.action, decision.low) == ("allow", False)
    state, _ = _after(state, _danger("L2"))
    _, decision = _after(state, ALLOW, "joking", "short")
    assert decision.reason == FOLLOW_UP


def test_a_joke_frame_never_lowers_a_sign() -> None:
    _, decision = _after(WatchState(), _danger("L2"), "joking")
    assert decision.playbook == "suicide_L2"
    _, decision = _after(_in_sequence("L3"), ALLOW, "joking")
    assert decision.playbook == "suicide_L3"


def test_an_ordinary_goodbye_is_let_go() -> None:
    _, decision = _after(WatchState(), ALLOW, "farewell", "short")
    assert decision.action == "allow"


def test_a_final_goodbye_is_danger() -> None:
    state, decision = _after(WatchState(), ALLOW, "farewell", "final")
    assert (decision.playbook, decision.level, decision.reason, decision.incident) == (
        "farewell_danger", "L3", FAREWELL, True,
    )  # fmt: skip
    assert state.level == "L3"


def test_a_goodbye_after_one_low_message_is_let_go() -> None:
    low, _ = _after(WatchState(), ALLOW, "low")
    assert _after(low, ALLOW, "farewell")[1].action == "allow"


def test_a_goodbye_at_the_end_of_a_low_day_is_danger_unless_it_has_a_plan() -> None:
    once, _ = _after(WatchState(), ALLOW, "low")
    neutral, _ = _after(once, ALLOW)
    low, _ = _after(neutral, ALLOW, "low")
    assert _after(low, ALLOW, "farewell")[1].playbook == "farewell_danger"
    assert _after(once, ALLOW, "farewell", "low")[1].playbook == "farewell_danger"
    assert _after(low, ALLOW, "farewell", "anchored")[1].action == "allow"
    assert _after(low, ALLOW, "farewell", at=NOW + timedelta(hours=25))[1].action == "allow"


def test_giving_up_on_everything_weighs_twice() -> None:
    low, _ = _after(WatchState(), ALLOW, "distress")
    assert _after(low, ALLOW, "farewell")[1].playbook == "farewell_danger"
    assert _after(WatchState(), ALLOW, "farewell", "distress")[1].playbook == "farewell_danger"


def test_a_last_goodbye_with_a_lesser_sign_in_it_is_a_goodbye() -> None:
    state, decision = _after(WatchState(), _danger("L1"), "final", "farewell")
    assert (decision.playbook, decision.level, decision.incident) == ("farewell_danger", "L3", True)
    assert state.level == "L3"
    acute = _after(WatchState(), _danger("L4"), "final", "farewell")[1]
    assert acute.playbook == "suicide_L4"
    friend = replace(_danger("L2", "friend_in_danger"), about="friend")
    assert _after(WatchState(), friend, "final", "farewell")[1].playbook == "friend_in_danger"


def test_bye_after_telling_of_a_friend_stays_with_the_friend() -> None:
    state, _ = _after(WatchState(), replace(_danger("L2", "friend_in_danger"), about="friend"))
    assert _after(state, ALLOW, "farewell", "short")[1].playbook == "friend_in_danger"


def test_a_goodbye_after_a_disclosure_is_danger() -> None:
    assert _after(_in_sequence("L1"), ALLOW, "farewell", "short")[1].playbook == "farewell_danger"


def test_another_danger_starts_its_own_sequence() -> None:
    abuse = Decision("support", 4, None, ("T08",), "abuse", about="self", low=True)
    state, decision = _after(_in_sequence("L2"), abuse, "home")
    assert decision.playbook == "abuse"
    assert state.sequence == Sequence("abuse")
    assert state.level == "L2"
    assert state.home_danger


def test_home_danger_stays_until_it_is_lifted() -> None:
    state, _ = _after(WatchState(), Decision("support", 4, None, ("T08",), "abuse"), "home")
    assert settle(state, NOW + timedelta(days=300)).home_danger
    assert not lift_home_danger(state).home_danger
    other, _ = _after(WatchState(), ALLOW, "home")
    assert not other.home_danger


def test_worry_about_a_friend_does_not_raise_the_tellers_level() -> None:
    friend = replace(_danger("L2", "friend_in_danger"), about="friend")
    state, _ = _after(WatchState(), friend)
    assert state.level == "L0"
    assert state.sequence == Sequence("friend_in_danger")


def test_romance_creeps_in_two_turns() -> None:
    state, first = _after(WatchState(), ALLOW, "romance_soft")
    assert first.action == "allow"
    state, second = _after(state, ALLOW, "romance_soft")
    assert (second.action, second.playbook) == ("refuse", "romance")
    assert "romance_creep" in patterns(state, NOW)


def test_dependency_needs_two_signs() -> None:
    state, first = _after(WatchState(), ALLOW, "dependency_soft")
    assert first.action == "allow"
    assert _after(state, ALLOW, "dependency_soft")[1].playbook == "dependency"
    assert _after(state, ALLOW, "dependency_soft", at=NOW + timedelta(days=15))[1].action == "allow"


def test_grooming_told_in_pieces_is_answered_at_the_second() -> None:
    state, first = _after(WatchState(), ALLOW, "grooming_soft")
    assert first.action == "allow"
    later, second = _after(state, ALLOW, "grooming_soft", at=NOW + timedelta(days=3))
    assert (second.action, second.playbook, second.incident) == ("support", "grooming", True)
    assert "grooming_stages" in patterns(later, NOW + timedelta(days=3))
    assert _after(state, ALLOW, "grooming_soft", at=NOW + timedelta(days=15))[1].action == "allow"


def test_two_harmless_words_about_eating_are_answered_by_people_and_nothing_light_is_said_to_the_first() -> None:
    state, first = _after(WatchState(), ALLOW, "eating_soft")
    assert (first.action, first.playbook, first.low) == ("allow", None, True)
    _, second = _after(state, ALLOW, "eating_soft", at=NOW + timedelta(days=1))
    assert (second.action, second.playbook, second.categories) == ("support", "eating", ("T02",))
    assert _after(state, ALLOW, "eating_soft", at=NOW + timedelta(days=15))[1].action == "allow"


def test_to_somebody_who_is_unkind_to_themselves_nothing_light_is_said_and_a_goodbye_stays_one() -> None:
    state, first = _after(WatchState(), ALLOW, "unkind")
    assert (first.action, first.low) == ("allow", True)
    assert state.lows == 0
    assert _after(state, ALLOW, "farewell")[1].action == "allow"


def test_three_signs_about_eating_in_a_week_are_a_drift() -> None:
    state = WatchState()
    for day in range(3):
        eating = Decision("support", 3, None, ("T02",), "eating", about="self", low=True)
        state, _ = _after(state, eating, at=NOW + timedelta(days=day))
    assert "eating_drift" in patterns(state, NOW + timedelta(days=2))
    assert "eating_drift" not in patterns(state, NOW + timedelta(days=8))


DOUBTED = {"eating": "T02", "delusion": "T22", "dependency": "T21", "grooming": "T07"}


def _in_doubt(category: str) -> Decision:
    return Decision("support", UNSURE, categories=(category,), low=True, reason="classifier/unsure")


@pytest.mark.parametrize("kind", sorted(DOUBTED))
def test_three_doubts_of_a_week_are_a_drift_and_answered_by_people(kind: str) -> None:
    state, doubt = WatchState(), _in_doubt(DOUBTED[kind])
    for day in range(2):
        state, decision = _after(state, doubt, at=NOW + timedelta(days=day))
        assert decision == doubt, "one doubt, or two, are no news"
    _, third = _after(state, doubt, at=NOW + timedelta(days=6))
    assert (third.action, third.playbook, third.incident) == ("support", kind, kind == "grooming")
    _, late = _after(state, doubt, at=NOW + timedelta(days=9))
    assert late.playbook is None


@pytest.mark.parametrize("category", ["T01", "T13", "T16"])
def test_other_doubts_are_never_added_up(category: str) -> None:
    state = WatchState()
    for _ in range(5):
        state, decision = _after(state, _in_doubt(category))
        assert decision.playbook is None
    assert state.marks == ()


def test_a_doubt_marks_nothing_as_if_it_were_sure() -> None:
    state, _ = _after(WatchState(), _in_doubt("T07"))
    assert _after(state, ALLOW, "grooming_soft")[1].action == "allow"


def test_three_facts_make_a_contact_exchange() -> None:
    state = WatchState()
    for fact in ("pii:phone", "pii:handle"):
        state, decision = _after(state, ALLOW, fact)
        assert decision.action == "allow"
    state, decision = _after(state, ALLOW, "pii:en/personal-data")
    assert decision.playbook == "personal_data"
    assert not [mark for mark in state.marks if mark.kind.startswith("pii:")]


def test_two_low_messages_make_a_streak_and_a_good_one_ends_it() -> None:
    state, _ = _after(WatchState(), ALLOW, "low")
    state, decision = _after(state, ALLOW, "low")
    assert decision.low
    assert "low_streak" in patterns(state, NOW)
    state, _ = _after(state, ALLOW)
    assert state.low_streak == 0


_TIMES = st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1))
_STATES = st.builds(
    WatchState,
    level=st.sampled_from(LEVELS),
    signal_at=st.none() | _TIMES,
    rises=st.lists(_TIMES, max_size=3).map(tuple),
    sequence=st.none() | st.builds(Sequence, st.sampled_from(["abuse", "suicide_L2"]), st.integers(0, 9)),
    home_danger=st.booleans(),
    low_streak=st.integers(0, 9),
    lows=st.integers(0, 9),
    low_at=st.none() | _TIMES,
    said=st.lists(st.text(max_size=9), max_size=3).map(tuple),
    marks=st.lists(st.builds(Mark, st.text(max_size=9), _TIMES), max_size=3).map(tuple),
)


@given(_STATES)
def test_it_survives_storage(state: WatchState) -> None:
    assert from_json(to_json(state)) == state


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"level": "L9"}', "null"])
def test_what_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  json's own error is one of them
        from_json(text)


@given(_STATES, st.lists(st.sampled_from(["low", "joking", "short", "safe", "topic", "farewell"]), max_size=3))
def test_no_message_lowers_a_level(state: WatchState, signals: list[str]) -> None:
    now = (state.signal_at or NOW) + timedelta(minutes=1)
    before = settle(state, now)
    after = advance(state, consider(state, ALLOW, signals, now), now, signals=signals)
    assert level_rank(after.level) >= level_rank(before.level)
