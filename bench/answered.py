"""Which of the engine's answers made sense to judges, by what they came from: `python -m bench.answered`.

Over the folders of docs/evaluation, by language. Each reply is looked up in today's bank by its words: an exchange of
the bank, the answer to what was asked (then), what fits any (otherwise), an act, a line for what was heard; for
exchanges in the middle of a talk also by their likeness to the message. Replies that the bank no longer has are
counted as gone. Kept in bench/results/answered.txt.
"""

from __future__ import annotations

import asyncio
import collections
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import re2

from bench.judgements import FOLDER, turns
from bench.turn import ROOT, commit
from chatbot.core.encoder import encode
from companion.bank import Bank, Exchange
from companion.bank.slots import SLOT
from companion.engines.embedded.engine import EmbeddedEngine
from companion.engines.embedded.index import BankIndex
from companion.types import LANGUAGES, Language

RESULTS = Path(__file__).parent / "results" / "answered.txt"
BANDS = (0.0, 0.4, 0.5, 0.6, 0.7, 2.0)
FEWEST = 5  # replies of a kind from which a share is printed
SHORTEST = 20  # letters of a line by which it is known when its question was left out

Counts = dict[str, collections.Counter[str]]


class Lines:
    """Finds a line by the words that were said."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._whole = {line.text: line_id for line_id, line in bank.lines.items() if not line.slots}
        self._slotted = [
            (re2.compile("^" + ".{1,80}".join(re2.escape(part) for part in SLOT.split(line.text)[::2]) + "$"), line_id)
            for line_id, line in bank.lines.items()
            if line.slots
        ]

    def owner(self, said: str) -> tuple[str, Exchange] | None:
        """The line's id and its exchange."""
        found = self._whole.get(said) or next((one for pattern, one in self._slotted if pattern.search(said)), None)
        if found is None and len(said) >= SHORTEST:
            found = next((one for text, one in self._whole.items() if text.startswith(said)), None)
        return None if found is None else (found, self._bank.owners[found])


def kind_of(line_id: str, exchange: Exchange) -> str:
    if exchange.hears is not None:
        return f"heard {exchange.hears}"
    if "/otherwise" in line_id:
        return "otherwise"
    if "/then" in line_id:
        return "then"
    return f"act {exchange.act}" if exchange.act else "bank"


def likeness(text: str, exchange: Exchange, index: BankIndex) -> float:
    query = index.query(text, encode([text])[0].vector)
    return max((hit.score for hit in index.among(index.likeness(query), [exchange])), default=0.0)


def counted(folders: Sequence[Path], index: BankIndex) -> tuple[Counts, Counts]:
    """By kind, of the engine; by likeness, of exchanges in the middle of a talk, the controls among them."""
    kinds: Counts = collections.defaultdict(collections.Counter)
    near: Counts = collections.defaultdict(collections.Counter)
    lines = Lines(index.bank)
    for folder in folders:
        met: set[str] = set()
        for turn, judged in turns(folder):
            first, found = turn["person"] not in met, lines.owner(turn["reply"])
            met.add(turn["person"])
            kind = "gone" if found is None else kind_of(*found)
            if turn["by"] == "engine":
                kinds[kind].update(turns=1, sensible=judged["sensible"])
            if found is not None and kind == "bank" and turn["by"] in ("engine", "control") and not first:
                score = likeness(turn["text"], found[1], index)
                band = next(f"{low:.1f} to {high:.1f}" for low, high in itertools.pairwise(BANDS) if score < high)
                near[band].update(turns=1, sensible=judged["sensible"])
    return kinds, near


def shares(counts: Mapping[str, collections.Counter[str]]) -> Iterator[str]:
    for name, found in sorted(counts.items(), key=lambda item: -item[1]["turns"]):
        if found["turns"] >= FEWEST:
            yield f"    {name:<22}{found['turns']:>5}{found['sensible'] / found['turns']:>8.0%}"


async def table(language: Language, engine: EmbeddedEngine) -> Iterator[str]:
    folders = [path for path in sorted(FOLDER.glob(f"{language}-*")) if path.is_dir()]
    if not folders:
        return iter(())
    kinds, near = counted(folders, await engine._index(language))
    bands = {name: near[name] for name in sorted(near)}
    return iter(
        [
            "",
            f"{', '.join(path.name for path in folders)}: replies, and how many of them made sense",
            "  the engine's, by what they came from",
            *shares(kinds),
            "  exchanges of the bank in the middle of a talk, controls too, by likeness to the message",
            *(f"    {name:<22}{one['turns']:>5}{one['sensible'] / one['turns']:>8.0%}" for name, one in bands.items()),
        ]
    )


def main() -> int:
    engine = EmbeddedEngine(cache_dir=ROOT / "var" / "cache")
    lines = [f"Judged replies by what answered, commit {commit()}"]
    for language in LANGUAGES:
        lines += asyncio.run(table(language, engine))
    print("\n".join(lines))
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
