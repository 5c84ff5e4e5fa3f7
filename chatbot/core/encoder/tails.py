"""The ends of the last texts that were read, so that what reads several lines side by side reads each of them once."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from typing import Final

from chatbot.core.encoder.values import Encoded, Floats

TAIL_TOKENS: Final = 64
_SECRET: Final = secrets.token_bytes(16)


def tail_of(encoded: Encoded) -> Floats:
    """What is kept of a text to be read with later ones: (at most 64, 384). A copy: the rest of its batch goes."""
    return encoded.hidden[-1][-TAIL_TOKENS:].copy()


class Tails:
    """The ends of the last texts, as the trunk gave them, so that a conversation's lines are not read again with every
    message. In this process's memory only, at most so many, and none for longer than a quarter of an hour."""

    MOST: Final = 512
    SECONDS: Final = 900.0

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[float, Floats]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, text: str) -> Floats | None:
        with self._lock:
            found = self._kept.get(_key(text))
        return found[1] if found is not None and time.monotonic() - found[0] < self.SECONDS else None

    def keep(self, text: str, encoded: Encoded) -> Floats:
        tail = tail_of(encoded)
        now = time.monotonic()
        with self._lock:
            self._kept[_key(text)] = (now, tail)
            self._kept.move_to_end(_key(text))
            self._drop(now)
        return tail

    def expire(self) -> None:
        """Drops what is too old, for when nobody writes."""
        with self._lock:
            self._drop(time.monotonic())

    def _drop(self, now: float) -> None:
        while self._kept and (len(self._kept) > self.MOST or next(iter(self._kept.values()))[0] < now - self.SECONDS):
            self._kept.popitem(last=False)


def _key(text: str) -> bytes:
    """Not the text itself: memory may be written to a disk."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=_SECRET).digest()
