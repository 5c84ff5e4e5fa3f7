"""What every family of guard models shares: what is asked, what was understood, and how a text is put into a prompt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from moderation.types import Exchanged, Side, Who

PROMPTS: Final = Path(__file__).parent / "prompts"
BEFORE: Final = 6  # earlier lines of the conversation that are read with the one that is judged
BEFORE_CHARS: Final = 400  # the end of each
MOST_CHARS: Final = 20_000  # of an answer; what is longer is no answer

_MARKUP: Final = re.compile(r"<(?=[|/A-Za-z_])")


class GuardError(Exception):
    """The guard gave no opinion. The message is for the operator, without a word of the conversation or the answer."""


@dataclass(frozen=True)
class Ask:
    """One question to the model. prompt: raw, special tokens and all, or messages for the model's own template (then
    `effort`, where set, is handed to it as `reasoning_effort`). tokens: of the answer, at most."""

    prompt: str | tuple[dict[str, str], ...]
    tokens: int = 64
    effort: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What an answer says. categories: ours (T01, T03, ...), none where it is safe. severity: 1 (doubtful) or 3."""

    categories: tuple[str, ...] = ()
    severity: int = 3


class Family(Protocol):
    """One kind of guard model. seconds: how long its answers may take by default."""

    @property
    def name(self) -> str: ...

    @property
    def seconds(self) -> float: ...

    def asks(self, text: str, before: Sequence[Exchanged], side: Side) -> tuple[Ask, ...]:
        """The questions about `text`, said after `before` (oldest first)."""
        ...

    def verdict(self, answers: Sequence[str], side: Side) -> Verdict:
        """What the answers say, one for each question. Raises GuardError for one that can't be read."""
        ...


def plain(text: str) -> str:
    """A text as one line that holds no special token and no frame of a prompt.

    DANGER: without this a message could end the conversation that is judged and write the verdict itself.
    """
    return _MARKUP.sub("‹", " ".join(text.encode("utf-8", "replace").decode("utf-8").split()))


def turns(text: str, before: Sequence[Exchanged], side: Side) -> list[tuple[Who, str]]:
    """The conversation as guard models were taught it: begins with the person, earlier lines of one speaker joined, the
    judged text last and by itself."""
    found: list[tuple[Who, str]] = []
    for line in before[-BEFORE:]:
        said = plain(line.text[-BEFORE_CHARS:])
        if found and found[-1][0] == line.who:
            found[-1] = (line.who, f"{found[-1][1]} {said}")
        elif line.who == "user" or (found and line.who == "companion"):
            found.append((line.who, said))
    return [*found, ("user" if side == "message" else "companion", plain(text))]


@cache
def template(name: str) -> str:
    """A prompt of prompts/, without its last line end."""
    return (PROMPTS / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")


def filled(name: str, **values: str) -> str:
    """A prompt with its places filled, all at once: what is filled in is never read as a place itself."""
    return re.sub(r"\{(\w+)\}", lambda place: values.get(place[1], place[0]), template(name))
