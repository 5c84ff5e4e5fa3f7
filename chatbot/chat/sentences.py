"""Where a sentence ends. Very short ones stay with the next."""

from __future__ import annotations

import re2

_END = re2.compile(r"[.!?…]+[\"'»”)\]]*\s+|\n+")
SHORTEST = 12


def sentences_split(text: str) -> tuple[list[str], str]:
    """The sentences that have ended, and the rest as it stands, to go on with."""
    whole: list[str] = []
    start = 0
    for match in _END.finditer(text):
        piece = text[start : match.end()].strip()
        if len(piece) >= SHORTEST:
            whole.append(piece)
            start = match.end()
    return whole, text[start:]


def sentences_of(text: str) -> list[str]:
    """All sentences of a finished text."""
    whole, rest = sentences_split(text)
    return [*whole, rest.strip()] if rest.strip() else whole
