"""The rows, and where in each message what it tells stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from companion.memory.tokens import Place, place_of
from companion.memory.told import CHANNELS
from companion.types import LANGUAGES, Language

ROWS: Final = Path(__file__).parent / "rows"


@dataclass(frozen=True)
class Row:
    """facts: as they are written in the file. spans: of each channel, where what it is for stands."""

    language: Language
    at: datetime
    text: str
    facts: tuple[dict[str, Any], ...]
    spans: tuple[tuple[str, Place], ...]
    trap: str


def rows_read(folder: Path = ROWS) -> Iterator[Row]:
    for language in LANGUAGES:
        for path in sorted(folder.glob(f"{language}*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                raw = json.loads(line)
                yield Row(
                    language, datetime.fromisoformat(raw["at"]), raw["text"], tuple(raw["facts"]),
                    tuple(spans_of(raw["text"], raw["facts"])), raw.get("trap", ""),
                )  # fmt: skip


def is_held(text: str, share: float) -> bool:
    """By the words alone, so that the same rows are kept back however many are added."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) < share * 2**32


def spans_of(text: str, facts: list[dict[str, Any]]) -> Iterator[tuple[str, Place]]:
    """What isn't literally in the text has no place and is left out."""
    for fact in facts:
        value = place_of(text, fact["value"]) if fact["value"] else None
        if value is not None:
            yield fact["kind"], value
        who = place_of(text, fact["who"], near=value) if fact.get("who") else None
        if who is not None and f"{fact['kind']}.who" in CHANNELS:
            yield f"{fact['kind']}.who", who
