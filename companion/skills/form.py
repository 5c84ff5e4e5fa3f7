"""The YAML format of a skill's file, one language each, parsed at the door. docs/skills.md says what each field means.

Every scalar is read as a string (`no` is a word that teenagers write, not a boolean).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from companion.types import Band

CHIP, LINE, BUBBLE = 24, 220, 280  # characters
DEPTH = 20
ID = r"^[a-z0-9]+([-_][a-z0-9]+)*$"
NAME = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"


def _listed(value: Any) -> Any:
    """An empty field and a single string are both lists in spirit."""
    if value == "" or value is None:
        return []
    return [value] if isinstance(value, str | dict) else value


Chip = Annotated[str, Field(min_length=1, max_length=CHIP)]
Line = Annotated[str, Field(min_length=1, max_length=LINE)]
Lines = Annotated[tuple[Line, ...], BeforeValidator(_listed)]
Bubbles = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=BUBBLE)], ...],
    BeforeValidator(_listed),
    Field(min_length=1, max_length=3),
]
Phrase = Annotated[str, Field(min_length=1, max_length=60)]
Phrases = Annotated[tuple[Phrase, ...], BeforeValidator(_listed)]
SomePhrases = Annotated[Phrases, Field(min_length=1)]
Id = Annotated[str, Field(pattern=ID, max_length=40)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeadForm(_Strict):
    """What every file begins with. low: it may go on after a low or flagged message. plain: it is offered in plain
    mode too. alone: wakes that nothing may follow ("would you rather", but not "would you rather have a tail?").
    names: words for it that wake it after a word that asks ("ok now say us one more RIDDLE").
    game: it is offered to somebody who wants to play."""

    skill: Annotated[str, Field(pattern=NAME, max_length=32)]
    kind: Literal["rounds", "scenes", "lines"]
    title: Chip
    about: Annotated[str, Field(min_length=1, max_length=90)]
    chip: Chip | None = None
    wakes: Phrases = ()
    alone: Phrases = ()
    names: Phrases = ()
    game: bool = True
    low: bool = False
    plain: bool = True


class OptionForm(_Strict):
    """One of the answers that a round offers. right: it is the true one, where one is."""

    said: SomePhrases
    chip: Chip
    reply: Line
    right: bool = False


class RoundForm(_Strict):
    id: Id
    ask: Line
    answers: Phrases = ()
    hint: Line | None = None
    reveal: Line | None = None
    options: Annotated[tuple[OptionForm, ...], BeforeValidator(_listed), Field(max_length=3)] = ()
    otherwise: Line | None = None
    band: Annotated[tuple[Band, ...], BeforeValidator(_listed)] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.options:
            if len(self.options) < 2 or self.otherwise is None:
                raise ValueError(f"the round {self.id!r} needs two or three options and an `otherwise`")
            if self.answers or self.reveal or self.hint:
                raise ValueError(f"the round {self.id!r} has options, so no answers, hint or reveal")
        elif self.reveal is None:
            raise ValueError(f"the round {self.id!r} needs a `reveal` or `options`")
        return self


class RoundsSay(_Strict):
    right: Lines = ()
    wrong: Lines = ()
    give_up: Lines = ()
    another: Annotated[Lines, Field(min_length=1)]
    end: Annotated[Lines, Field(min_length=1)]
    empty: Annotated[Lines, Field(min_length=1)]


class RoundsForm(HeadForm):
    """Question after question, each with an answer, with options, or with a punchline."""

    kind: Literal["rounds"]
    chip: Chip
    start: Lines = ()
    say: RoundsSay
    more: Chip
    rounds: Annotated[tuple[RoundForm, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _once("round", [one.id for one in self.rounds])
        if any(one.answers for one in self.rounds) and not (self.say.right and self.say.wrong and self.say.give_up):
            raise ValueError("rounds with `answers` need lines under say: right, wrong and give_up")
        for one in self.rounds:
            _apart(f"the round {one.id!r}", [option.said for option in one.options])
        return self


class ChoiceForm(_Strict):
    said: SomePhrases
    chip: Chip
    to: Id


class SceneForm(_Strict):
    """One scene. Where it goes on: by `choices`, by anything that is said (`any`), by what is said and kept (`keeps`,
    `to`, `unkept`), or nowhere: it is an `ending`. pause: of two choices the second leaves it there for another day."""

    title: Annotated[str, Field(max_length=60)] | None = None
    say: Bubbles
    choices: Annotated[tuple[ChoiceForm, ...], BeforeValidator(_listed), Field(max_length=3)] = ()
    any: Id | None = None
    chip: Chip | None = None
    keeps: Annotated[str, Field(pattern=NAME, max_length=20)] | None = None
    to: Id | None = None
    unkept: Annotated[str, Field(max_length=30)] | None = None
    ending: Annotated[str, Field(max_length=60)] | None = None
    pause: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ways = [bool(self.choices), self.any is not None, self.keeps is not None, self.ending is not None]
        if sum(ways) != 1:
            raise ValueError("a scene goes on by exactly one of choices, any, keeps and ending")
        if self.keeps is not None and (self.to is None or self.unkept is None):
            raise ValueError("a scene with `keeps` needs `to` and `unkept`")
        if self.choices and len(self.choices) < 2:
            raise ValueError("a scene offers two or three choices")
        if self.pause and len(self.choices) != 2:
            raise ValueError("a scene with `pause` has two choices: to go on, and to leave it there")
        _apart("a scene", [choice.said for choice in self.choices])
        return self

    def nexts(self) -> tuple[str, ...]:
        """The scenes that may follow."""
        given = (*(choice.to for choice in self.choices), self.any, self.to)
        return tuple(scene for scene in given if scene is not None)


class ScenesSay(_Strict):
    lost: Annotated[Lines, Field(min_length=1)]
    end: Annotated[Lines, Field(min_length=1)]


class ScenesForm(HeadForm):
    """Scenes that lead to each other by what the teen chooses."""

    kind: Literal["scenes"]
    chip: Chip
    start: Annotated[tuple[Id, ...], BeforeValidator(_listed), Field(min_length=1)]
    shelf: Literal["story"] | None = None
    say: ScenesSay
    scenes: Annotated[Mapping[Id, SceneForm], Field(min_length=2)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for name, scene in (*((name, self.scenes.get(name)) for name in self.start), *self.scenes.items()):
            if scene is None:
                raise ValueError(f"`start` names {name!r}, which is no scene")
            for to in scene.nexts():
                if to not in self.scenes:
                    raise ValueError(f"the scene {name!r} leads to {to!r}, which is no scene")
        return self


class LinesForm(HeadForm):
    """The lines of a skill that is coded. A coded skill has a form of its own: `slots` says which keys there must be,
    and which slots each may have."""

    kind: Literal["lines"]
    lines: Mapping[str, Annotated[Lines, Field(min_length=1)]]
    slots: ClassVar[Mapping[str, frozenset[str]]] = {}

    @model_validator(mode="after")
    def _keys(self) -> Self:
        missing, unknown = sorted(set(self.slots) - set(self.lines)), sorted(set(self.lines) - set(self.slots))
        if missing or unknown:
            said = [f"{', '.join(keys)}: {what}" for keys, what in ((missing, "missing"), (unknown, "unknown")) if keys]
            raise ValueError(f"under `lines`: {'; '.join(said)}")
        return self


def _once(what: str, ids: list[str]) -> None:
    for one in ids:
        if ids.count(one) > 1:
            raise ValueError(f"the {what} {one!r} stands {ids.count(one)} times")


def _apart(where: str, groups: list[tuple[str, ...]]) -> None:
    """No phrase leads to two places."""
    seen: set[str] = set()
    for phrases in groups:
        both = seen & {phrase.casefold() for phrase in phrases}
        if both:
            raise ValueError(f"{where} has {sorted(both)[0]!r} under `said` twice")
        seen |= {phrase.casefold() for phrase in phrases}


def _line_of(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1


def yaml_read(content: bytes) -> Any:
    """What stands in the file, all of it strings; None for an empty one. Raises yaml.YAMLError, whose text names the
    line. Built from what the parser tells, in one go: PyYAML's own way over nodes takes three times as long."""
    found: list[Any] = []
    inside: list[list[Any]] = []  # of each list or mapping that is open: what stood in it so far
    for event in yaml.parse(content, Loader=yaml.CBaseLoader):
        if isinstance(event, yaml.ScalarEvent):
            value: Any = event.value
        elif isinstance(event, yaml.CollectionStartEvent):
            inside.append([])
            # What is nested without end breaks the process, what repeats itself fills it.
            if len(inside) > DEPTH:
                raise yaml.YAMLError(f"line {_line_of(event)}: nested deeper than {DEPTH}")
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            value = inside.pop()
            if isinstance(event, yaml.MappingEndEvent):
                value = _mapping(value, event)
        elif isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError(f"line {_line_of(event)}: an alias (*name), which a skill has no use for")
        else:
            if found and isinstance(event, yaml.DocumentStartEvent):
                raise yaml.YAMLError(f"line {_line_of(event)}: another document begins")
            continue
        (inside[-1] if inside else found).append(value)
    return found[0] if found else None


def _mapping(parts: list[Any], end: yaml.Event) -> dict[str, Any]:
    for key in parts[::2]:
        if not isinstance(key, str):
            raise yaml.YAMLError(f"line {_line_of(end)}: what stands before a colon is no word")
    return dict(zip(parts[::2], parts[1::2], strict=True))
