"""The skills that stand in the house: what there must be, and three people without manners who play each of them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
from pydantic import BaseModel

from companion.bank.lint_lines import banned, folded
from companion.skills.api import Answer, Say
from companion.skills.coded.twenty_questions import TwentyQuestionsForm, table
from companion.skills.form import HeadForm, LinesForm, RoundsForm, ScenesForm
from companion.skills.house import HOUSE, SIGNS
from companion.skills.lint import language_problems
from companion.skills.load import SKILLS_DIR, files_in
from companion.skills.runner import CHIP, STATE
from companion.types import BANDS, LANGUAGES, Language
from tests.companion.skills.talking import Game, heard, house, keys_of, later, shipped, shipped_forms

EVERYWHERE = (
    "jokes", "riddles", "would_you_rather", "trivia", "twenty_questions", "word_chain", "story", "mystery",
    "emoji_guess", "two_truths", "debate", "roast", "teach_word", "calm_down", "mood_checkin", "study_timer",
    "planner",
)  # fmt: skip
FILES = [(language, path.stem) for language, path in files_in(SKILLS_DIR)]
PLAYED = [(language, name) for language, name in FILES if name != HOUSE]


# --- what there is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_skills_of_the_list_are_there_in_every_language(language: Language) -> None:
    assert [name for name in (*EVERYWHERE, HOUSE) if (language, name) not in FILES] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_file_breaks_a_rule(language: Language) -> None:
    problems, files = language_problems(language, SKILLS_DIR)
    assert problems == []
    assert files == sum(1 for spoken, _ in FILES if spoken == language)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_skill_is_for_the_same_moments_in_every_language(name: str) -> None:
    forms = shipped_forms()[name]
    assert len({(form.kind, form.low, form.plain) for form in forms.values()}) == 1
    assert next(iter(forms.values())).low is (name in {"calm_down", "mood_checkin"})


@pytest.mark.parametrize(("language", "name"), PLAYED)
def test_every_skill_can_be_asked_for_in_many_ways(language: Language, name: str) -> None:
    wakes = shipped_forms()[name][language].wakes
    assert len({wake.casefold() for wake in wakes}) == len(wakes) >= 8


# --- twenty questions -------------------------------------------------------------------------------------------------

ASKS: Mapping[Language, str] = {"en": "is it {}?", "pt-BR": "é {}?", "es": "¿es {}?", "fr": "c'est {} ?"}


def questions(language: Language) -> TwentyQuestionsForm:
    return cast(TwentyQuestionsForm, shipped_forms()["twenty_questions"][language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_twenty_questions_has_words_for_all_of_its_table(language: Language) -> None:
    form = questions(language)
    assert set(form.things) == set(table())
    assert set(form.properties) == set().union(*table().values())


def _mine(language: Language, thing: str) -> Game:
    game = Game(shipped("twenty_questions"), kept={"turn": "mine"}, language=language)
    game.begin()
    assert game.state is not None
    game.state["mine"] = thing
    return game


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_understands_its_own_questions(language: Language) -> None:
    for name, given in questions(language).properties.items():
        for thing in ("dog", "rocket", "apple"):
            key = "yes" if name in table()[thing] else "no"
            assert keys_of(_mine(language, thing).say(given.ask)) == [key], f"{given.ask} of {thing}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_thing_can_be_guessed_by_its_name(language: Language) -> None:
    things = questions(language).things
    said = {
        name: keys_of(_mine(language, name).say(ASKS[language].format(thing.name))) for name, thing in things.items()
    }
    assert {things[name].name: keys for name, keys in said.items() if keys != ["right_guess"]} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_things_have_one_name(language: Language) -> None:
    names = [folded(thing.name) for thing in questions(language).things.values()]
    assert len(names) == len(set(names))


# --- last words -------------------------------------------------------------------------------------------------------

# What pleads or blames, on lower case without accents; and what the bank may not say either.
CLINGS: Mapping[Language, str] = {
    "en": r"already\?|so soon|don'?t (?:go|stop|leave)|\bstay (?:a|with|here|one)\b|miss(?:ed)? you|(?:^|[.!] )wait\b"
    r"|come back|are you sure|without you|lonely|one more\b|please\b|your (?:fault|loss)|you (?:lost|gave up)"
    r"|quitter|giv\w+ up|too bad|disappoint|what a shame",
    "pt-BR": r"\bja\?|tao cedo|nao (?:vai|va|para|pare|some)\b|(?:^|[.!] )fi(?:ca|que) (?:aqui|por aqui|comigo|mais)"
    r"|saudade|sua falta|volta (?:logo|aqui|sempre)|tem certeza|sem voce|so mais um|por favor|culpa (?:e )?sua"
    r"|\b(?:me|eu) \w* ?sozinh|voce (?:perdeu|desistiu)|desistir|que pena|decepc",
    "es": r"¿ya\b|\bya\?|tan pronto|no (?:te vayas|pares|lo dejes)|quedate|extran|echar\w* de menos|segur[oa]\?"
    r"|vuelve (?:pronto|aqui)|sin ti\b|una? mas\b|por favor|tu culpa|culpa tuya|te rendiste|perdiste|te rindes"
    r"|que (?:pena|lastima)|decepcion",
    "fr": r"deja ?\?|si vite|ne (?:pars|t'en va) pas|reste (?:encore|avec|un peu)|manqu|reviens|sure? de toi|sans toi"
    r"|toute? seule?\b|encore une?\b|s'il te plait|ta faute|tu (?:as perdu|abandonnes)|abandonn|dommage|decu",
}


def _last_words(form: HeadForm) -> Iterator[str]:
    """What is said to somebody who wants out. A timer's `left` is about minutes."""
    if isinstance(form, RoundsForm | ScenesForm):
        yield from form.say.end
    elif isinstance(form, LinesForm):
        for key in ("end", "stopped", "left"):
            if key != "left" or form.skill == HOUSE:
                yield from form.lines.get(key, ())


