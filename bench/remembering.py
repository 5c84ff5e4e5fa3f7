"""What the memory learns, and what becomes of it: `python -m bench.remembering`, parts (b) and (c) beside bench.memory.

bench/data/memory was written by people who had not seen the rules: 420 rows a language (a quarter of them look like
facts and are none) and 64 scenarios of two to four messages. No rule is written on them; when rules change because of
one, the rows have to be written anew.

(b) Extraction: of what is learned how much is right, and of what was told how much is learned. A fact is right when its
kind, its day and whom or what it is about are, and half of its words (F1 of the folded words, articles aside).
(c) Scenarios: all that must be known afterwards is, and nothing that must not be.

Printed, and kept in bench/results/remembering.txt with the day and the commit.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bench.safety import Share
from bench.turn import commit, house
from chatbot.core import clock
from companion.types import LANGUAGES, Language

DATA: Final = Path(__file__).parent / "data" / "memory"
OUT: Final = Path(__file__).parent / "results" / "remembering.txt"
ALIKE: Final = 0.5  # F1 of the words of two values that are the same thing
ARTICLES: Final = frozenset(
    "a an the my our his her its o os as um uma meu minha el la los las un una mi le les une du des de l d mon ma "
    "mes".split()
)


@dataclass(frozen=True)
class Item:
    """What was told or learned. day: ISO, or empty."""

    kind: str
    value: str
    who: str = ""
    day: str = ""

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Item:
        return cls(row["kind"], row.get("value", ""), row.get("who", ""), row.get("day") or "")

    def is_same(self, told: Item) -> bool:
        """Whether this, learned, is what was told. A day counts where one was told."""
        about = not told.who or not set(_words(told.who)).isdisjoint(_words(self.who))
        day = not told.day or told.day == self.day
        return self.kind == told.kind and about and day and alike(self.value, told.value) >= ALIKE


def _words(text: str) -> list[str]:
    from companion.memory.text import fold

    bare = "".join(letter if letter.isalnum() else " " for letter in fold(text))
    return [word for word in bare.split() if word not in ARTICLES]


def alike(one: str, other: str) -> float:
    """F1 of their words: 1 where both have none."""
    mine, theirs = Counter(_words(one)), Counter(_words(other))
    if not mine and not theirs:
        return 1.0
    return 2 * (mine & theirs).total() / (mine.total() + theirs.total())


def pairs(learned: Sequence[Item], told: Sequence[Item]) -> int:
    """How many of the learned are each one of the told."""
    left, right = list(told), 0
    for item in learned:
        same = next((one for one in left if item.is_same(one)), None)
        if same is not None:
            left.remove(same)
            right += 1
    return right


def rows_of(language: Language, sort: str = "") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / f"{language}{sort}.jsonl").read_text(encoding="utf-8").splitlines()]


def extraction(language: Language, *, wrong: bool) -> Iterator[str]:
    from companion.memory.reading import read

    learned = told = right = trapped = 0
    kinds: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    sorts: Counter[str] = Counter()
    rows, misses = rows_of(language), []
    for row in rows:
        wanted = [Item.read(fact) for fact in row["facts"]]
        found = [
            Item(fact.kind, fact.value, fact.who, fact.day.isoformat() if fact.day else "")
            for fact in read(row["text"], language, datetime.fromisoformat(row["at"])).facts
        ]
        hit = pairs(found, wanted)
        learned, told, right = learned + len(found), told + len(wanted), right + hit
        kinds.update(item.kind for item in wanted)
        seen.update(item.kind for item in wanted if any(one.is_same(item) for one in found))
        if not wanted and found:
            trapped += 1
            sorts[row["trap"]] += 1
        if hit < max(len(found), len(wanted)):
            misses.append(f"      {row['text']}\n        told {wanted}\n        learned {found}")
    traps = sum(not row["facts"] for row in rows)
    yield f"  {language}: {len(rows)} rows, {told} facts, {traps} traps"
    yield f"    precision {Share(right, learned)}   wanted 92%"
    yield f"    recall    {Share(right, told)}   wanted 80%"
    yield f"    traps that taught something {Share(trapped, traps)}: {dict(sorts)}"
    yield "    recall by kind: " + ", ".join(f"{kind} {seen[kind]}/{count}" for kind, count in kinds.most_common())
    yield from misses if wrong else ()


def scenarios(language: Language, *, wrong: bool) -> Iterator[str]:
    rows = rows_of(language, ".scenarios")
    sorts: Counter[str] = Counter()
    right: Counter[str] = Counter()
    misses = []
    for row in rows:
        known = after(row["steps"], language)
        there = [Item.read(item) for item in row["after"] if not any(k.is_same(Item.read(item)) for k in known)]
        gone = [Item.read(item) for item in row["gone"] if still(Item.read(item), known, row["after"])]
        sorts[row["sort"]] += 1
        right[row["sort"]] += not there and not gone
        if there or gone:
            missing = f"        missing {there}\n        still there {gone}\n        known {known}"
            misses.append(f"      {row['steps']}\n{missing}")
    yield f"  {language}: scenarios right {Share(right.total(), sorts.total())}   wanted 95%"
    yield "    " + ", ".join(f"{sort} {right[sort]}/{count}" for sort, count in sorts.items())
    yield from misses if wrong else ()


def still(gone: Item, known: Sequence[Item], told: Sequence[Mapping[str, Any]]) -> bool:
    """Whether what must not be known is. "nono ano" is half of "8º ano": what is rather one of those that must be known
    doesn't count."""
    others = [Item.read(item) for item in told]
    return any(
        one.is_same(gone)
        and not any(
            one.is_same(other) and alike(one.value, other.value) > alike(one.value, gone.value) for other in others
        )
        for one in known
    )


