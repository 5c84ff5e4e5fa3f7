"""From tags to what a message tells: spans of whole words, names with who bears them, plans with their day, and what is
seen of each by which its chance is judged. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from chatbot.core.encoder.values import Floats
from companion.memory.dates import When
from companion.memory.facts import KINDS
from companion.memory.tokens import Place, Tokens
from companion.types import LANGUAGES, Language

# Beside the kinds: what is over, another day for a plan that isn't named, what is to be forgotten.
WISHES: Final = ("over", "moved", "forget", "forget_last")
ABOUT: Final = ("pet", "person", "favourite")  # of these it is also said what or who they are
CHANNELS: Final = (*KINDS, *WISHES, *(f"{kind}.who" for kind in ABOUT))
OUTSIDE, BEGIN, INSIDE = range(3)
LEAST, LEAST_WHO = 0.5, 0.3  # what a word needs to be taken along
BEGINS: Final = 0.3  # of what a word has, how much must be a beginning
NEAR: Final = 120  # letters between a name and who bears it
MOST_LINKED: Final = 4  # names and bearers that are paired in the best of all ways; of more, each has the nearest
EDGES: Final = " ,.;:!?-–—\"'«»“”()*~…"
_ODDS: Final = 1e-4
_NUMBERS: Final = (
    "mean", "least", "begins", "after", "before", "other", "with_who", "agreed", "alike", "clash", "words", "length",
    "asks", "quotes", "spans", "who", "ends", "starts", "sung",
)  # fmt: skip
SORTS: Final = (*KINDS, *WISHES, "pet.bare", "pet.unnamed", "favourite.bare", "plan.undated")
SEEN: Final = (*_NUMBERS, *SORTS, *(f"{sort} mean" for sort in SORTS), *LANGUAGES)


@dataclass(frozen=True)
class Span:
    """A piece of the text that tells something. sure: from 0 to 1."""

    channel: str
    start: int
    end: int
    sure: float

    def apart(self, other: Span) -> int:
        """Letters between them; 0 where they touch."""
        return max(other.start - self.end, self.start - other.end, 0)


@dataclass(frozen=True, eq=False)
class Window:
    """A message, or as much of it as the encoder reads at once. tags: (tokens, channels, 3). said: where the patterns
    found something, by channel."""

    text: str
    language: Language
    tokens: Tokens
    tags: Floats
    said: Sequence[tuple[str, Place]]


@dataclass(frozen=True, eq=False)
class Told:
    """A thing told. kind: of a fact, or a wish. seen: (SEEN,), what speaks for and against it."""

    kind: str
    value: str
    who: str
    day: date | None
    span: Span
    seen: Floats


def told_in(window: Window, times: Sequence[When]) -> Iterator[Told]:
    """times: those that the text names."""
    spans = spans_in(window)
    for kind in ABOUT:
        names = [span for span in spans if span.channel == kind]
        bearers = [span for span in spans if span.channel == f"{kind}.who"]
        linked = _linked(names, bearers)
        for name in names:
            bearer = linked.get(name)
            if bearer is not None or kind != "person":  # a name alone is nobody to the writer yet
                yield _told(window, spans, name, bearer, None)
        if kind == "pet" and not names:
            for bearer in bearers:
                yield _told(window, spans, bearer, bearer, None)
    for span in spans:
        if span.channel in ABOUT or span.channel.endswith(".who"):
            continue
        day = _day(span, times) if span.channel in ("plan", "moved") else None
        if day is not None or span.channel != "moved":
            yield _told(window, spans, span, None, day)


def spans_in(window: Window) -> list[Span]:
    """In the order of the text. How sure: the geometric mean of its words."""
    words = [list(group) for _, group in itertools.groupby(_real(window.tokens), key=lambda at: window.tokens.of[at])]
    if not words:
        return []
    tags = np.stack([window.tags[word].mean(0) for word in words])
    begins = np.stack([window.tags[word[0], :, BEGIN] for word in words])
    inside = 1 - tags[:, :, OUTSIDE]
    found: list[Span] = []
    for number, channel in enumerate(CHANNELS):
        least = LEAST_WHO if channel.endswith(".who") else LEAST
        taken = inside[:, number] >= least
        starts = taken & (begins[:, number] >= BEGINS * inside[:, number])
        goes_on = taken & (tags[:, number, INSIDE] > tags[:, number, BEGIN])
        at = 0
        while at < len(words):
            end = at + 1
            if starts[at]:
                while end < len(words) and goes_on[end]:
                    end += 1
                sure = math.exp(float(np.log(inside[at:end, number]).mean()))
                place = _trimmed(window, words[at][0], words[end - 1][-1])
                if place[1] > place[0]:
                    found.append(Span(channel, *place, sure))
            at = end
    return sorted(found, key=lambda span: span.start)


def _real(tokens: Tokens) -> list[int]:
    return [at for at, (start, end) in enumerate(tokens.places) if end > start]


def _trimmed(window: Window, first: int, last: int) -> Place:
    start, end = window.tokens.places[first][0], window.tokens.places[last][1]
    while start < end and window.text[start] in EDGES:
        start += 1
    while end > start and window.text[end - 1] in EDGES:
        end -= 1
    return start, end


def _linked(names: Sequence[Span], bearers: Sequence[Span]) -> Mapping[Span, Span]:
    """Each name with who bears it: pairs that are nearest all together; names that are left over share ("my friends dev
    and luca")."""
    found: dict[Span, Span] = {}
    if names and bearers and max(len(names), len(bearers)) <= MOST_LINKED:
        count = min(len(names), len(bearers))
        ways = (
            list(zip(some, others, strict=True))
            for some in itertools.combinations(names, count)
            for others in itertools.permutations(bearers, count)
        )
        found.update(min(ways, key=lambda way: sum(name.apart(bearer) for name, bearer in way)))
    for name in names:
        nearest = min(bearers, key=name.apart, default=None)
        if name not in found and nearest is not None:
            found[name] = nearest
    return {name: bearer for name, bearer in found.items() if name.apart(bearer) <= NEAR}


def _told(window: Window, spans: Sequence[Span], span: Span, bearer: Span | None, day: date | None) -> Told:
    kind = span.channel.partition(".")[0]
    unnamed = span is bearer
    value = "" if unnamed else window.text[span.start : span.end]
    who = "" if bearer is None else " ".join(window.text[bearer.start : bearer.end].lower().split())
    sort = kind
    if unnamed:
        sort = "pet.unnamed"
    elif kind in ("pet", "favourite") and bearer is None:
        sort = f"{kind}.bare"
    elif kind == "plan" and day is None:
        sort = "plan.undated"
    return Told(kind, value, who, day, span, _seen(window, spans, span, None if unnamed else bearer, sort))


def _seen(window: Window, spans: Sequence[Span], span: Span, bearer: Span | None, sort: str) -> Floats:
    """In the order of SEEN."""
    text, channel = window.text, CHANNELS.index(span.channel)
    own = [
        at for at, (start, end) in enumerate(window.tokens.places) if start < end <= span.end and start >= span.start
    ]
    own = own or [0]
    inside = 1 - window.tags[:, :, OUTSIDE]
    here = inside[own, channel]
    others = [number for number, name in enumerate(CHANNELS) if number != channel and not name.endswith(".who")]
    said = [(name, place) for name, place in window.said if place[0] < span.end and span.start < place[1]]
    mean = _odds(math.exp(float(np.log(np.maximum(here, _ODDS)).mean())))
    numbers = (
        mean,
        _odds(float(here.min())),
        _odds(float(window.tags[own[0], channel, BEGIN])),
        float(inside[own[-1] + 1, channel]) if own[-1] + 1 < len(inside) else 0.0,
        float(inside[own[0] - 1, channel]) if own[0] else 0.0,
        float(inside[own][:, others].mean(0).max()),
        _odds(span.sure * (bearer.sure if bearer else 1.0)),
        any(name == span.channel for name, _ in said),
        any(name == span.channel and place == (span.start, span.end) for name, place in said),
        any(name != span.channel and not name.endswith(".who") for name, _ in said),
        math.log1p(len(text.split())),
        math.log1p(len(text[span.start : span.end].split())),
        "?" in text,
        '"' in text,
        len(spans) / 5,
        bearer is not None,
        span.end >= len(text) - 2,
        span.start == 0,
        "♪" in text or "🎶" in text,
    )
    of_sort = [float(sort == one) for one in SORTS]
    return np.array(
        [*numbers, *of_sort, *(mean * one for one in of_sort), *(float(window.language == one) for one in LANGUAGES)],
        np.float32,
    )


def _odds(chance: float) -> float:
    return math.log(max(chance, _ODDS) / max(1 - chance, _ODDS))


def _day(span: Span, times: Sequence[When]) -> date | None:
    """Of the time that has a day and stands nearest, the first of two."""
    near = [(max(one.start - span.end, span.start - one.end, 0), one.start, one.day) for one in times if one.day]
    return min(near)[2] if near else None
