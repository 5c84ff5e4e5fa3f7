"""Our labels for rows of open sets whose own labels are coarse: `labels/<name>.tsv`, a key and labels on each line.

The text itself is not copied: the key is the beginning of the SHA-256 of the row's text.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from training.moderation.examples import Label, Labels

LABELS: Final = Path(__file__).parent / "labels"
UNSURE: Final = "?"


def key_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


@cache
def labels_read(folder: Path = LABELS) -> dict[str, Labels | None]:
    """By key; None where a reader could not tell, and for what is not learnt from at all (T03)."""
    found: dict[str, Labels | None] = {}
    for path in sorted(folder.glob("*.tsv")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            key, _, written = line.partition("\t")
            try:
                found[key] = _labels(written.split())
            except ValueError as error:
                raise ValueError(f"{path.name}:{number}: {error}") from None
    return found


def _labels(written: list[str]) -> Labels | None:
    if not written:
        raise ValueError("no labels")
    if written == ["-"]:
        return Labels("message")
    if UNSURE in written or any(label.startswith("T03") for label in written):
        return None
    return Labels("message", tuple(Label.read(label) for label in written))
