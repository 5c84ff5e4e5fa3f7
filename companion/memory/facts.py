"""Facts, and the words in which four languages say them: patterns and sentences from words/<language>.yaml."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import re2
import yaml
from pydantic import BaseModel, ConfigDict

from companion.types import Language

Kind = Literal["name", "like", "dislike", "pet", "person", "plan"]
KINDS: tuple[Kind, ...] = ("name", "pet", "person", "like", "dislike", "plan")
Asked = Literal["everything", "name", "pet", "person", "like", "dislike", "plan", "forget", "forget_all"]


@dataclass(frozen=True)
class Fact:
    """One remembered thing. who: "dog", "sister", ... for pets and people, else empty."""

    kind: Kind
    value: str
    who: str = ""

    def same_thing(self, other: Fact) -> bool:
        """Whether both say the same (to strengthen, not to store twice)."""
        return (self.kind, fold(self.who), fold(self.value)) == (other.kind, fold(other.who), fold(other.value))

    def replaces(self, other: Fact) -> bool:
        """Whether this one closes the other: one name; one name a pet or relative of that word; liking against not."""
        if self.kind == "name":
            return other.kind == "name"
        if self.kind in ("pet", "person"):
            return other.kind == self.kind and fold(other.who) == fold(self.who)
        return {self.kind, other.kind} == {"like", "dislike"} and fold(self.value) == fold(other.value)


class _Learn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Kind
    any: list[str]


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")
    about: Asked
    any: list[str]


class Words(BaseModel):
    """One language's file, checked.

    learn: what says a fact, by kind. never: words of 6.5, never kept. not_a_value, still_a_value: what makes no sense
    as a thing liked or planned, and exceptions. not_a_name: the same for names;
    not_own_name: for the person's own. not_a_fact: sentences that only look
    like facts. cut: where a value ends. ask: questions and wishes to memory. sentences, answers: what is said back.
    """

    model_config = ConfigDict(extra="forbid")
    fragments: Mapping[str, str]
    learn: list[_Learn]
    never: list[str]
    not_a_value: list[str]
    still_a_value: list[str]
    not_a_name: list[str]
    not_own_name: list[str]
    not_a_fact: list[str]
    cut: list[str]
    ask: list[_Ask]
    sentences: Mapping[str, str]
    answers: Mapping[str, list[str]]


@dataclass(frozen=True)
class Lexicon:
    """A language's words, compiled. They are looked for in flat text (see `flat`)."""

    words: Words
    learn: tuple[tuple[Kind, Any], ...]
    never: Any
    not_a_value: Any
    still_a_value: Any
    not_a_name: Any
    not_own_name: Any
    first_name: Any
    not_a_fact: Any
    cut: Any
    ask: tuple[tuple[Asked, Any], ...]


def fold(text: str) -> str:
    """Lower case without accents."""
    if text.isascii():
        return text.lower().strip()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).strip()


def flat(text: str) -> str:
    """The text without accents, letter by letter, so that places in it are places in the (NFC) text.

    Patterns and texts are matched flat: in RE2 an accented letter is no letter to `\\b`, so "mí" would have no end.
    """
    return text if text.isascii() else "".join(_bare(char) for char in text)


def _bare(char: str) -> str:
    if char.isascii():
        return char
    apart = unicodedata.normalize("NFD", char)
    return apart[0] if len(apart) > 1 and all(unicodedata.combining(mark) for mark in apart[1:]) else char


def _compile(pattern: str, fragments: Mapping[str, str]) -> Any:
    for name, fragment in fragments.items():
        pattern = pattern.replace(f"<{name}>", fragment)
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    options.max_mem = 32 << 20
    return re2.compile(flat(pattern), options)


@cache
def _first_names() -> str:
    """A pattern of usual first names: "im nora" says a name where "im hungry" says none."""
    names = (Path(__file__).parent / "words" / "first_names.txt").read_text(encoding="ascii").split()
    return f"(?P<value>(?:{'|'.join(names)})\\b)"


@cache
def lexicon(language: Language) -> Lexicon:
    """The patterns of a language. A file that does not check raises at once."""
    text = (Path(__file__).parent / "words" / f"{language}.yaml").read_text(encoding="utf-8")
    words = Words.model_validate(yaml.safe_load(text))
    parts = {**words.fragments, "first": _first_names()}

    def one_of(patterns: list[str]) -> Any:
        return _compile("|".join(f"(?:{pattern})" for pattern in patterns), parts)

    return Lexicon(
        words=words,
        learn=tuple((rule.kind, _compile(pattern, parts)) for rule in words.learn for pattern in rule.any),
        never=one_of(words.never),
        not_a_value=one_of(words.not_a_value),
        still_a_value=one_of(words.still_a_value),
        not_a_name=one_of(words.not_a_name),
        not_own_name=one_of(words.not_own_name),
        first_name=one_of(["^<first>$"]),
        not_a_fact=one_of(words.not_a_fact),
        cut=one_of(words.cut),
        ask=tuple((rule.about, _compile(pattern, parts)) for rule in words.ask for pattern in rule.any),
    )


def sentence(fact: Fact, language: Language) -> str:
    """The fact in plain words, said to the person."""
    return lexicon(language).words.sentences[fact.kind].format(value=fact.value, who=fact.who)
