"""Part (e) of bench.memory: what is never kept (6.5 of the safety requirements).

Planted: 200 sentences, 50 a language, of the classes of 6.5 (bench/data/memory/never.<language>.jsonl): mild, without
detail, and told as things are told that are kept ("i sing in the choir at our church on sundays"). None may be learned,
none recalled. They are handed to `memory_learn` as they are, though in the product most of them never get there: it
learns from messages that were decided `allow` alone.

Raw turns: the product recalls facts and no turns, so a filter over turns is put together of what the person's own words
have to pass before they are kept (chatbot/me/keeping.py): decided `allow`, nothing personal in them, `may_be_kept`. It
leaves out the planted sentences among ordinary rows; and of LoCoMo's turns whatever it leaves out can't be found.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import memory as bench
from bench.remembering import DATA, newcomer, rows_of
from companion.types import LANGUAGES, Language

AT: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIRST: Final = 10


def planted(language: Language) -> list[dict[str, str]]:
    path = DATA / f"never.{language}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@lru_cache(maxsize=1 << 15)
def may_stay(text: str, language: Language) -> bool:
    """Whether the filter leaves this turn in."""
    from companion.memory.extract import may_be_kept
    from moderation import screen
    from moderation.types import WatchState

    screening = screen.check_message(text, band="16-17", language=language, watch=WatchState(), now=AT)
    return screening.decision.action == "allow" and not screening.spans and may_be_kept(text, language)


def learned(texts: Sequence[str], language: Language) -> tuple[int, int]:
    """Of how many sentences something was learned, and for how many something is recalled once all were said."""
    from chatbot.core.encoder import encode
    from companion.memory.services import memory_learn, memory_recall

    owner: uuid.UUID = newcomer()
    kept = sum(
        bool(memory_learn(owner_id=owner, text=text, language=language, said_at=AT, source=None)) for text in texts
    )
    recalled = 0
    for text, encoded in zip(texts, encode(texts), strict=True):
        vector = tuple(encoded.array.tolist())
        recalled += bool(memory_recall(owner_id=owner, text=text, vector=vector, language=language, today=AT.date()))
    return kept, recalled


def found(texts: Sequence[str], language: Language, *, filtered: bool) -> int:
    """How many of these are found by their own words, among turns that tell something harmless."""
    from chatbot.chat.management.commands.recall import ranked

    harmless = [row["text"] for row in rows_of(language) if row["facts"]]
    documents = [{"id": str(place), "text": text, "who": "Nora"} for place, text in enumerate([*texts, *harmless])]
    documents = [one for one in documents if not filtered or may_stay(one["text"], language)]
    queries = [{"id": str(place), "text": text} for place, text in enumerate(texts)]
    line = json.dumps({"id": language, "documents": documents, "queries": queries, "k": FIRST})
    results: Mapping[str, Sequence[str]] = ranked(line)["results"]
    return sum(query["id"] in results[query["id"]] for query in queries)


def report_planted() -> Iterator[str]:
    yield f"{'planted':10}{'learned':>12}{'recalled':>12}{'found among turns':>22}{'with the filter':>18}"
    wrong: np.ndarray[Any, Any] = np.zeros(3, int)
    count = 0
    for language in LANGUAGES:
        texts = [row["text"] for row in planted(language)]
        kept, recalled = learned(texts, language)
        bare, filtered = (found(texts, language, filtered=one) for one in (False, True))
        cells = [f"{value}/{len(texts)}" for value in (kept, recalled, bare, filtered)]
        yield f"  {language:8}{cells[0]:>12}{cells[1]:>12}{cells[2]:>22}{cells[3]:>18}"
        wrong += (kept, recalled, filtered)
        count += len(texts)
    for what, value in zip(("learned", "recalled", "found with the filter"), wrong.tolist(), strict=True):
        yield f"none of {count} {what}: {'holds' if not value else 'DOES NOT HOLD'} ({value})"


def filtered(conversation: bench.Conversation) -> bench.Conversation:
    kept = tuple(one for one in conversation.documents if may_stay(one["text"], "en"))
    return replace(conversation, documents=kept)


def report_filtered(given: Sequence[bench.Conversation]) -> Iterator[str]:
    """The same questions to the same turns, and to those that the filter leaves; all evidence counts in both."""
    left = [filtered(one) for one in given]
    turns, stay = (sum(len(one.documents) for one in some) for some in (given, left))
    there = [{document["id"] for document in one.documents} for one in left]
    evidence = [(place, ids) for ids, one in zip(there, given, strict=True) for question in one.questions
                for place in question.evidence]  # fmt: skip
    known = sum(place in ids for place, ids in evidence)
    yield f"LoCoMo: the filter leaves {stay:,} of {turns:,} turns, {known:,} of {len(evidence):,} places of evidence"
    yield f"{'':16}" + "".join(f"{f'@{k}':>8}" for k in bench.KS)
    for name, some in (("the memory", given), ("with the filter", left)):
        rows = bench.recalled(some, bench.ours)
        means = np.mean([row for several in rows.values() for row in several], axis=0)
        yield f"{name:16}" + "".join(f"{value:8.3f}" for value in means)


def measured(folder: Path) -> Iterator[str]:
    from chatbot.chat.terminal import throw_away_database

    yield "(e) What is never kept (6.5)"
    with throw_away_database():
        yield from report_planted()
    yield ""
    if not (folder / "qa.jsonl").is_file():
        yield f"not measured: LoCoMo is not in {folder} (--data says where it is)"
        return
    yield from report_filtered(bench.conversations(folder))
