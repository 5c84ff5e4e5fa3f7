"""The way out of a written conversation: heard only once it has said what it must, and it takes nothing from danger."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from moderation import watch as watching
from moderation.crisis import CrisisAnswer, answer, offers, way_out
from moderation.crisis.texts import texts_of
from moderation.taxonomy import CRISIS_PLAYBOOKS, QUESTIONS, SEQUENCES, SUICIDE
from moderation.types import LANGUAGES, Band, Decision, Language, Level, Sequence, WatchState
from moderation.watch import FOLLOW_UP, SAFE, advance, consider
from tests.moderation.reading import NOW, screen

ALLOW = Decision("allow")
TALKS = [name for name in SEQUENCES if name not in QUESTIONS]
DANGER: dict[Language, str] = {
    "en": "i want to kill myself", "pt-BR": "quero me matar", "es": "quiero matarme", "fr": "je veux me tuer",
}  # fmt: skip
BUT: dict[Language, str] = {
    "en": "I'm safe now. i still want to kill myself tonight",
    "pt-BR": "Agora tô em segurança. mas ainda quero me matar",
    "es": "Ya estoy a salvo. pero quiero matarme",
    "fr": "Je suis en sécurité maintenant. mais je veux me tuer",
}


def running(playbook: str, step: int, *, level: Level = "L0") -> WatchState:
    return WatchState(level=level, signal_at=NOW, sequence=Sequence(playbook, step=step))


def after(state: WatchState, decision: Decision, *signals: str) -> tuple[WatchState, Decision]:
    considered = consider(state, decision, signals, NOW)
    return advance(state, considered, NOW, signals=signals), considered


@dataclass
class Talk:
    """One person and the real screen: what they type, and what the written flow answers."""

    language: Language
    band: Band = "13-15"
    watch: WatchState = field(default_factory=WatchState)
    minute: int = 0

    def says(self, text: str) -> tuple[Decision, CrisisAnswer | None]:
        now = NOW + timedelta(minutes=self.minute)
        self.minute += 1
        found = screen().check_message(text, band=self.band, language=self.language, watch=self.watch, now=now)
        self.watch = found.watch
        if found.decision.playbook is None:
            return found.decision, None
        said = answer(
            found.decision, self.watch, text=text, language=self.language, country="US", band=self.band, now=now,
            production=False,
        )  # fmt: skip
        self.watch = said.watch
        return found.decision, said


@pytest.mark.parametrize("playbook", TALKS)
def test_the_way_out_opens_when_what_must_be_said_was_said(playbook: str) -> None:
    level: Level = next((level for level, name in SUICIDE.items() if name == playbook), "L0")  # type: ignore[assignment]
    grave = level in {"L3", "L4"} or playbook in {"medical", "threat", "farewell_danger"}
    opens = 3 if grave else 2
    for step in range(opens):
        early, decision = after(running(playbook, step, level=level), ALLOW, SAFE, "safe", "short")
        assert (decision.reason, decision.playbook) == (FOLLOW_UP, playbook)
        assert early.sequence is not None
        assert early.sequence.safe
    state, decision = after(running(playbook, opens, level=level), ALLOW, SAFE, "safe", "short")
    assert (decision.action, decision.playbook, decision.reason) == ("support", SAFE, SAFE)
    assert not decision.incident
    assert state.level == level, "nothing that is said lowers it"
    assert state.sequence == Sequence(SAFE, then=playbook)


@pytest.mark.parametrize("beside", ["low", "distress"])
def test_low_words_beside_it_keep_the_conversation(beside: str) -> None:
    _, decision = after(running("suicide_L2", 5, level="L2"), ALLOW, SAFE, beside)
    assert decision.reason == FOLLOW_UP


def test_what_a_rule_finds_at_any_severity_keeps_it_too() -> None:
    _, decision = after(running("suicide_L2", 5, level="L2"), Decision("support", 1, None, ("T01",), low=True), SAFE)
    assert decision.reason == FOLLOW_UP


def test_a_last_goodbye_beside_it_is_danger() -> None:
    _, decision = after(running("suicide_L2", 5, level="L2"), ALLOW, SAFE, "farewell", "final")
    assert (decision.playbook, decision.action) == ("farewell_danger", "crisis")


def test_ordinary_talk_goes_on_without_a_joke_until_the_topic_has_changed_twice() -> None:
    state, _ = after(running("suicide_L2", 3, level="L2"), ALLOW, SAFE)
    for _ in range(2):
        state, decision = after(state, ALLOW)
        assert (decision.action, decision.playbook, decision.low) == ("allow", None, True)
    _, decision = after(state, ALLOW)
    assert (decision.action, decision.low) == ("allow", False)


@pytest.mark.parametrize("level", ["L1", "L2", "L3", "L4"])
def test_a_new_sign_after_it_begins_the_flow_at_once_at_no_lower_level(level: Level) -> None:
    state, _ = after(running(SUICIDE[level], 3, level=level), ALLOW, SAFE)
    danger = Decision("crisis", 3, "L1", ("T01",), "suicide_L1", about="self", low=True)
    state, decision = after(state, danger)
    assert (decision.action, decision.level) == ("crisis", level)
    assert state.sequence is not None
    assert (state.sequence.playbook, state.sequence.step) == (SUICIDE[level], 0)


def test_a_friend_is_safe_only_where_it_was_about_a_friend() -> None:
    assert after(running("friend_in_danger", 2), ALLOW, "friend_safe")[1].reason == SAFE
    assert after(running("suicide_L2", 2, level="L2"), ALLOW, "friend_safe")[1].reason == FOLLOW_UP


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_chip_is_offered_understood_and_nothing_else_is_it(language: Language) -> None:
    texts = texts_of(language)
    assert way_out(running("suicide_L1", 1, level="L1"), language) == ()
    assert way_out(WatchState(), language) == ()
    assert way_out(running("suicide_L1", 2, level="L1"), language) == (texts.safe,)
    assert way_out(running("friend_in_danger", 2), language) == (texts.friend_safe,)
    assert offers(texts.safe, language)
    assert offers(f" {texts.friend_safe} ", language)
    assert not offers(DANGER[language], language)
    assert not offers(f"{texts.safe} x", language)


@pytest.mark.parametrize("band", ["13-15", "16-17", "18+"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_talk_from_danger_to_the_chip_to_ordinary_talk_and_back(language: Language, band: Band) -> None:
    talk = Talk(language, band)
    chips: tuple[str, ...] = ()
    answers = 0
    while not chips:
        decision, said = talk.says(DANGER[language] if not answers else "ok")
        assert said is not None
        assert (decision.action, answers < 3) == ("crisis", True)
        chips, answers = said.chips, answers + 1
    decision, said = talk.says(chips[0])
    assert said is not None
    assert (decision.playbook, said.chips) == (SAFE, ())
    assert said.card is not None, "help stays in reach"
    written = texts_of(language).playbooks["safe_now" if band == "13-15" else "safe_now_older"]
    words = [line for bubble in written.first for line in bubble.variants]
    assert any(bubble in words for bubble in said.bubbles)
    assert talk.watch.level == "L2"
    decision, said = talk.says("🍕🍕🍕")
    assert (decision.playbook, said) == (None, None)
    decision, said = talk.says(DANGER[language])
    assert (decision.action, decision.level) == ("crisis", "L2")


@pytest.mark.parametrize("language", LANGUAGES)
def test_saying_it_beside_a_sign_takes_nothing_from_the_sign(language: Language) -> None:
    alone = Talk(language, watch=running("suicide_L2", 4, level="L2")).says(DANGER[language])[0]
    beside = Talk(language, watch=running("suicide_L2", 4, level="L2")).says(BUT[language])[0]
    assert (beside.action, beside.playbook in CRISIS_PLAYBOOKS) == ("crisis", True)
    assert beside.severity >= alone.severity
    assert str(beside.level) >= str(alone.level)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_may_have_taken_something_is_told_to_be_looked_at_all_the_same(language: Language) -> None:
    said = {
        playbook: answer(
            consider(state, ALLOW, (SAFE,), NOW), after(state, ALLOW, SAFE)[0], text="x", language=language,
            country="US", now=NOW, production=False,
        ).bubbles
        for playbook, state in {
            "suicide_L4": running("suicide_L4", 3, level="L4"), "medical": running("medical", 3),
            "suicide_L2": running("suicide_L2", 3, level="L2"), "friend_in_danger": running("friend_in_danger", 3),
        }.items()
    }  # fmt: skip
    # A friend's chip is its own; "I'm safe" is heard there too.
    assert {name: any("911" in bubble for bubble in bubbles) for name, bubbles in said.items()} == {
        "suicide_L4": True, "medical": True, "suicide_L2": False, "friend_in_danger": False,
    }  # fmt: skip
    friend = [line for bubble in texts_of(language).playbooks["safe_now_friend"].first for line in bubble.variants]
    assert said["friend_in_danger"][0] in friend


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("playbook", ["safe_now", "safe_now_older", "safe_now_friend"])
def test_its_lines_are_several_and_name_people_and_the_way_back_to_help(language: Language, playbook: str) -> None:
    first = texts_of(language).playbooks[playbook].first
    assert [len(bubble.variants) >= 3 for bubble in first] == [True] * 3
    assert {"acknowledge", "human", "stay", "next_step"} <= texts_of(language).playbooks[playbook].elements("first")
    assert all("{adult}" in line for line in first[1].variants)


def test_what_was_left_is_kept_with_the_state() -> None:
    state, _ = after(running("abuse", 2), ALLOW, SAFE)
    assert watching.from_json(watching.to_json(state)) == state
