"""Held talks to learn from: those of this folder and the judged ones of docs/evaluation.

`<language>-<n>.jsonl`, as bench.conversations wrote it, a turn a line: what a reader in the part of a teenager said,
what the companion replied, and by whom that reply was. Nobody is in danger in any of them. What is learnt from them is
measured on conversations that were held afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from companion.types import LANGUAGES, Language

FOLDER: Final = Path(__file__).parent
JUDGED: Final = FOLDER.parents[1] / "docs" / "evaluation"


@dataclass(frozen=True)
class Spoken:
    """One turn. by: engine, control, skill, memory or written. action: what the screen decided at the time."""

    text: str
    reply: str
    by: str
    action: str


@dataclass(frozen=True)
class Talk:
    """id: the file's or folder's name and the person's, `en-1/7`."""

    id: str
    language: Language
    turns: tuple[Spoken, ...]


def talks() -> Iterator[Talk]:
    """Every talk, always in the same order."""
    for language in LANGUAGES:
        for path in (
            *sorted(JUDGED.glob(f"{language}-*/transcript.jsonl")),
            *sorted(FOLDER.glob(f"{language}-*.jsonl")),
        ):
            name = path.parent.name if path.parent != FOLDER else f"talks-{path.stem}"
            said: defaultdict[str, list[Spoken]] = defaultdict(list)
            for line in path.read_text(encoding="utf-8").splitlines():
                one = json.loads(line)
                said[one["person"]].append(Spoken(one["text"], one["reply"], one["by"], one["action"]))
            for person, turns in said.items():
                yield Talk(f"{name}/{person}", language, tuple(turns))


def teaches_what_follows(talk: str) -> bool:
    """Half of the talks, by a hash. The towers (training.next_turn) learn from their marks; what weighs the towers'
    signs (training.choosing) learns from the other half's, where they know as little as of a new message."""
    return hashlib.sha256(talk.encode()).digest()[1] % 2 == 0
