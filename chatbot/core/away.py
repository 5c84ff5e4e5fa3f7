"""A server that does not answer: asked again after a few seconds, and said in the log once, not at every try."""

from __future__ import annotations

import structlog
from redis.exceptions import RedisError

from chatbot.core import clock

log = structlog.get_logger()

AGAIN_S = 5.0
SAID_S = 60.0
# Away, hung, full ("OOM"), read-only, still loading: to us it is all one.
ERRORS = (RedisError, OSError)


class Away:
    """Whether one part is away. While `is_now()`, don't ask it: each try would keep somebody waiting."""

    def __init__(self, part: str, *, again_s: float = AGAIN_S) -> None:
        self._part = part
        self._again_s = again_s
        self._until = 0.0
        self._said = -SAID_S
        self._missed = False

    def is_now(self) -> bool:
        """True for a few seconds after it failed."""
        return clock.monotonic() < self._until

    def wait_s(self) -> float:
        """How long until it may be asked again."""
        return max(0.0, self._until - clock.monotonic())

    def went(self, error: BaseException) -> None:
        """It failed just now."""
        now = clock.monotonic()
        self._until = now + self._again_s
        if not self._missed and now - self._said >= SAID_S:
            self._said = now
            log.warning("part_away", part=self._part, error=type(error).__name__)
        self._missed = True

    def back(self) -> None:
        """It answered just now."""
        if self._missed:
            self._missed, self._until = False, 0.0
            log.info("part_back", part=self._part)
