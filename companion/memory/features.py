"""What the reranker sees of a candidate: its own words and sense, its neighbours', who said it, and what is asked for.

Numbers are brought to the same range whatever the index's size: a candidate is compared with the other candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from chatbot.core.encoder.values import Floats
from companion.memory.postings import Scored
from companion.memory.said import Named, Places, Talk, Truths
from companion.memory.terms import asked_of, dates_of

CLIPPED: Final = 6.0
AROUND: Final = (-2, -1, 1, 2)
BEFORE: Final = AROUND.index(-1)
# The order is the weights'.
NAMES: Final = (
    "stems", "stems_of_best", "share", "beginnings",
    "stems-2", "stems-1", "stems+1", "stems+2", "stems_asked_before", "stems_of_session",
    "sense", "sense_behind", "bare", "bare_behind",
    "sense-2", "sense-1", "sense+1", "sense+2", "sense_asked_before", "sense_of_session",
    "who", "calls_who", "dated",
    "length", "asks", "mentions_question", "first", "last", "names", "number", "time",
    "when_time", "count_number", "where_place", "where_names", "who_names", "why_reason",
)  # fmt: skip
SENSE: Final = tuple(place for place, name in enumerate(NAMES) if name.startswith(("sense", "bare")))


@dataclass(frozen=True)
class Asked:
    """A question, and what each document has of it. sense: cosines of all, None without vectors, not a number for a
    document without one."""

    words: tuple[str, ...]
    named: Named
    scored: Scored
    sense: Floats | None


@dataclass(frozen=True)
class _Seen:
    """The candidates, the turns around each (and whether they are of its session), and whether the one before asks."""

    talk: Talk
    places: Places
    around: list[tuple[Places, Truths]]
    asked_before: Floats


def features(asked: Asked, bare: Floats | None, talk: Talk, places: Places) -> Floats:
    """(candidates, numbers). bare: the candidates' cosines without their speakers' names."""
    around = [talk.neighbours(places, by) for by in AROUND]
    other, same = around[BEFORE]
    seen = _Seen(talk, places, around, (talk.asks[other] & same).astype(np.float32))
    columns = [
        *_by_words(asked, seen),
        *_by_sense(asked, bare, seen),
        *_by_people(asked, seen),
        *_by_shape(asked, seen),
    ]
    found = np.stack(columns, axis=1).astype(np.float32)
    return np.clip(np.nan_to_num(found), -CLIPPED, CLIPPED)


def _by_words(asked: Asked, seen: _Seen) -> list[Floats]:
    places, stems = seen.places, asked.scored.stems
    most = max(float(stems.max()), 1e-6)
    around = [stems[other] * same / most for other, same in seen.around]
    return [
        _compared(stems[places]),
        stems[places] / most,
        asked.scored.share[places],
        _compared(asked.scored.beginnings[places]),
        *around,
        around[BEFORE] * seen.asked_before,
        seen.talk.best_of_session(stems, places) / most,
    ]


def _by_sense(asked: Asked, bare: Floats | None, seen: _Seen) -> list[Floats]:
    sense, places = asked.sense, seen.places
    if sense is None:
        return [np.zeros(len(places), np.float32)] * len(SENSE)
    bare = np.full(len(places), np.nan, np.float32) if bare is None else bare
    own = sense[places]
    mean, spread, most = _moments(own)
    around = [(sense[other] - mean) / spread * same for other, same in seen.around]
    return [
        (own - mean) / spread,
        10 * (own - most),
        _compared(bare),
        10 * (bare - _moments(bare)[2]),
        *around,
        around[BEFORE] * seen.asked_before,
        (seen.talk.best_of_session(np.nan_to_num(sense), places) - mean) / spread,
    ]


def _by_people(asked: Asked, seen: _Seen) -> list[Floats]:
    talk, places, who = seen.talk, seen.places, asked.named.who
    said_by = calls = dated = np.zeros(len(places), np.float32)
    if len(who) == 1:
        said_by = (talk.who[places] == next(iter(who))).astype(np.float32) - 0.5
        calls = talk.calls(set(asked.words) - set(asked.named.words), places).astype(np.float32)
    months, years = dates_of(asked.words)
    if months or years:
        dated = np.array([_dated(float(at), months, years) for at in talk.at[places]], np.float32)
    return [said_by, calls, dated]


def _dated(at: float, months: frozenset[int], years: frozenset[int]) -> float:
    if np.isnan(at):
        return 0.0
    day = datetime.fromtimestamp(at, UTC)
    return float((not months or day.month in months) and (not years or day.year in years)) - 0.5


def _by_shape(asked: Asked, seen: _Seen) -> list[Floats]:
    length, asks, mentions, names, number, time, place, reason = seen.talk.shapes(seen.places).T
    kind, nothing = asked_of(asked.words), np.zeros(len(seen.places), np.float32)
    first, last = ((~seen.around[at][1]).astype(np.float32) for at in (BEFORE, BEFORE + 1))
    wanted = [("when", time), ("count", number), ("where", place), ("where", names), ("who", names), ("why", reason)]
    return [
        length, asks, mentions, first, last, names, number, time,
        *(values if kind == wants else nothing for wants, values in wanted),
    ]  # fmt: skip


def _compared(values: Floats) -> Floats:
    mean, spread, _ = _moments(values)
    return np.asarray((values - mean) / spread, np.float32)


def _moments(values: Floats) -> tuple[float, float, float]:
    """Mean, spread and the most, of the numbers among them."""
    there = values[~np.isnan(values)]
    if not len(there):
        return 0.0, 1.0, 0.0
    return float(there.mean()), float(there.std()) + 1e-3, float(there.max())
