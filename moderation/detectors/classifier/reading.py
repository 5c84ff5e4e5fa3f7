"""What the classifier reads, and how far back: the text that is judged, beside what was said before it.

The trunk reads each text once, for everybody; only the classifier's own upper layers are added. A reading is made
before the screen is asked, since that waits for the encoder's thread; the screen itself waits for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chatbot.core.encoder import TAIL_TOKENS, Encoded, Floats, Part
from moderation.detectors.classifier.head import EARLIER, JUDGED
from moderation.types import Exchanged, SecondOpinion

BEFORE: Final = 3  # earlier messages of the same person that are read together with the one that is judged
BEFORE_TOKENS: Final = TAIL_TOKENS  # the end of each
BEFORE_CHARS: Final = 400
SO_FAR_CHARS: Final = 120  # the end of what the companion has said in this reply

Runs = list[list[Part]]


@dataclass(frozen=True, eq=False)
class Reading:
    """text: what is judged; before: what is read with it; runs: what the upper layers gave, (n, 1536), None where the
    classifier can't be used; second: what a guard model said beside them, None where none was asked; late: rules see
    danger in it, and it was not waited for."""

    text: str
    before: tuple[str, ...] = ()
    runs: tuple[Floats, ...] | None = None
    second: SecondOpinion | None = None
    late: bool = False


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
