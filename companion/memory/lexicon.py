"""The words in which four languages say facts and are answered: words/<language>.yaml, checked and compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import re2
import yaml
from pydantic import BaseModel, ConfigDict

from companion.memory.dates import day_in_words
from companion.memory.facts import Fact, Kind
from companion.memory.text import flat
from companion.types import LANGUAGES, Language

WORDS = Path(__file__).parent / "words"
Asked = Literal[
    "everything", "last_time", "forget", "forget_all", "forget_last", "outdated",
    "name", "from", "year", "pet", "person", "like", "dislike", "favourite", "does", "plan", "win", "feeling", "joke",
    "boundary",
]  # fmt: skip

WISHES: Final[tuple[Asked, ...]] = ("forget_all", "forget_last", "outdated", "forget")
# Fragments that are lists of words of one sort.
LISTS = ("first", "pet", "kin", "event", "feel", "sport", "country")


class _Learn(BaseModel):
    """dated: only where the words around name a time; again: one that comes again and again. asked: said as a question
    too ("can we not talk about it?"). whole: the value is all that follows."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind
    any: list[str]
    dated: bool = False
    again: bool = False
    asked: bool = False
    whole: bool = False


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")
    about: Asked
    any: list[str]


class _Over(BaseModel):
    """of: the kinds of what may end so. all: the value is all of a clause, in which what ends is named somewhere."""

    model_config = ConfigDict(extra="forbid")
    of: list[Kind]
    any: list[str]
    all: bool = False


@dataclass(frozen=True)
class Ending:
    """One way to say that something of these kinds is over."""

    kinds: tuple[Kind, ...]
    pattern: Any
    all: bool


class _Changes(BaseModel):
    """A language's part of changes.yaml, checked; what each list is for is said there."""

    model_config = ConfigDict(extra="forbid")
    fragments: Mapping[str, str]
    wishes: list[_Ask]
    loose: list[str]
    over: list[_Over]
    called_off: list[str]
    moved: list[str]
    moved_it: list[str]
    instead: list[str]
    others: str
    unsure: str


class Words(BaseModel):
    """One language's file, checked.

    learn: what says a fact, by kind. named: a name for the pet that was just spoken of. ends: what is over ("i quit
    judo"). never: words of 6.5, never kept; harmless: what only looks like them. not_a_value, still_a_value: what makes
    no sense as a thing liked, and exceptions; vague: nor as anything else. low_mark: what is no win, whatever it sounds
    like. not_a_name: the same for names; not_own_name: for the person's own. not_a_fact: what makes a fact that follows
    none; not_after: also one before; not_a_message: a whole message. planted: what bids the program, and tells nothing
    of a person. apart: where somebody begins anew in a sentence; turns: where they begin to ask. cut: where a value
    ends; filler: what is left out at its end. articles: at a plan's front. many: those of whom there may be several.
    origins: what else says broadly where one is from. ask: questions and wishes to memory; forgetting: words without
    which nothing is to be forgotten. hello, idle: a whole message that only greets, or has nothing to tell. past: what
    speaks of something that is over. sentences, answers: what is said back.
    """

    model_config = ConfigDict(extra="forbid")
    fragments: Mapping[str, str]
    learn: list[_Learn]
    named: list[str]
    ends: list[str]
    never: list[str]
    harmless: list[str]
    not_a_value: list[str]
    still_a_value: list[str]
    vague: list[str]
    low_mark: list[str]
    not_a_name: list[str]
    not_own_name: list[str]
    not_a_fact: list[str]
    not_after: list[str]
    not_a_message: list[str]
    planted: list[str]
    apart: list[str]
    turns: list[str]
    cut: list[str]
    filler: list[str]
    articles: str
    many: str
    places: list[str]
    origins: str
    ask: list[_Ask]
    forgetting: list[str]
    hello: list[str]
    idle: list[str]
    past: list[str]
    sentences: Mapping[str, str]
    answers: Mapping[str, list[str]]


@dataclass(frozen=True)
class Rule:
    """One way to say a fact of that kind."""

    kind: Kind
    pattern: Any
    dated: bool
    again: bool
    asked: bool
    whole: bool


@dataclass(frozen=True)
class Lexicon:
    """A language's words, compiled. They are looked for in flat text (see `flat`)."""

    words: Words
    learn: tuple[Rule, ...]
    named: tuple[Any, ...]
    ends: tuple[Any, ...]
    never: Any
    harmless: Any
    not_a_value: Any
    still_a_value: Any
    vague: Any
    low_mark: Any
    not_a_name: Any
    not_own_name: Any
    first_name: Any
    not_a_fact: Any
    not_after: Any
    not_a_message: Any
    planted: Any
    apart: Any
    turns: Any
    cut: Any
    filler: Any
    articles: Any
    many: Any
    ask: tuple[tuple[Asked, Any], ...]
    loose: tuple[Any, ...]
    over: tuple[Ending, ...]
    called_off: Any
    moved: tuple[Any, ...]
    moved_it: Any
    instead: tuple[Any, ...]
    others: Any
    unsure: Any
    forgetting: Any
    hello: Any
    idle: Any
    past: Any
    broad: Any
    lists: tuple[tuple[str, Any], ...]


