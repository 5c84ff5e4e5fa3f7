"""The written answers: crisis/texts/<lang>.yaml, parsed, and the law that they are held to.

`texts_read` refuses what can't be used at all. `faults` lists what breaks the law of the texts: tests and `doctor` show
it; a line that is a little too long must not take a language's crisis help away.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from moderation.taxonomy import PLAYBOOKS, QUESTIONS, SEQUENCES, SINGLES, SUICIDE
from moderation.types import Language

FOLDER: Final = Path(__file__).resolve().parent / "texts"
MOST_CHARS: Final = 240
Part = Literal["first", "second", "third", "stay"]
PARTS: Final[tuple[Part, ...]] = ("first", "second", "third", "stay")
Element = Literal[
    "acknowledge", "ask", "ai", "human", "barrier", "stay", "next_step", "emergency", "safety", "facts", "evidence",
    "report", "reassure", "no_blame", "offer", "decline",
]  # fmt: skip
Line = Annotated[str, Field(min_length=1)]


class TextsError(Exception):
    """The texts of a language can't be used."""


class Bubble(BaseModel):
    """One bubble: what it does, and the ways of saying it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    elements: tuple[Element, ...] = Field(min_length=1)
    variants: tuple[Line, ...] = Field(min_length=1)


class Playbook(BaseModel):
    """The written conversation of one danger, or the one answer of a lesser matter."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    first: tuple[Bubble, ...] = Field(min_length=1)
    second: tuple[Bubble, ...] = ()
    third: tuple[Bubble, ...] = ()
    stay: tuple[Bubble, ...] = ()

    def part(self, name: Part) -> tuple[Bubble, ...]:
        return {"first": self.first, "second": self.second, "third": self.third, "stay": self.stay}[name]

    def elements(self, *parts: Part) -> set[str]:
        return {element for name in parts for bubble in self.part(name) for element in bubble.elements}


class Texts(BaseModel):
    """All written answers of a language. `adult` stands for {adult} where the teen named nobody. safe, friend_safe:
    what can be tapped to leave a written conversation."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    language: Language
    author: str
    reviewer: str | None
    reviewed_on: date | None
    adult: str
    safe: Line
    friend_safe: Line
    playbooks: dict[str, Playbook]

    @model_validator(mode="after")
    def _complete(self) -> Texts:
        missing = sorted(set(PLAYBOOKS) - set(self.playbooks))
        if missing:
            raise ValueError(f"playbooks missing: {', '.join(missing)}")
        for name in SEQUENCES:
            if name not in QUESTIONS and not all(self.playbooks[name].part(part) for part in PARTS):
                raise ValueError(f"{name} needs first, second, third and stay")
        return self

    @property
    def signed(self) -> bool:
        """Reviewed, by whom and when: production refuses texts that are not, unless the operator accepts them."""
        return bool(self.reviewer) and self.reviewed_on is not None


def texts_read(language: Language, folder: Path = FOLDER) -> Texts:
    """The texts of a language. Raises TextsError."""
    path = folder / f"{language}.yaml"
    try:
        texts = Texts.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise TextsError(f"{path.name}: {error}") from None
    if texts.language != language:
        raise TextsError(f"{path.name}: is about {texts.language}")
    return texts


@lru_cache(maxsize=8)
def texts_of(language: Language, folder: Path = FOLDER) -> Texts:
    """The same, read once. Raises TextsError (and tries again at the next call)."""
    return texts_read(language, folder)


def filled(line: str, *, emergency: str, adult: str) -> str:
    """A line with its slots filled."""
    return line.replace("{emergency}", emergency).replace("{adult}", adult)


def faults(texts: Texts) -> Iterator[str]:
    """What breaks the law of the texts, one sentence each."""
    for name, playbook in texts.playbooks.items():
        yield from _shape(name, playbook)
        for part in PARTS:
            for bubble in playbook.part(part):
                for line in bubble.variants:
                    yield from _line(f"{name}.{part}", line, texts.adult)


def _line(where: str, line: str, adult: str) -> Iterator[str]:
    said = filled(line, emergency="112", adult=adult)
    if len(said) > MOST_CHARS:
        yield f"{where}: {len(said)} characters: {said}"
    if said.count("?") > 1:
        yield f"{where}: more than one question: {said}"
    if "{" in said or "}" in said:
        yield f"{where}: unknown slot: {said}"


def _shape(name: str, playbook: Playbook) -> Iterator[str]:
    if name in SINGLES:
        if len(playbook.first[0].variants) < 4:
            yield f"{name}: needs at least 4 variants"
        return
    if name in QUESTIONS:
        return
    if sum(len(bubble.variants) for bubble in playbook.stay) < 5:
        yield f"{name}.stay: needs at least 5 variants"
    if any(len(bubble.variants) < 2 for part in PARTS for bubble in playbook.part(part)):
        yield f"{name}: a bubble needs at least 2 variants"
    if name in SUICIDE.values() or name == "farewell_danger":
        missing = {"acknowledge", "ask", "ai", "human"} - playbook.elements("first")
        missing |= {"barrier", "stay", "next_step"} - playbook.elements("first", "second", "third")
        if missing:
            yield f"{name}: elements missing: {', '.join(sorted(missing))}"
    if name in {"suicide_L3", "suicide_L4"} and "emergency" not in playbook.first[0].elements:
        yield f"{name}: the first bubble must be the emergency"
