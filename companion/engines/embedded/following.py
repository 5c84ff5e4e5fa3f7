"""How well each line of the bank may follow what was said, beside all its other lines.

The next-turn scorer (next_turn.py) was trained on English dialogues; in the other languages it knows hardly more than
likeness does (bench.companion), so it is asked in English alone. Of 281 replies that a reader judged, those that fitted
better than 95 of 100 other lines made sense twice as often as the rest (62% and 30%).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chatbot.core.encoder import Floats
from companion.bank import Bank
from companion.bank.form import ACTS_ASKED_FOR
from companion.bank.slots import SLOT
from companion.engines.embedded.index import Hit
from companion.engines.embedded.next_turn import SHA256, NextTurn
from companion.engines.embedded.vectors import VectorCache
from companion.types import Language

KNOWN: frozenset[Language] = frozenset(("en",))
FOLLOWS_ON = 0.0  # standard deviations above the mean of all lines, under which a line hardly follows
BEST = 24  # lines of the whole bank
FIT_SHARE = 0.05  # of the likeness, for each standard deviation
Fit = Callable[[str], float]


def unknown(line_id: str) -> float:
    """Where nothing is known, no line fits better than another."""
    return 0.0


@dataclass(frozen=True)
class Followed:
    """fit: how many standard deviations above the mean of all lines each one fits. best: the ids of those that fit best
    and may follow anything. said: 384 floats, the scorer's vector of the message alone; None where nothing is known."""

    fit: Fit = unknown
    best: tuple[str, ...] = ()
    said: Floats | None = None


class Following:
    """Reads the bank's lines once, kept in the cache."""

    def __init__(self, bank: Bank, directory_cache: Callable[[Callable[[Sequence[str]], Floats]], VectorCache]) -> None:
        """directory_cache: gives the cache that reads what it has not by that function. Raises EncoderError."""
        self._scorer = NextTurn()
        cache = directory_cache(self._scorer.replies)
        # Not those of follow-ups: they are chosen by what they answer.
        lines = [line for exchange in bank.exchanges for line in (*exchange.replies, *exchange.otherwise)]
        self._rows: Mapping[str, int] = {line.id: at for at, line in enumerate(lines)}
        self._open = np.array([at for at, line in enumerate(lines) if bank.owners[line.id].act not in ACTS_ASKED_FOR])
        self._ids = [line.id for line in lines]
        texts = [str(SLOT.sub("it", line.text)) for line in lines]
        self._vectors = cache.vectors(f"next-{bank.language}-{SHA256[:8]}", texts)

    async def followed(self, said: Sequence[str]) -> Followed:
        """said: lines of both sides, oldest first, the message last. Raises EncoderError."""
        together, alone = await self._scorer.said(said)
        likely = self._vectors @ together
        scores = (likely - likely.mean()) / max(float(likely.std()), 1e-6)

        def of(line_id: str) -> float:
            row = self._rows.get(line_id)
            return 0.0 if row is None else float(scores[row])

        ranked = scores[self._open]
        best = self._open[np.argpartition(-ranked, BEST)[:BEST]] if len(ranked) > BEST else self._open
        return Followed(of, tuple(self._ids[at] for at in best.tolist()), alone)


def that_follow(hits: Sequence[Hit], fit: Fit, *, exact: float) -> list[Hit]:
    """The hits by likeness and by how well the best of their lines follows. One whose lines all follow badly is none,
    if it isn't this very message (exact: from which likeness it is)."""
    if fit is unknown:
        return list(hits)
    fits = {hit.exchange.id: max(fit(line.id) for line in hit.exchange.replies) for hit in hits}
    kept = [hit for hit in hits if hit.nearest >= exact or fits[hit.exchange.id] >= FOLLOWS_ON]
    return sorted(kept, key=lambda hit: (-(hit.score + FIT_SHARE * fits[hit.exchange.id]), hit.exchange.id))