def _compile(pattern: str, fragments: Mapping[str, str], *, bare: bool = True) -> Any:
    for name, fragment in fragments.items():
        pattern = pattern.replace(f"<{name}>", fragment)
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    options.max_mem = 64 << 20
    return re2.compile(flat(pattern) if bare else pattern, options)


@cache
def _read(name: str) -> Any:
    return yaml.load((WORDS / name).read_bytes(), Loader=yaml.CSafeLoader)


def _rank(about: Asked) -> int:
    """Wishes come first: "what i said i like, delete it" asks for nothing."""
    return WISHES.index(about) if about in WISHES else len(WISHES)


@cache
def _first_names() -> str:
    """A pattern of usual first names: "im nora" says a name where "im hungry" says none."""
    names = (WORDS / "first_names.txt").read_text(encoding="ascii").split()
    return f"(?P<value>(?:{'|'.join(names)})\\b)"


@cache
def lexicon(language: Language) -> Lexicon:
    """The patterns of a language. A file that does not check raises at once."""
    words = Words.model_validate(_read(f"{language}.yaml"))
    changes = _Changes.model_validate(_read("changes.yaml")[language])
    given = {**words.fragments, **changes.fragments}
    if len(given) < len(words.fragments) + len(changes.fragments):
        raise ValueError(f"changes.yaml names fragments that {language}.yaml has too")
    parts = dict(given)
    for before, text in given.items():  # a fragment may be made of others
        parts = {name: part.replace(f"<{before}>", text) for name, part in parts.items()}
    place = "|".join(words.places)
    for name, part in words.fragments.items():
        place = place.replace(f"<{name}>", part)
    parts |= {"first": _first_names(), "place": f"(?:{place})"}

    def one(pattern: str) -> Any:
        return _compile(pattern, parts)

    def as_written(patterns: list[str]) -> Any:
        """Not flat: where one begins anew, "e" (and) is not "é" (is)."""
        return _compile("|".join(f"(?:{pattern})" for pattern in patterns), parts, bare=False)

    def one_of(patterns: list[str]) -> Any:
        return one("|".join(f"(?:{pattern})" for pattern in patterns) or "$x")

    def whole(patterns: list[str]) -> Any:
        return one(rf"^\W*(?:{'|'.join(patterns)})\W*$")

    return Lexicon(
        words=words,
        learn=tuple(
            Rule(rule.kind, one(pattern), rule.dated, rule.again, rule.asked, rule.whole)
            for rule in words.learn
            for pattern in rule.any
        ),
        named=tuple(one(pattern) for pattern in words.named),
        ends=tuple(one(pattern) for pattern in words.ends),
        never=one_of(words.never),
        harmless=one_of(words.harmless),
        not_a_value=one_of(words.not_a_value),
        still_a_value=one_of(words.still_a_value),
        vague=one_of(words.vague),
        low_mark=one_of(words.low_mark),
        not_a_name=one_of(words.not_a_name),
        not_own_name=one_of(words.not_own_name),
        first_name=one_of(["^<first>$"]),
        not_a_fact=one_of(words.not_a_fact),
        not_after=one_of(words.not_after),
        not_a_message=one_of(words.not_a_message),
        planted=one_of(words.planted),
        apart=as_written(words.apart),
        turns=one_of(words.turns),
        cut=one_of(words.cut),
        filler=one_of(words.filler),
        articles=one(words.articles),
        many=one(words.many),
        ask=tuple(
            (rule.about, one(pattern))
            for rule in sorted((*words.ask, *changes.wishes), key=lambda rule: _rank(rule.about))
            for pattern in rule.any
        ),
        loose=tuple(one(pattern) for pattern in changes.loose),
        over=tuple(Ending(tuple(rule.of), one(pattern), rule.all) for rule in changes.over for pattern in rule.any),
        called_off=one_of(changes.called_off),
        moved=tuple(one(pattern) for pattern in changes.moved),
        moved_it=one_of(changes.moved_it),
        instead=tuple(one(pattern) for pattern in changes.instead),
        others=one(changes.others),
        unsure=one(changes.unsure),
        forgetting=one_of(words.forgetting),
        hello=whole(words.hello),
        idle=whole(words.idle),
        past=one_of(words.past),
        broad=one(rf"^\W*(?:\w{{1,3}} )?(?:<place>|{words.origins})\W*$"),
        lists=tuple((name, one(rf"\b<{name}>\b")) for name in LISTS),
    )


def warm() -> None:
    """Compile the patterns of every language, up to a second each, before somebody waits for them."""
    for language in LANGUAGES:
        lexicon(language)


def sentence(fact: Fact, language: Language, today: date | None = None) -> str:
    """The fact in plain words, said to the person. A plan whose day is over by `today` is told as past."""
    name: str = fact.kind
    day = ""
    if fact.kind == "pet" and not fact.value:
        name = "pet_unnamed"
    elif fact.kind == "plan" and fact.day is not None:
        name = "plan_past" if today is not None and fact.day < today else "plan_day"
        day = day_in_words(fact.day, language)
    return lexicon(language).words.sentences[name].format(value=fact.value, who=fact.who, day=day)
