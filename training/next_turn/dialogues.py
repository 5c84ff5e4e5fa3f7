"""Where next turns are learnt from: open dialogues, the bank, and the good answers among moderation's written rows.

An open dialogue stands on one side as a whole (`part`), a situation of the bank and a written scene too.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from companion.bank import Exchange, bank_load
from companion.bank.slots import SLOT
from companion.engines.embedded.next_turn import BEFORE
from companion.types import LANGUAGES, Language
from training.moderation.opened import DataMissing
from training.moderation.written import rows_read

TRAIN: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "train"
OURS: Final = ("bank", "rows")  # sources that are this house's own
SILENCE: Final = "__SILENCE__"  # xpersona's first utterance, which is none


@dataclass(frozen=True)
class Pair:
    """before: what was said, oldest first; `reply` answers the last of it. group: replies of one group answer the same
    thing, so none of them is a wrong answer to another's message."""

    before: tuple[str, ...]
    reply: str
    language: Language
    source: str
    group: str
    part: str  # learn, choose (for choosing among runs) or held (for figures alone)


def part_of(key: str) -> str:
    """One in twenty is held back for figures, one in fifty for choosing among runs."""
    share = int.from_bytes(hashlib.sha256(f"next turn {key}".encode()).digest()[:4]) / 2**32
    return "held" if share < 0.05 else "choose" if share < 0.07 else "learn"


def pairs_opened(folder: Path = TRAIN) -> Iterator[Pair]:
    """Every turn of the open dialogues but the first. Raises DataMissing."""
    for source, language, lines in dialogues_opened(folder):
        if len(lines) < 2:
            continue
        key = f"{source}/{lines[0]}/{len(lines)}/{lines[-1]}"
        for at in range(1, len(lines)):
            before = tuple(lines[max(0, at - 1 - BEFORE) : at])
            yield Pair(before, lines[at], language, source, f"{key}/{at}", part_of(key))


def dialogues_opened(folder: Path = TRAIN) -> Iterator[tuple[str, Language, list[str]]]:
    """(source, language, lines) of each open dialogue. Raises DataMissing."""
    for line in _lines(folder / "self_dialogue_corpus" / "dialogues.jsonl.gz"):
        yield "self_dialogue", "en", _plain(line["turns"])
    for line in _lines(folder / "topical_chat" / "conversations.jsonl.gz"):
        yield "topical_chat", "en", _plain([turn["text"] for turn in line["turns"]])
    for line in _lines(folder / "synthetic_persona_chat" / "dialogues.jsonl.gz"):
        yield "persona_chat", "en", _plain([turn["text"] for turn in line["turns"]])
    for name, language in (("en.jsonl.gz", LANGUAGES[0]), ("fr.jsonl", LANGUAGES[3])):
        for line in _lines(folder / "xpersona" / name):
            yield "xpersona", language, _plain([text for turn in line["dialogue"] for text in turn])


def pairs_banked() -> Iterator[Pair]:
    """What people say to the companion and its answers, follow-ups too."""
    for language in LANGUAGES:
        for exchange in bank_load(language).exchanges:
            part = part_of(f"bank/{exchange.situation}")
            yield from _exchange(exchange, language, part, (), random.Random(exchange.id))  # noqa: S311


def _exchange(
    exchange: Exchange, language: Language, part: str, before: tuple[str, ...], lot: random.Random
) -> Iterator[Pair]:
    replies = [spoken(line.text) for line in exchange.replies]
    for said in exchange.said:
        for reply in lot.sample(replies, min(2, len(replies))):
            yield Pair((*before, said)[-1 - BEFORE :], reply, language, "bank", exchange.id, part)
    for follow in exchange.then:
        for _ in range(2):  # an exchange's answers differ, and each may be what was said before
            if exchange.said and replies:
                earlier = (*before, lot.choice(exchange.said), lot.choice(replies))
                yield from _exchange(follow, language, part, earlier, lot)


def spoken(line: str) -> str:
    """As the companion's own lines are read: something stands where the teen's words will."""
    return str(SLOT.sub("it", line))


def pairs_written() -> Iterator[Pair]:
    """The good answers that were written beside bad ones for moderation."""
    for row in rows_read():
        if row.side == "reply" and row.harmless:
            part = part_of(f"rows/{row.scene}")
            yield Pair(row.lines[-1 - BEFORE :], row.reply, row.language, "rows", row.key, part)


def pairs_all(folder: Path = TRAIN) -> list[Pair]:
    """Raises DataMissing."""
    return [*pairs_opened(folder), *pairs_banked(), *pairs_written()]


def _plain(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines if line.strip() and line != SILENCE]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise DataMissing(f"{path} is missing: the open dialogues are read from ../shared/data/train.")
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as file:
        for line in file:
            yield json.loads(line)
