"""Plain values that cross the borders of the companion. No framework, no numpy: tuples of float."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Language = Literal["en", "pt-BR", "es", "fr"]
Band = Literal["13-15", "16-17", "18+"]
Mood = Literal["sunny", "curious", "silly", "calm"]
Tone = Literal["plain", "warm", "joke", "tease", "cheer", "dare"]
Who = Literal["user", "companion"]
PersonaId = Literal["classic", "spark", "owl", "moss", "pixel", "biscuit"]

# What a message is about, and what it does with it (companion/engines/embedded/understanding.py).
About = Literal[
    "friends", "family", "siblings", "grandparents", "pets", "crushes", "school", "exams", "homework", "sport", "games",
    "music", "performing", "screen", "books", "writing", "making", "coding", "food", "sleep", "looks", "health",
    "weather", "travel", "phone", "home", "money", "parties", "future", "self", "boredom", "animals", "languages",
    "outdoors", "fails", "companion", "world", "anything",
]  # fmt: skip
Does = Literal[
    "good", "bad", "gripe", "plain", "plans", "opinion", "asks_you", "asks_fact", "asks_advice",
    "reacts", "answers", "requests", "complains", "teases",
]  # fmt: skip

ABOUTS: tuple[About, ...] = get_args(About)
DOES: tuple[Does, ...] = get_args(Does)
LANGUAGES: tuple[Language, ...] = ("en", "pt-BR", "es", "fr")
BANDS: tuple[Band, ...] = ("13-15", "16-17", "18+")
PERSONAS: tuple[PersonaId, ...] = ("classic", "spark", "owl", "moss", "pixel", "biscuit")
TONES: tuple[Tone, ...] = get_args(Tone)
MOODS: tuple[Mood, ...] = ("sunny", "curious", "silly", "calm")


@dataclass(frozen=True)
class Line:
    """One bubble of a conversation. `line_id` names the bank's line where the companion's words came from it, `drawing`
    what was sent with it."""

    who: Who
    text: str
    line_id: str | None = None
    drawing: str = ""


@dataclass(frozen=True)
class Sliders:
    """What the teen set: each 0.0 (not at all) to 1.0 (very)."""

    playful: float = 0.5
    curious: float = 0.5
    gentle: float = 0.5


@dataclass(frozen=True)
class Persona:
    """Who the companion is for this person. `name` is the teen's choice, and so is `id`: whose voice it has."""

    id: PersonaId = "classic"
    name: str = "Abraço"
    sliders: Sliders = field(default_factory=Sliders)


@dataclass(frozen=True)
class Recalled:
    """A memory handed to the prompt. `score` is 0..1; `since` is an ISO date; `slots` are pieces a line may use."""

    id: str
    kind: str
    text: str
    slots: Mapping[str, str]
    score: float
    since: str


@dataclass(frozen=True)
class Told:
    """What this very message tells by name. kind: "name" (the teen's own), "pet" or "person"; who: "dog", "sister"."""

    kind: str
    value: str
    who: str = ""


@dataclass(frozen=True)
class Prompt:
    """Everything an engine may know when it answers.

    history: oldest first, without `text`, the message to answer. vector: 384 floats of unit length, or None.
    low: the message was low, unsure or flagged, so jokes, teases, cheers and dares are out.
    plain: plain mode, no friendship talk and no unprompted question about feelings.
    seed: makes choices repeatable; differs from turn to turn.
    told: names said in this message, whatever memory keeps. leaves: there is a goodbye in it.
    recalls: what is remembered may come up by itself; else only where the message names it.
    passed: what answered this message before another answer was asked for: not again, where there is something else.
    """

    text: str
    language: Language
    band: Band
    history: tuple[Line, ...] = ()
    persona: Persona = field(default_factory=Persona)
    mood: Mood = "sunny"
    memories: tuple[Recalled, ...] = ()
    vector: tuple[float, ...] | None = None
    low: bool = False
    plain: bool = False
    seed: int = 0
    person: str | None = None
    told: tuple[Told, ...] = ()
    leaves: bool = False
    recalls: bool = True
    passed: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Delta:
    """A piece of a reply. `mood`, `chips` (suggestions) and a `drawing` may come with any piece; the last one wins.
    `end`: there is nothing more to say. A stream that stops without it was cut, maybe in the middle of a sentence."""

    text: str
    line_id: str | None = None
    mood: Mood | None = None
    chips: tuple[str, ...] = ()
    drawing: str = ""
    end: bool = False


@dataclass(frozen=True)
class Limits:
    """Bounds of one reply: characters, and seconds from the first call to the last piece."""

    max_chars: int = 1200
    deadline_s: float = 60.0


@dataclass(frozen=True)
class ModelCard:
    """What /about/ says of an engine."""

    name: str
    kind: str
    source: str
    licence: str
    languages: tuple[str, ...]
    note: str = ""
