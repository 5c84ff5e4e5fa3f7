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
    """One language's file, checked."""

    model_config = ConfigDict(extra="forbid")
    fragments: Mapping[str, str]
    learn: list[_Learn]
    never: list[str]
    not_a_fact: list[str]
    cut: list[str]
    ask: list[_Ask]
    sentences: Mapping[str, str]
    answers: Mapping[str, list[str]]


@dataclass(frozen=True)
class Lexicon:
    """A language's words, compiled."""

    words: Words
    learn: tuple[tuple[Kind, Any], ...]
    never: Any
    not_a_fact: Any
    cut: Any
    ask: tuple[tuple[Asked, Any], ...]


def fold(text: str) -> str:
    """Lower case without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).strip()


def _compile(pattern: str, fragments: Mapping[str, str]) -> Any:
    for name, fragment in fragments.items():
        pattern = pattern.replace(f"<{name}>", fragment)
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    return re2.compile(pattern, options)


@cache
def lexicon(language: Language) -> Lexicon:
    """The patterns of a language. A file that does not check raises at once."""
    text = (Path(__file__).parent / "words" / f"{language}.yaml").read_text(encoding="utf-8")
    words = Words.model_validate(yaml.safe_load(text))
    parts = words.fragments

    def one_of(patterns: list[str]) -> Any:
        return _compile("|".join(f"(?:{pattern})" for pattern in patterns), parts)

    return Lexicon(
        words=words,
        learn=tuple((rule.kind, _compile(pattern, parts)) for rule in words.learn for pattern in rule.any),
        never=one_of(words.never),
        not_a_fact=one_of(words.not_a_fact),
        cut=one_of(words.cut),
        ask=tuple((rule.about, _compile(pattern, parts)) for rule in words.ask for pattern in rule.any),
    )


def sentence(fact: Fact, language: Language) -> str:
    """The fact in plain words, said to the person."""
    return lexicon(language).words.sentences[fact.kind].format(value=fact.value, who=fact.who)
