"""The written conversation as a sequence: every playbook in every language that has texts, ten turns long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from moderation import watch as watching
from moderation.crisis import answer, line, playbook_answer
from moderation.crisis.cards import words_of
from moderation.crisis.flow import CrisisAnswer
from moderation.crisis.helplines import emergency_of
from moderation.crisis.texts import MOST_CHARS, Texts, faults, texts_of
from moderation.taxonomy import CRISIS_PLAYBOOKS, QUESTIONS, SEQUENCE_CATEGORY, SEQUENCES, SINGLES, SUICIDE
from moderation.types import LANGUAGES, Decision, Language, Level, WatchState
from tests.moderation.reading import NOW, WRITTEN

LEVEL_OF: dict[str, Level] = {name: level for level, name in SUICIDE.items()}  # type: ignore[misc]  # its keys are levels
LEVEL_OF["self_harm"], LEVEL_OF["farewell_danger"], LEVEL_OF["friend_in_danger"] = "L2", "L3", "L2"
COUNTRY: dict[Language, str] = {"en": "US", "pt-BR": "BR", "es": "MX", "fr": "FR"}
TALKS = [name for name in SEQUENCES if name not in QUESTIONS]
every_talk = pytest.mark.parametrize(
    ("language", "playbook"), [(language, name) for language in WRITTEN for name in TALKS]
)


@dataclass(frozen=True)
class Turn:
    """What one turn of the written flow said, and the elements that it had."""

    answered: CrisisAnswer
    elements: tuple[str, ...]


def _decision(playbook: str) -> Decision:
    level = LEVEL_OF.get(playbook)
    crisis = playbook in CRISIS_PLAYBOOKS
    about = "friend" if playbook == "friend_in_danger" else "self"
    return Decision(
        "crisis" if crisis else "support", 3, level, (SEQUENCE_CATEGORY[playbook],), playbook, about=about, low=True
    )


def _elements(texts: Texts, names: tuple[str, ...]) -> tuple[str, ...]:
    """The elements of the lines with these names (playbook/part/bubble/variant)."""
    found: list[str] = []
    for name in names:
        playbook, part, number, _ = name.split("/")
        found += texts.playbooks[playbook].part(part)[int(number)].elements  # type: ignore[arg-type]  # a part's name
    return tuple(found)


def _talk(
    language: Language, playbook: str, turns: int, *, again: bool = False, adult: str | None = None
) -> list[Turn]:
    """A talk in which the teen answers briefly, or (`again`) tells of the danger each time."""
    texts, watch = texts_of(language), WatchState()
    told: list[Turn] = []
    for number in range(turns):
        now = NOW + timedelta(minutes=number)
        decision = _decision(playbook) if number == 0 or again else Decision("allow")
        signals = () if number == 0 or again else ("short", "stays")
        decision = watching.consider(watch, decision, signals, now)
        watch = watching.advance(watch, decision, now, signals=signals)
        before = watch.said
        answered = answer(
            decision, watch, text=f"message {number}", language=language, country=COUNTRY[language], adult=adult,
            now=now, production=False,
        )  # fmt: skip
        watch = answered.watch
        fresh = tuple(name for name in watch.said if name not in before)
        told.append(Turn(answered, _elements(texts, fresh)))
    return told


@pytest.mark.parametrize("language", WRITTEN)
def test_the_texts_keep_their_law(language: Language) -> None:
    assert list(faults(texts_of(language))) == []


@every_talk
def test_the_first_reply_has_what_it_must_have(language: Language, playbook: str) -> None:
    first = _talk(language, playbook, 1)[0]
    needed = {"ai", "human"}
    if SEQUENCE_CATEGORY[playbook] == "T01":
        needed |= {"acknowledge", "ask"}
    assert needed - set(first.elements) == set()
    card = first.answered.card
    assert card is not None
    assert card.lines
    assert card.emergency
    assert card.body


@every_talk
def test_within_three_turns_the_way_to_a_person_is_open(language: Language, playbook: str) -> None:
    elements = {element for turn in _talk(language, playbook, 3) for element in turn.elements}
    assert {"barrier", "stay", "next_step"} - elements == set()


@pytest.mark.parametrize("language", WRITTEN)
@pytest.mark.parametrize("playbook", ["suicide_L3", "suicide_L4", "medical"])
def test_the_emergency_comes_first_where_life_is_in_danger(language: Language, playbook: str) -> None:
    first = _talk(language, playbook, 1)[0]
    assert emergency_of(COUNTRY[language]) in first.answered.bubbles[0]
    assert first.elements[0] == "emergency"


@every_talk
@pytest.mark.parametrize("again", [False, True], ids=["short answers", "danger again"])
def test_no_line_and_no_card_comes_twice_in_ten_turns(language: Language, playbook: str, again: bool) -> None:
    talk = _talk(language, playbook, 10, again=again)
    lines = [bubble for turn in talk for bubble in turn.answered.bubbles]
    assert [bubble for bubble in lines if lines.count(bubble) > 1] == []
    cards = [turn.answered.card.body for turn in talk if turn.answered.card is not None]
    assert [body for body in cards if cards.count(body) > 1] == []
    assert all(turn.answered.bubbles for turn in talk)


@every_talk
def test_a_bubble_is_short_and_asks_one_thing(language: Language, playbook: str) -> None:
    # The longest name that a teen is likely to give to somebody they trust.
    for turn in _talk(language, playbook, 10, adult="Maria Aparecida"):
        for bubble in turn.answered.bubbles:
            assert len(bubble) <= MOST_CHARS
            assert bubble.count("?") <= 1
            assert "{" not in bubble


@every_talk
def test_the_one_who_is_trusted_is_named_unless_home_is_the_danger(language: Language, playbook: str) -> None:
    decision = _decision(playbook)
    watch = watching.advance(WatchState(), decision, NOW)

    def said(state: WatchState) -> str:
        found = [
            answer(decision, state, text=str(seed), language=language, country="US", adult="Zoraide", now=NOW,
                   production=False).bubbles
            for seed in range(8)
        ]  # fmt: skip
        return " ".join(" ".join(bubbles) for bubbles in found)

    assert "Zoraide" in said(watch) or playbook == "medical"  # whoever is nearest, whatever their name
    assert "Zoraide" not in said(WatchState(home_danger=True, sequence=watch.sequence))


@pytest.mark.parametrize("language", WRITTEN)
def test_worry_about_a_friend_has_its_own_words_and_asks_after_the_teen(language: Language) -> None:
    texts = texts_of(language).playbooks
    own = {text for bubble in texts["suicide_L2"].first for text in bubble.variants}
    about_friend = {text for bubble in texts["friend_in_danger"].first for text in bubble.variants}
    assert not own & about_friend
    later = [turn.elements for turn in _talk(language, "friend_in_danger", 3)[1:]]
    assert any("ask" in elements for elements in later)


@pytest.mark.parametrize("language", WRITTEN)
def test_the_check_after_a_joke_is_one_short_turn(language: Language) -> None:
    watch = watching.advance(WatchState(), _decision("suicide_L2"), NOW)
    decision = watching.consider(watch, Decision("allow"), ("joking", "short"), NOW)
    watch = watching.advance(watch, decision, NOW, signals=("joking", "short"))
    found = answer(decision, watch, text="jk", language=language, country=COUNTRY[language], now=NOW, production=False)
    assert decision.playbook == "joking_check"
    assert found.card is not None
    assert 1 <= len(found.bubbles) <= 3


@pytest.mark.parametrize("language", WRITTEN)
@pytest.mark.parametrize("playbook", SINGLES)
def test_single_answers_vary(language: Language, playbook: str) -> None:
    answers = {playbook_answer(playbook, language=language, country="BR", seed=seed) for seed in range(40)}
    assert len(answers) >= 4
    for bubbles in answers:
        for bubble in bubbles:
            assert len(bubble) <= MOST_CHARS
            assert bubble.count("?") <= 1
            assert "{" not in bubble


def test_a_sequence_is_no_single_answer() -> None:
    with pytest.raises(KeyError):
        playbook_answer("suicide_L2", language="en")
    assert line("failed", language="en")


@pytest.mark.parametrize("language", WRITTEN)
def test_the_same_message_gets_the_same_words(language: Language) -> None:
    assert _talk(language, "abuse", 4) == _talk(language, "abuse", 4)


@pytest.mark.parametrize("language", LANGUAGES)
def test_ten_cards_in_a_row_say_ten_things(language: Language) -> None:
    words = words_of(language)
    bodies = [*words.full, *words.short]
    assert len(set(bodies)) == len(bodies) >= 10
    assert all("{emergency}" in body for body in bodies)


# What no written line may say: promises of secrecy, calls it can't make, tests of strength, blame, method.
NEVER: dict[Language, tuple[str, ...]] = {
    "en": ("i won't tell", "our secret", "i called", "i've called", "committed suicide", "stop being dramatic",
           "at least", "don't need other people", "you're not going to", "i promise", "come home to me",
           "failed attempt"),
    "pt-BR": ("não conto pra ninguém", "nosso segredo", "eu liguei", "já chamei", "cometeu suicídio", "para de drama",
              "pelo menos", "você não vai se", "me promete", "prometo", "é frescura sua"),
    "es": ("no le diré a nadie", "nuestro secreto", "ya llamé", "cometió suicidio", "no seas dramátic", "al menos",
           "prométeme", "te prometo"),
    "fr": ("je le dirai à personne", "notre secret", "j'ai appelé", "commis un suicide", "arrête ton cinéma",
           "promets-moi", "je te promets"),
}  # fmt: skip


@pytest.mark.parametrize("language", WRITTEN)
def test_written_lines_never_say_what_they_must_not(language: Language) -> None:
    texts = texts_of(language)
    lines = [
        variant
        for name, playbook in texts.playbooks.items()
        if name in SEQUENCES
        for part in ("first", "second", "third", "stay")
        for bubble in playbook.part(part)  # type: ignore[arg-type]  # names of parts
        for variant in bubble.variants
    ]
    assert [text for text in lines for word in NEVER[language] if word in text.lower().replace("’", "'")] == []