def after(steps: Sequence[Mapping[str, str]], language: Language) -> list[Item]:
    """What is known of a new person once these were said, each answered as the turn does it."""
    from companion.memory.answers import memory_reply
    from companion.memory.kept import current_of
    from companion.memory.services import memory_learn

    owner, at = newcomer(), datetime.min
    for step in steps:
        at = datetime.fromisoformat(step["at"])
        reply = memory_reply(owner_id=owner, text=step["text"], language=language, seed=0, at=at)
        if reply is None or not reply.forgot_all:
            memory_learn(owner_id=owner, text=step["text"], language=language, said_at=at, source=None)
    return [
        Item(fact.kind, fact.value, fact.who, fact.day.isoformat() if fact.day else "")
        for _, fact in current_of(owner, at.date())
    ]


def newcomer() -> uuid.UUID:
    """Somebody of whom nothing is known, with a key."""
    from chatbot.core import keys
    from chatbot.core.ids import new_id

    owner = new_id()
    keys.data_key(owner, make=True)
    return owner


def cost() -> Iterator[str]:
    """What reading a message costs, beside one pass of the sentence encoder: the mean of the English rows, one core."""
    from chatbot.core.encoder import TRUNK, encode
    from chatbot.core.encoder.multilingual import multilingual
    from companion.memory.reading import read

    texts, at = [row["text"] for row in rows_of("en")], clock.now()
    works: dict[str, Callable[[str], object]] = {
        "the sentence encoder's pass": lambda text: encode([text]),
        "the encoder for four languages": lambda text: multilingual().encode([text], heads=(TRUNK,)),
        "all of the reading": lambda text: read(text, "en", at),
    }
    taken: list[float] = []
    for name, work in works.items():
        work(texts[0])
        began = time.perf_counter()
        for text in texts:
            work(text)
        taken.append((time.perf_counter() - began) / len(texts) * 1000)
        yield f"  {name:32} {taken[-1]:5.1f} ms   ratio {taken[-1] / taken[0]:.2f}"


def report(*, wrong: bool) -> Iterator[str]:
    yield f"Remembering, {clock.now():%Y-%m-%d}, commit {commit()}"
    yield "\n(b) What is learned of a message"
    for language in LANGUAGES:
        yield from extraction(language, wrong=wrong)
    yield "\n(c) What becomes of it"
    for language in LANGUAGES:
        yield from scenarios(language, wrong=wrong)
    yield "\nWhat a message costs, after the turn"
    yield from cost()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrong", action="store_true", help="what went wrong too; nothing is kept then")
    options = parser.parse_args()
    with ExitStack() as stack:
        house(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="abraco-bench-"))))
        from chatbot.chat.terminal import throw_away_database
        from chatbot.core.encoder import encoder_close

        stack.enter_context(throw_away_database())
        stack.callback(encoder_close)
        lines = []
        for line in report(wrong=options.wrong):
            print(line, flush=True)
            lines.append(line)
    if not options.wrong:
        OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