@pytest.mark.parametrize(("language", "name"), FILES)
def test_a_last_word_asks_nothing_pleads_nothing_and_blames_nobody(language: Language, name: str) -> None:
    said = list(_last_words(shipped_forms()[name][language]))
    assert said or name not in EVERYWHERE
    assert [line for line in said if "?" in line] == []
    assert [line for line in said if re.search(CLINGS[language], folded(line))] == []
    clings = [pattern for pattern, reason in banned(language) if reason.startswith("guilt")]
    assert clings != []
    assert [line for line in said for one in clings if one.search(folded(line))] == []  # type: ignore[attr-defined]


# --- three people without manners -------------------------------------------------------------------------------------

MESSAGES = 30
THEIRS = "zxqvk"  # a word that stands in no line
RUBBISH = (
    "", "...", "??!?", "0", "7", "25", "9999999", "e", "a b c d e f g h i j k l m n o p", "<b>hi</b>", "\x00", "\u200b",
    "\u202egnp", "👍", "😂😂😂", "🤩", "👩\u200d👧", "ß", "é" * 30, "مرحبا", "你好", THEIRS, f"{THEIRS} today",
    f"the {THEIRS}!", "x" * 4000, "bla " * 1000, f"{THEIRS} " * 600, "😀" * 2000, "yes " * 1000,
)  # fmt: skip


def _strings(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, BaseModel):
        yield from _strings(given.model_dump())
    elif isinstance(given, Mapping):
        yield from (one for value in given.values() for one in _strings(value))
    elif isinstance(given, list | tuple):
        yield from (one for value in given for one in _strings(value))


class Walker:
    """Somebody who says anything: what is offered, the file's own words, yes, no, idk and rubbish."""

    def __init__(self, name: str, language: Language, seed: int) -> None:
        self.chance = random.Random(f"{name}/{language}/{seed}")  # noqa: S311  chance in a test
        form = shipped_forms()[name][language]
        self.phrases = [text for text in _strings(form) if "{" not in text]
        self.short = [getattr(house(language), sign) for sign in SIGNS]
        self.game = Game(shipped(name), language=language)
        self.chips: tuple[str, ...] = ()
        self.minutes = 0

    def text(self) -> str:
        return self.chance.choice(
            (
                self.chance.choice(self.chips or self.phrases),
                self.chance.choice(self.phrases),
                self.chance.choice(self.chance.choice(self.short)),
                self.chance.choice(RUBBISH),
            )
        )

    def says(self) -> tuple[Say, ...]:
        """One message. What comes back passed the gate."""
        self.minutes += self.chance.choice((1, 10, 900))
        fields: dict[str, Any] = {
            "band": self.chance.choice(BANDS),
            "seed": self.chance.randrange(1 << 31),
            "low": self.chance.random() < 0.1,
            "plain": self.chance.random() < 0.1,
            "at": later(minutes=self.minutes) if "timer" in self.game.skill.card.permissions else None,
        }
        text, game = self.text(), self.game
        known = game.skill.overhears(heard(text, **{**fields, "language": game.fields["language"]}), game.kept)
        if known is not None and known.kept is not None:
            game.kept = dict(known.kept)
        answer: Answer | None
        if game.state is None:
            answer = game.begin(text, **fields)
        elif self.chance.random() < 0.1:
            last = game.skill.leave(game._heard(text, fields), game.state)
            return (*([last] if last else []), *game.resume(text, **fields).says)
        else:
            answer = game.say(text, **fields)
        self.chips = () if answer is None else answer.chips
        return (*(() if answer is None else answer.says), *(() if known is None else known.says))


@pytest.mark.parametrize(("language", "name"), PLAYED)
def test_a_skill_stands_whatever_is_said_to_it(language: Language, name: str) -> None:
    for seed in range(2):
        walker = Walker(name, language, seed)
        for _ in range(MESSAGES):
            says = walker.says()
            game = walker.game
            assert [say.text for say in says if "{" in say.text or "}" in say.text] == [], "a slot was left open"
            assert [say.id for say in says if say.id and not say.id.startswith(f"skills/{name}/")] == []
            theirs = [say for say in says if THEIRS in say.text]
            assert [say.text for say in theirs if say.id] == [], "their word in a written line"
            assert [say.text for say in theirs if THEIRS not in " ".join(say.theirs)] == [], "their word, not named"
            assert all(len(chip) <= CHIP for chip in walker.chips)
            assert max(len(json.dumps(game.state)), len(json.dumps(game.kept))) <= STATE
