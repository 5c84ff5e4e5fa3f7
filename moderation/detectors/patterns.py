"""Pattern files, parsed and compiled: detectors/patterns, detectors/core (the wide net below), detectors/replies
(what may not be said to a teen) and detectors/signals.

Patterns run on normalised sentences. All patterns of a file are tried at once by RE2's filter, which looks for the
literal pieces that a pattern can't match without; only the candidates are run. So a chat message costs some tens of
microseconds per file, whatever the number of rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Generic, Literal, Protocol, TypeVar

import re2
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from moderation.taxonomy import CATEGORIES, PLAYBOOKS
from moderation.types import About, Language, Level

HERE: Final = Path(__file__).resolve().parent
PATTERNS: Final = HERE / "patterns"
CORE: Final = HERE / "core"
REPLIES: Final = HERE / "replies"
SIGNALS: Final = HERE / "signals"
_DEPTH: Final = 8
Words = Annotated[str, Field(min_length=1)]


class PatternError(Exception):
    """A pattern file can't be used. The sentence names the file, the rule and what is wrong."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    any: tuple[Words, ...] = Field(min_length=1)
    unless: tuple[Words, ...] = ()
    catches: tuple[Words, ...] = Field(min_length=3)
    spares: tuple[Words, ...] = Field(min_length=3)


class Rule(_Row):
    """What must never be missed, with sentences that it catches and spares."""

    category: str
    severity: int = Field(ge=1, le=4)
    level: Level | None = None
    about: About | None = None
    playbook: str | None = None
    side: Literal["message", "reply", "both"] = "message"

    @model_validator(mode="after")
    def _known(self) -> Rule:
        if self.category not in CATEGORIES:
            raise ValueError(f"unknown category {self.category}")
        if self.playbook is not None and self.playbook not in PLAYBOOKS:
            raise ValueError(f"unknown playbook {self.playbook}")
        return self


class Signal(_Row):
    """A sign that is no danger in itself: low mood, a goodbye, a joke frame, a change of topic."""

    signal: str = Field(pattern=r"^[a-z_]+$")


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    language: Language
    fragments: dict[str, str] = Field(default_factory=dict)

    def rows(self) -> Sequence[_Row]:
        raise TypeError("a file of rules or of signals")


class RuleFile(_File):
    """detectors/patterns/<lang>.yaml"""

    rules: tuple[Rule, ...] = Field(min_length=1)

    def rows(self) -> Sequence[_Row]:
        return self.rules


class SignalFile(_File):
    """detectors/signals/<lang>.yaml"""

    signals: tuple[Signal, ...] = Field(min_length=1)

    def rows(self) -> Sequence[_Row]:
        return self.signals


class _Loader(yaml.CSafeLoader):
    """YAML in which `no`, `on` and `12` are what people say, not truth values; only true and false are."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


T = TypeVar("T")
R = TypeVar("R", bound=_Row)
F = TypeVar("F", bound=_File)


class Matcher(Protocol):
    """A compiled pattern."""

    def search(self, text: str) -> object | None: ...


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False  # the error is raised; RE2 would print it to stderr as well
    options.never_capture = True
    options.max_mem = 32 << 20
    return options


def expand(pattern: str, fragments: dict[str, str]) -> str:
    """Put the fragments named <so> into a pattern. Raises KeyError for one that doesn't exist."""
    for _ in range(_DEPTH):
        out: list[str] = []
        rest, changed = pattern, False
        while True:
            start = rest.find("<")
            stop = rest.find(">", start)
            if start < 0 or stop < 0:
                out.append(rest)
                break
            name = rest[start + 1 : stop]
            named_group = start >= 2 and rest[start - 2 : start] in {"?P", "(?"}
            if named_group or not name.replace("_", "").isalnum() or not name[0].isalpha():
                out.append(rest[: start + 1])
                rest = rest[start + 1 :]
                continue
            out.append(f"{rest[:start]}(?:{fragments[name]})")
            rest, changed = rest[stop + 1 :], True
        pattern = "".join(out)
        if not changed:
            return pattern
    raise ValueError("fragments that name each other in a ring")


def _compile(file: str, row: _Row, pattern: str, fragments: dict[str, str], add: Callable[[str, Any], T]) -> T:
    """`add` makes something of the pattern, or raises re2.error."""
    try:
        return add(expand(pattern, fragments), _options())
    except (KeyError, ValueError) as error:
        raise PatternError(f"{file}: {row.id}: {error} in {pattern!r}") from None
    except re2.error as error:
        raise PatternError(f"{file}: {row.id}: {pattern!r} is no RE2 pattern: {error}") from None


class Book(Generic[R]):
    """The compiled rows of one file."""

    def __init__(self, rows: Iterable[R], *, fragments: dict[str, str], file: str) -> None:
        self.rows: tuple[R, ...] = tuple(rows)
        self._unless: list[tuple[Matcher, ...]] = []
        self._row_of: list[int] = []
        self._filter = re2.Filter()
        for number, row in enumerate(self.rows):
            for pattern in row.any:
                _compile(file, row, pattern, fragments, self._add)
                self._row_of.append(number)
            self._unless.append(tuple(_compile(file, row, pattern, fragments, re2.compile) for pattern in row.unless))
        if self._row_of:
            self._filter.Compile()

    def _add(self, pattern: str, options: Any) -> None:
        try:
            self._filter.Add(pattern, options)
        except re2.error:  # it doesn't say what is wrong
            re2.compile(pattern, options)
            raise

    def search(self, readings: Sequence[str]) -> list[tuple[R, bool]]:
        """Rows that a sentence matches, and whether their `unless` holds them back.

        `readings`: the same sentence, normalised, in each way that its repeated letters can be read. One reading is
        enough for a match, and one is enough to hold it back.
        """
        numbers: set[int] = set()
        for reading in readings:
            found = self._filter.Match(reading) if self._row_of else None
            if found:
                numbers.update(self._row_of[index] for index in found)
        return [(self.rows[number], self._held(number, readings)) for number in sorted(numbers)]

    def _held(self, number: int, readings: Sequence[str]) -> bool:
        return any(matcher.search(reading) is not None for matcher in self._unless[number] for reading in readings)


def _read(path: Path, kind: type[F]) -> tuple[F, str]:
    try:
        raw = path.read_bytes()
        parsed = kind.model_validate(yaml.load(raw, Loader=_Loader))  # noqa: S506  a SafeLoader with fewer truth values
    except FileNotFoundError:
        raise PatternError(f"{path.name}: the file is missing") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PatternError(f"{path.name}: can't be read: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PatternError(f"{path.name}: {where}: {first['msg']}") from None
    names = [row.id for row in parsed.rows()]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise PatternError(f"{path.name}: used twice: {', '.join(sorted(twice))}")
    return parsed, hashlib.sha256(raw).hexdigest()


def rules_read(language: Language, folder: Path = PATTERNS) -> tuple[RuleFile, str]:
    """The rules of a language and the hash of their file. Raises PatternError."""
    return _read(folder / f"{language}.yaml", RuleFile)


def signals_read(language: Language, folder: Path = SIGNALS) -> tuple[SignalFile, str]:
    """The signals of a language and the hash of their file. Raises PatternError."""
    return _read(folder / f"{language}.yaml", SignalFile)
