"""Ordinary talk, as harmless examples: the messages of training/understanding and whole talks that readers held
(training/talks), each beside the ones before it. Nobody is in danger in any of them. Written rows are all of danger or
made to look like it, so without these one message in twenty of an ordinary talk reads like danger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from moderation.detectors.classifier.outputs import LEVELS, MESSAGE
from moderation.detectors.classifier.reading import BEFORE
from training.moderation.examples import Example
from training.talks import talks
from training.understanding.rows import rows_written

SOURCE: Final = "ordinary"
WEIGHT: Final = 2.0
_FINE: Final = {name: 0 for name in MESSAGE if name != f"message/{LEVELS[0]}"}  # somebody may well be low


def examples_ordinary() -> Iterator[Example]:
    for row in rows_written():
        yield Example(row.text, _FINE, row.language, SOURCE, f"{SOURCE}/{row.text}", WEIGHT)
    for talk in talks():
        said = [turn.text for turn in talk.turns]
        for at, text in enumerate(said):
            before = tuple(said[max(0, at - BEFORE) : at])
            yield Example(text, _FINE, talk.language, SOURCE, f"{SOURCE}/{talk.id}", WEIGHT, before)
