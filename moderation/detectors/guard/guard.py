"""The guard's opinion of one text: asked within a time, and left alone for a while when it fails again and again.

It is a guess, and only ever added to what rules and classifier found: severity 3 at most, never a level but L1 for T01
(so that somebody is asked), and never a crisis for another reason.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from moderation.detectors.guard.family import MOST_CHARS, Ask, Family, GuardError, Verdict
from moderation.detectors.rules import SCORES
from moderation.types import Exchanged, Hit, Level, Side

FAILS: Final = 3  # in a row, after which it is left alone
REST_S: Final = 60.0

# Where a higher severity of a message would be a crisis by itself (policy.yaml).
_MOST_ALONE: Final[Mapping[str, int]] = {"T09": 1, "T30": 1}

Generate = Callable[[Ask], Awaitable[str]]
"""Writes the model's answer to one question, greedily. May raise anything; GuardError's text reaches the operator."""


class Guard:
    """One guard model. `seconds`: how long all answers about one text may take together (default: the family's)."""

    def __init__(
        self,
        family: Family,
        generate: Generate,
        *,
        seconds: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.family = family
        self.seconds = family.seconds if seconds is None else seconds
        self.wrong: str | None = "it has not answered yet"  # why its last answer was none; None after a good one
        self._generate = generate
        self._now = now
        self._fails = 0
        self._rests_until = 0.0

    async def opinion(self, text: str, before: Sequence[Exchanged], side: Side) -> tuple[Hit, ...]:
        """Its hits on a text that was said after `before` (oldest first); none where it calls it safe.

        Raises GuardError when it is late, dies, or says what can't be read; and at once while it is left alone.
        """
        if not text.strip():
            return ()
        if self._now() < self._rests_until:
            raise GuardError(f"it is left alone for a minute, since {self.wrong}")
        try:
            verdict = await self._verdict(text, before, side)
        except Exception as error:
            self._fails += 1
            self.wrong = _reason(error, self.seconds)
            if self._fails >= FAILS:
                self._rests_until = self._now() + REST_S
            raise GuardError(self.wrong) from error
        self._fails, self.wrong = 0, None
        return _hits(verdict, side, len(text))

    async def _verdict(self, text: str, before: Sequence[Exchanged], side: Side) -> Verdict:
        answers: list[str] = []
        async with asyncio.timeout(self.seconds):
            for ask in self.family.asks(text, before, side):
                answer = await self._generate(ask)
                if not isinstance(answer, str) or len(answer) > MOST_CHARS:
                    raise GuardError("its answer is no text, or far too long")
                answers.append(answer)
        return self.family.verdict(answers, side)


def _reason(error: Exception, seconds: float) -> str:
    """For the operator. What an unknown error says may hold words of the conversation."""
    if isinstance(error, GuardError):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"there was no answer within {seconds:g} s"
    return f"it broke ({type(error).__name__})"


def _hits(verdict: Verdict, side: Side, length: int) -> tuple[Hit, ...]:
    """The verdict as hits over the whole text of `length` characters."""
    hits = []
    for category in verdict.categories:
        severity = min(verdict.severity, 3)
        level: Level | None = None
        if side == "message":
            severity = min(severity, _MOST_ALONE.get(category, 3))
            if category == "T01":
                severity, level = 3, "L1"
        hits.append(Hit(f"guard/{category}", category, severity, level=level, score=SCORES[severity], end=length))
    return tuple(hits)
