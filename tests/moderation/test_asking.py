"""A guess asks before it acts: what is asked, what an answer does, and what no answer of a teen's can talk away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chatbot.chat.dangers import in_crisis
from moderation import asking, screen
from moderation.asking import ASKED, ASKS, CERTAIN, CLEARED, DOUBT, OWNED, QUIET, SURE, asked_first
from moderation.crisis import answer
from moderation.crisis.adults import adult_wanted
from moderation.policy import decide, policy_shipped
from moderation.types import LANGUAGES, UNSURE, Decision, Hit, Language, Level, Sequence, WatchState
from moderation.watch import FOLLOW_UP, advance, consider, from_json, to_json

NOW = datetime(2026, 11, 26, 16, tzinfo=UTC)
FRESH = WatchState()


def guess(category: str, severity: int, level: Level | None = None) -> tuple[Hit, ...]:
    return (Hit(f"classifier/{category}", category, severity, level=level, score=0.7),)


def said_of(hits: tuple[Hit, ...], state: WatchState = FRESH) -> Decision:
    return decide(hits, side="message", band="13-15", watch=state, policy=policy_shipped())


def screened(
    hits: tuple[Hit, ...], likely: float, *signals: str, state: WatchState = FRESH, now: datetime = NOW
) -> tuple[Decision, WatchState]:
    """As the screen does it: policy, the question, the conversation, the next state."""
    said = asked_first(said_of(hits, state), hits, state, frozenset(signals), likely=likely, now=now)
    decision = consider(state, said, signals, now)
    return decision, advance(state, decision, now, signals=signals)


@pytest.mark.parametrize(
    ("hits", "playbook"),
    [
        (guess("T01", 3, "L2"), "check_self"),
        (guess("T30", 4), "check_safe"),
        (guess("T08", 3), "check_safe"),
        (guess("T09", 4), "check_safe"),
    ],
)
def test_what_only_reads_like_danger_is_asked_about_and_nobody_is_alarmed(hits: tuple[Hit, ...], playbook: str) -> None:
    decision, after = screened(hits, SURE - 0.01)
    assert (decision.playbook, decision.reason, decision.action) == (playbook, ASKED, "support")
    assert not decision.incident
    assert not adult_wanted(decision)
    assert after.level == "L0"
    assert not in_crisis(after)


@pytest.mark.parametrize("hits", [guess("T01", 3, "L2"), guess("T01", 4, "L3"), guess("T30", 4)])
def test_what_hardly_reads_like_danger_is_answered_with_care_and_nobody_is_asked(hits: tuple[Hit, ...]) -> None:
    decision, after = screened(hits, ASKS - 0.01)
    assert (decision.playbook, decision.reason, decision.low) == (None, DOUBT, True)
    assert not decision.incident
    assert not in_crisis(after)


@pytest.mark.parametrize(
    ("hits", "likely"),
    [(guess("T01", 3, "L2"), SURE), (guess("T30", 4), SURE), (guess("T01", 4, "L3"), SURE)],
)
def test_a_sure_guess_is_acted_on_at_once(hits: tuple[Hit, ...], likely: float) -> None:
    decision, after = screened(hits, likely)
    assert decision.playbook == said_of(hits).playbook
    assert decision.learned
    assert in_crisis(after)


def test_a_guess_at_a_plan_is_asked_about_as_a_crisis_with_the_card_and_staff_see_it() -> None:
    decision, after = screened(guess("T01", 4, "L3"), SURE - 0.01)
    assert (decision.playbook, decision.action, decision.incident) == ("check_self", "crisis", True)
    assert not adult_wanted(decision), "nobody's parents are told of a question"
    told = answer(decision, after, text="x", language="en", country="US", now=NOW, production=False)
    assert told.card is not None
    assert "hurt" in " ".join(told.bubbles) or "here" in " ".join(told.bubbles)


@pytest.mark.parametrize(
    "hits",
    [
        (*guess("T01", 3, "L2"), Hit("en/suicide-thoughts", "T01", 3, level="L2", playbook="suicide_L2")),
        (Hit("en/suicide-thoughts", "T01", 3, level="L2", playbook="suicide_L2"),),
    ],
)
def test_what_a_rule_says_is_never_asked_about(hits: tuple[Hit, ...]) -> None:
    decision, _after = screened(hits, 0.51)
    assert (decision.playbook, decision.action) == ("suicide_L2", "crisis")


@pytest.mark.parametrize("signal", ["low", "distress", "final"])
def test_words_of_how_bad_it_is_make_a_guess_sure(signal: str) -> None:
    decision, _after = screened(guess("T01", 3, "L2"), 0.51, signal)
    assert decision.reason != ASKED
    assert decision.action == "crisis"


def test_who_was_in_danger_today_is_not_asked_but_answered() -> None:
    state = replace(FRESH, level="L1", signal_at=NOW - timedelta(hours=1))
    decision, _after = screened(guess("T01", 3, "L2"), 0.51, state=state)
    assert (decision.action, decision.reason == ASKED) == ("crisis", False)


def test_a_no_is_believed_and_the_talk_goes_on() -> None:
    _asked, waiting = screened(guess("T01", 3, "L2"), 0.7)
    decision, after = screened((), 0.0, "denies", state=waiting, now=NOW + timedelta(minutes=1))
    assert (decision.playbook, decision.reason, decision.action) == ("check_clear", CLEARED, "support")
    assert after.sequence is None
    assert after.level == "L0"
    decision, _after = screened((), 0.0, state=after, now=NOW + timedelta(minutes=2))
    assert decision.action == "allow"


@pytest.mark.parametrize("signals", [("owns_up",), ()])
def test_a_yes_or_a_second_sign_begins_the_written_conversation(signals: tuple[str, ...]) -> None:
    _asked, waiting = screened(guess("T01", 3, "L2"), 0.7)
    hits = () if signals else guess("T01", 3, "L2")
    decision, after = screened(hits, 0.6 if hits else 0.0, *signals, state=waiting, now=NOW + timedelta(minutes=1))
    assert (decision.playbook, decision.reason, decision.level) == ("suicide_L2", OWNED, "L2")
    assert (decision.action, decision.incident) == ("crisis", True)
    assert in_crisis(after)
    assert after.level == "L2"


def test_yes_but_no_is_a_no() -> None:
    _asked, waiting = screened(guess("T30", 4), 0.7)
    decision, _after = screened((), 0.0, "owns_up", "denies", state=waiting)
    assert decision.playbook == "check_clear"


def test_another_subject_drops_the_question() -> None:
    _asked, waiting = screened(guess("T30", 4), 0.7)
    decision, after = screened((), 0.0, state=waiting)
    assert (decision.action, decision.playbook, decision.low) == ("allow", None, True)
    assert after.sequence is None


def test_after_a_no_they_are_not_asked_again_for_six_hours_unless_it_is_certain() -> None:
    state = replace(FRESH, denied_at=NOW)
    soon, later = NOW + QUIET / 2, NOW + QUIET + timedelta(seconds=1)
    decision, _after = screened(guess("T01", 3, "L2"), 0.7, state=state, now=soon)
    assert (decision.reason, decision.severity, decision.playbook, decision.low) == (DOUBT, UNSURE, None, True)
    decision, _after = screened(guess("T01", 3, "L2"), CERTAIN, state=state, now=soon)
    assert decision.action == "crisis"
    decision, _after = screened(guess("T01", 3, "L2"), 0.7, state=state, now=later)
    assert decision.reason == ASKED


@pytest.mark.parametrize("level", ["L2", "L3"])
def test_a_conversation_that_a_guess_began_ends_with_a_no(level: Level) -> None:
    decision, state = screened(guess("T01", 4 if level == "L3" else 3, level), SURE)
    assert (decision.action, decision.learned, decision.incident) == ("crisis", True, True)
    decision, state = screened((), 0.0, "denies", state=state, now=NOW + timedelta(minutes=1))
    assert decision.reason == CLEARED
    assert (state.sequence, state.level) == (None, "L0")


def test_a_guess_for_which_nothing_speaks_is_given_up_after_two_answers() -> None:
    """ "I'm in bed with a mock tomorrow" was no word that the lists know, and help was sent for twelve times."""
    _decision, state = screened(guess("T01", 4, "L4"), SURE)
    reasons = []
    for minute in range(1, 4):
        state = replace(state, sequence=replace(state.sequence, step=minute) if state.sequence else None)
        decision, state = screened((), 0.0, state=state, now=NOW + timedelta(minutes=minute))
        reasons.append(decision.reason)
    assert reasons == [FOLLOW_UP, CLEARED, None]


@pytest.mark.parametrize("signal", ["low", "distress", "owns_up", "safe"])
def test_a_guess_for_which_something_speaks_is_not_given_up(signal: str) -> None:
    _decision, state = screened(guess("T01", 4, "L4"), SURE)
    assert state.sequence is not None
    state = replace(state, sequence=replace(state.sequence, step=2))
    decision, _state = screened((), 0.0, signal, state=state, now=NOW + timedelta(minutes=2))
    assert decision.reason != CLEARED


def test_a_guardian_is_told_of_a_guess_at_the_second_sign() -> None:
    decision, state = screened(guess("T01", 4, "L3"), SURE)
    assert not adult_wanted(decision)
    decision, state = screened(guess("T01", 4, "L3"), 0.7, state=state, now=NOW + timedelta(minutes=1))
    assert decision.action == "crisis"
    assert adult_wanted(decision)
    assert state.sequence is not None
    assert state.sequence.step == 0


def test_a_lesser_matter_that_is_hardly_guessed_is_no_written_answer() -> None:
    decision, _after = screened(guess("T15", 2), 0.6)
    assert (decision.playbook, decision.reason) == (None, DOUBT)


def test_what_a_rule_heard_of_one_s_own_life_does_not_end_with_a_no() -> None:
    hits = (Hit("en/suicide-plan", "T01", 4, level="L3", playbook="suicide_L3"),)
    decision, state = screened(hits, 0.0)
    for number in range(1, 4):
        told = answer(decision, state, text=str(number), language="en", country="US", now=NOW, production=False)
        decision, state = screened((), 0.0, "denies", "stays", state=told.watch, now=NOW + timedelta(minutes=number))
        assert decision.action == "crisis"
    assert in_crisis(state)


OTHER_RULES = [
    (Hit("en/medical", "T30", 4, playbook="medical"),),
    (Hit("en/core-abuse", "T08", 4, playbook="abuse"),),
    (Hit("en/friend-in-danger", "T01", 3, about="friend", playbook="friend_in_danger"),),
]


@pytest.mark.parametrize("hits", OTHER_RULES)
def test_what_a_rule_heard_of_anything_else_ends_with_a_no_in_more_than_a_word(hits: tuple[Hit, ...]) -> None:
    decision, state = screened(hits, 0.0)
    assert decision.deniable
    assert not decision.learned
    later = NOW + timedelta(minutes=1)
    for signals in (("denies", "short"), ("safe", "stays"), ("stays",)):
        decision, _after = screened((), 0.0, *signals, state=state, now=later)
        assert decision.reason == "sequence", "a bare no, or somebody who is there now, answers a question of the talk"
    decision, after = screened((), 0.0, "denies", "stays", state=state, now=later)
    assert decision.reason == CLEARED
    assert after.sequence is None


def test_a_rule_in_the_answer_counts_whatever_else_it_says() -> None:
    _asked, waiting = screened(guess("T01", 3, "L2"), 0.7)
    hits = (Hit("en/suicide-plan", "T01", 4, level="L3", playbook="suicide_L3"),)
    decision, _after = screened(hits, 0.9, "denies", state=waiting)
    assert (decision.playbook, decision.action) == ("suicide_L3", "crisis")


def test_what_can_not_be_asked_in_a_line_is_a_doubt() -> None:
    decision, after = screened(guess("T02", 2), 0.7)
    assert (decision.reason, decision.action, decision.severity) == (DOUBT, "support", UNSURE)
    assert after.sequence is None


def _through(day: list[tuple[tuple[Hit, ...], str, float]], state: WatchState = FRESH) -> Decision:
    """What comes of the last of these messages. Each: hits, a signal or "", hours since the first."""
    decision = Decision("allow")
    for hits, signal, hours in day:
        said_at = NOW + timedelta(hours=hours)
        decision, state = screened(hits, ASKS - 0.01, *filter(None, [signal]), state=state, now=said_at)
    return decision


LOW = ((), "low", 1.0)


@pytest.mark.parametrize(("hits", "question"), [(guess("T01", 3, "L2"), "check_self"), (guess("T08", 3), "check_safe")])
def test_doubts_of_a_day_and_sad_messages_add_up_to_the_question(hits: tuple[Hit, ...], question: str) -> None:
    for before in ([(hits, "", 0), (hits, "", 1)], [(hits, "", 0), LOW], [LOW, LOW]):
        assert _through([*before[:1], (hits, "", 2)]).reason == DOUBT, "the second is no more than that"
        assert _through([*before, (hits, "", 2)]).playbook == question


def test_doubts_of_another_day_or_another_matter_and_of_who_said_no_do_not_add_up() -> None:
    own, other = guess("T01", 3, "L2"), guess("T08", 3)
    assert _through([(own, "", 0), (own, "", 1), (own, "", 26)]).reason == DOUBT
    assert _through([(own, "", 0), (other, "", 1), (own, "", 2)]).reason == DOUBT
    denied = replace(FRESH, denied_at=NOW)
    assert _through([(own, "", 0), (own, "", 1), (own, "", 2)], denied).reason == DOUBT


def test_a_goodbye_makes_a_guess_no_surer() -> None:
    decision, _after = screened(guess("T01", 3, "L2"), 0.93, "farewell")
    assert decision.reason == ASKED


def test_the_question_is_kept_with_the_state() -> None:
    state = replace(FRESH, sequence=Sequence("check_self", then="suicide_L2"), denied_at=NOW)
    assert from_json(to_json(state)) == state
    old = to_json(FRESH).replace(',"denied_at":null', "")
    assert from_json(old) == FRESH


DENIALS: dict[Language, tuple[str, ...]] = {
    "en": ("WHAT no its a baby", "HES A DOG lol", "im fine", "thats not what i meant", "WHAT?? im talking about MATHS"),
    "pt-BR": (
        "QUE?? é meu cachorro kkkk",
        "to bem",
        "não foi isso que eu quis dizer",
        "é só uma história",
        "nada a ver",
    ),
    "es": (
        "QUÉ?? es mi perro jajaja",
        "estoy bien",
        "no es lo que quise decir",
        "es solo una historia",
        "nada que ver",
    ),
    "fr": ("QUOI ?? c'est mon chien mdr", "je vais bien", "c'est pas ce que je voulais dire", "rien à voir"),
}
NO_DENIALS: dict[Language, tuple[str, ...]] = {
    "en": ("no one would miss me", "what should i do", "i guess im fine", "im not ok"),
    "pt-BR": ("ninguém sentiria minha falta", "o que eu faço", "acho que to bem", "não to bem"),
    "es": ("nadie me echaría de menos", "qué hago", "supongo que estoy bien", "no estoy bien"),
    "fr": ("personne m'aime", "comment faire", "je vais pas bien", "je sais pas"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_no_is_heard_in_each_language_and_nothing_sad_is_taken_for_one(language: Language) -> None:
    def signals(text: str) -> tuple[str, ...]:
        found = screen.check_message(text, band="13-15", language=language, watch=FRESH, now=NOW)
        return found.signals

    assert [text for text in DENIALS[language] if "denies" not in signals(text)] == []
    assert [text for text in NO_DENIALS[language] if "denies" in signals(text)] == []


def test_every_question_leads_to_a_conversation_that_is_written() -> None:
    for hits in (guess("T01", 3, "L2"), guess("T30", 4), guess("T08", 3)):
        asked, waiting = screened(hits, 0.7)
        assert asked.playbook in asking.CHECKS
        decision, _after = screened((), 0.0, "owns_up", state=waiting)
        assert decision.playbook == asked.then == said_of(hits).playbook
