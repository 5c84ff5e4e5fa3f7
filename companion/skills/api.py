"""What a skill is: a card that says who it is and what wakes it, and a small state machine that answers.

A skill gets values and gives values. It sees the message, its own state and what its permissions open; it has no
network, no file and no database, and its words pass the safety layer like any reply. See docs/skills.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from companion.types import Band, Language, Mood, Recalled

Permission = Literal["memory", "timer"]
Sign = Literal["yes", "no", "kind_of", "dont_know", "more"]
State = Mapping[str, Any]
"""What a skill keeps between two messages: JSON, at most 16 KiB."""


@dataclass(frozen=True)
class Introduction:
    """The skill in one language. wakes: ways in which a teenager asks for it; of those with one or two words each
    counts only as the whole message. chip: the tap that asks for it. alone: longer ones that nothing may follow. names:
    what is asked for in other words ("say me one of those riddles"), after a word that asks."""

    title: str
    about: str
    wakes: tuple[str, ...]
    chip: str
    alone: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """Who the skill is. permissions: `memory` hands it the person's name and what was recalled, `timer` their local
    time. plain: offered in plain mode too. low: may answer a low, unsure or flagged message. game: offered to somebody
    who wants to play; a helper isn't."""

    name: str
    languages: Mapping[Language, Introduction]
    permissions: frozenset[Permission] = frozenset()
    plain: bool = True
    low: bool = False
    game: bool = True


@dataclass(frozen=True)
class Heard:
    """One message. sign: what it says, if it is nothing but a yes, a no ... seed: makes choices repeatable, differs
    from turn to turn. at: the person's local time, name and memories: only with the permission."""

    text: str
    language: Language
    band: Band
    seed: int
    sign: Sign | None = None
    low: bool = False
    plain: bool = False
    at: datetime | None = None
    name: str | None = None
    memories: tuple[Recalled, ...] = ()


@dataclass(frozen=True)
class Say:
    """One bubble. id: names the written line that it is, where no word of the teen's is in it. theirs: the teen's own
    words in a written line, as they stand there; they are judged as the message that they were."""

    text: str
    id: str | None = None
    theirs: tuple[str, ...] = ()

    @property
    def written(self) -> bool:
        """Whether all but the teen's words was written by people."""
        return self.id is not None or bool(self.theirs)


@dataclass(frozen=True)
class Made:
    """Something that was made together, for the shelf. kind: story, word."""

    kind: str
    title: str
    text: str


@dataclass(frozen=True)
class Answer:
    """state: to be handed in with the next message; None ends the game. kept: what stays when it is over (None: as it
    was). rest: put away where it is, until it is asked for again. chips: at most three taps of 24 characters.
    drawing: one of the companion's own (companion/personas/drawings.yaml), sent with the last bubble."""

    says: tuple[Say, ...]
    state: State | None
    kept: State | None = None
    chips: tuple[str, ...] = ()
    made: Made | None = None
    rest: bool = False
    mood: Mood | None = None
    drawing: str = ""


class Skill(ABC):
    """Raising or thinking for half a second puts the game away; the companion goes on without it.

    saves: what is left in the middle can be gone on with another day. patient: it stays where it is while other things
    are talked about.
    """

    card: Card
    saves: ClassVar[bool] = False
    patient: ClassVar[bool] = False

    @abstractmethod
    def begin(self, heard: Heard, kept: State) -> Answer:
        """It was asked for. kept: what stayed from earlier games; empty where nothing may be remembered."""

    @abstractmethod
    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        """The next message. None: this one is not meant for the game."""

    def resume(self, heard: Heard, state: State, kept: State) -> Answer:
        """It is asked for again, having been put away in the middle."""
        return self.begin(heard, kept)

    def leave(self, heard: Heard, state: State) -> Say | None:
        """Its own last word when the person wants out; None leaves it to the house."""
        return None

    def overhears(self, heard: Heard, kept: State) -> Answer | None:
        """A message that nobody asked it about, while nothing is played and something is kept: a word that was taught
        comes up. None almost always."""
        return None


@dataclass(frozen=True)
class Playing:
    """One skill as a person left it. active: the next message is meant for it. missed: so many in a row were not.
    language: in which it is played."""

    skill: str
    state: State | None = None
    kept: State = field(default_factory=dict)
    active: bool = False
    missed: int = 0
    language: Language = "en"
