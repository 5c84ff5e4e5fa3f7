"""A row as the tagger sees it, and the tags that it should give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatbot.core.encoder import Floats
from companion.memory.dates import times_in
from companion.memory.extract import ended_in, facts_in
from companion.memory.reading import places_said
from companion.memory.tagger import marked
from companion.memory.tokens import Place, Tokens, tokens_of
from training.remembering.rows import Row


@dataclass(frozen=True, eq=False)
class Example:
    """places: what the patterns found. said, told: where that, and what the row tells, begins and goes on, by channel
    (`marked`)."""

    row: Row
    tokens: Tokens
    places: tuple[tuple[str, Place], ...]
    said: Floats
    told: Floats


def example_of(row: Row, places: Sequence[Place]) -> Example:
    """places: where the encoder's tokens stand."""
    found = tuple(places_said(row.text, facts_in(row.text, row.language, row.at), ended_in(row.text, row.language)))
    times = times_in(row.text, row.at.date(), row.language)
    tokens = tokens_of(row.text, places, times, row.language)
    return Example(row, tokens, found, marked(places, found), marked(places, row.spans))
