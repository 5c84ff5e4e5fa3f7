"""What the classifier reads, and how far back: the text that is judged, beside what was said before it.

The trunk reads each text once, for everybody; only the classifier's own upper layers are added. A reading is made
before the screen is asked, since that waits for the encoder's thread; the screen itself waits for nothing.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chatbot.core.encoder import Encoded, Floats, Part
from moderation.detectors.classifier.head import EARLIER, JUDGED
from moderation.types import Exchanged, SecondOpinion

BEFORE: Final = 3  # earlier messages of the same person that are read together with the one that is judged
BEFORE_TOKENS: Final = 64  # the end of each
BEFORE_CHARS: Final = 400
SO_FAR_CHARS: Final = 120  # the end of what the companion has said in this reply

Runs = list[list[Part]]
_SECRET: Final = secrets.token_bytes(16)


@dataclass(frozen=True, eq=False)
class Reading:
    """text: what is judged; before: what is read with it; encoded: the text's own vector and trunk, None where the
    encoder can't be used; runs: what the upper layers gave, (n, 1536), None where the classifier can't be used;
    second: what a guard model said beside them, None where none was asked."""

    text: str
    before: tuple[str, ...] = ()
    encoded: Encoded | None = None
    runs: tuple[Floats, ...] | None = None
    second: SecondOpinion | None = None


def message_before(history: Sequence[Exchanged]) -> tuple[str, ...]:
    """What a person said just before, oldest first."""
    return tuple(line.text[-BEFORE_CHARS:] for line in history if line.who == "user")[-BEFORE:]


def reply_judged(sentence: str, so_far: str) -> str:
    """A sentence with the end of what was said before it, since a thought may run over both."""
    return f"{so_far[-SO_FAR_CHARS:].strip()} {sentence.strip()}".strip()


def reply_before(history: Sequence[Exchanged]) -> tuple[str, ...]:
    """What a reply answers."""
    return message_before(history)[-1:]


def runs_of(judged: Encoded, earlier: Sequence[Floats]) -> Runs:
    """Every window of the text, each beside what came before; `earlier` as `tail_of` gave it."""
    parts = [Part(tail, EARLIER) for tail in earlier]
    return [[*parts, Part(window, JUDGED)] for window in judged.hidden]


def tail_of(encoded: Encoded) -> Floats:
    """What is kept of a text to be read with later ones: (at most 64, 384)."""
    return encoded.hidden[-1][-BEFORE_TOKENS:]


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
            while len(self._kept) > self.MOST or next(iter(self._kept.values()))[0] < now - self.SECONDS:
                self._kept.popitem(last=False)
        return tail


def _key(text: str) -> bytes:
    """Not the text itself: memory may be written to a disk."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=_SECRET).digest()
