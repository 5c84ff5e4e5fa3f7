"""Plain values of the safety layer. No framework, no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Action = Literal["allow", "support", "warn", "refuse", "block", "crisis"]
Level = Literal["L0", "L1", "L2", "L3", "L4"]
Band = Literal["13-15", "16-17", "18+"]
Side = Literal["message", "reply"]
Language = Literal["en", "pt-BR", "es", "fr"]
About = Literal["self", "friend", "other"]
Who = Literal["user", "companion", "other"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "pt-BR", "es", "fr")
LEVELS: Final[tuple[Level, ...]] = ("L0", "L1", "L2", "L3", "L4")
UNSURE: Final = 0  # the severity of what is likelier to be harmless than not, and not likely enough to be called fine
LEARNED: Final = "classifier/"  # how the classifier's hits are called, before the category


def level_rank(level: str | None) -> int:
    """0 for none and L0, 4 for L4."""
    return int(level[1]) if level else 0


@dataclass(frozen=True)
class Exchanged:
    """One line of the conversation so far."""

    who: Who
    text: str


@dataclass(frozen=True)
class Span:
    """Characters [start, end) of the text as given, and what they are: one of detectors.personal.spans.KINDS."""

    start: int
    end: int
    type: str


@dataclass(frozen=True)
class Hit:
    """One rule or detector that spoke. `severity` 1-4 or UNSURE; `score` 0..1; `rule` names it for replays, panels."""

    rule: str
    category: str
    severity: int
    level: Level | None = None
    about: About | None = None
    playbook: str | None = None
    score: float = 0.0
    start: int = 0
    end: int = 0

    @property
    def learned(self) -> bool:
        """The classifier's guess, and no rule."""
        return self.rule.startswith(LEARNED)


@dataclass(frozen=True)
class SecondOpinion:
    """What an optional guard model said of a text. failed: it could not be asked or understood, so nothing is called
    fine; why is told to the operator and not kept here."""

    hits: tuple[Hit, ...] = ()
    failed: bool = False


@dataclass(frozen=True)
class Decision:
    """What policy says. `playbook`: the reply is written by people. `incident`: staff are to see it.

    low: no joke, tease, cheer or dare in the answer. policy: version of policy and rules. reason: why, for logs and
    replays; never a quotation. learned: nothing but the classifier's guess speaks. deniable: a no
    is to be heard. then: of a question whether it is
    so, the playbook that follows a yes.
    """

    action: Action
    severity: int = 0
    level: Level | None = None
    categories: tuple[str, ...] = ()
    playbook: str | None = None
    incident: bool = False
    about: About | None = None
    low: bool = False
    policy: str = ""
    reason: str | None = None
    learned: bool = False
    deniable: bool = False
    then: str = ""


@dataclass(frozen=True)
class Sequence:
    """Where a written conversation stands.

    step: replies given so far. changes: topic changes without a sign since the last sign. safe: they said that they are
    safe or with somebody. deniable: a no ends it. guessed: nothing but a guess began it, and nothing has spoken for it
    since. then: what follows a yes to a question; of `safe_now`, the conversation that was left.
    """

    playbook: str
    step: int = 0
    changes: int = 0
    safe: bool = False
    deniable: bool = False
    guessed: bool = False
    then: str = ""


@dataclass(frozen=True)
class Mark:
    """One sign of a pattern that unfolds over a conversation, and when it was seen."""

    kind: str
    at: datetime


@dataclass(frozen=True)
class WatchState:
    """What is held about a person's safety between messages. No words of theirs.

    level and signal_at: how serious it was, and the last message with a sign of danger. rises: when the level rose.
    cards: how many helpline cards were shown. said: names of written lines already used, newest last.
    low_streak: low messages in a row. lows: how low the last day was, one for each low message and two for one that
    gives up on everything. low_at: the last low message. denied_at: when they last
    said that a guess was wrong.
    """

    level: Level = "L0"
    signal_at: datetime | None = None
    rises: tuple[datetime, ...] = ()
    sequence: Sequence | None = None
    home_danger: bool = False
    low_streak: int = 0
    lows: int = 0
    low_at: datetime | None = None
    joked_at: datetime | None = None
    denied_at: datetime | None = None
    cards: int = 0
    said: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Screening:
    """The full screen of a message. scores: every category and `any`; spans: personal data in the text as given; hits:
    what policy decided about, for replays; failed: what could not look."""

    decision: Decision
    scores: Mapping[str, float]
    spans: tuple[Span, ...]
    language: Language
    watch: WatchState
    signals: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = ()
    failed: tuple[str, ...] = ()
