"""How well the memory finds what was said, how fast, and what it never keeps:
`python -m bench.memory [--no-recall] [--no-growth] [--no-never]`.

(a) Recall on LoCoMo (Maharana et al. 2024; CC-BY-NC-4.0, evaluation only: nothing of it is in this repository, and
nothing here learns from it). Documents are the raw turns of a conversation, with who said them and when; of each
question with evidence, categories 1 to 4: the share of its evidence turns among the first k. Ours goes through the
function behind `manage.py recall`. Beside it, over the same turns ("who: text"): BM25, the encoder's vectors, their
reciprocal-rank fusion, and mem0 with the same encoder, where it is installed
(`pip install --target FOLDER mem0ai==2.2.1`, then `--mem0 FOLDER`).

(d) Growth: made-up turns with vectors at hand, from 100 to 100,000; the time to index them, to add one, to rank.

(e) What is never kept, planted and asked for, and recall with it left out: bench/never.py.

Printed, and kept in bench/results/memory.txt, memory_growth.txt and memory_never.txt with the day and the commit.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # one core; read when numpy is first imported

import argparse
import gzip
import json
import math
import re
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.turn import ROOT, commit, house
from chatbot.core import clock
from chatbot.core.encoder import Floats, encode
from companion.memory.ranking import Index
from companion.memory.said import Said

RESULTS = Path(__file__).parent / "results"
RECALL, GROWTH, NEVER = RESULTS / "memory.txt", RESULTS / "memory_growth.txt", RESULTS / "memory_never.txt"
LOCOMO = ROOT.parent / "shared" / "data" / "dev" / "locomo"
CATEGORIES: Final = {1: "several turns", 2: "time", 3: "open domain", 4: "one turn"}
KS: Final = (1, 5, 10, 20)
SIZES: Final = (100, 1_000, 10_000, 100_000)
WANTED: Final = {5: 0.60, 10: 0.70}
FUSED_FROM: Final = 60  # the constant of reciprocal-rank fusion (Cormack et al. 2009)

Ranker = Callable[["Conversation"], list[list[str]]]


@dataclass(frozen=True)
class Question:
    text: str
    category: int
    evidence: frozenset[str]


@dataclass(frozen=True)
class Conversation:
    name: str
    documents: tuple[dict[str, str], ...]
    questions: tuple[Question, ...]

    @property
    def signed(self) -> list[str]:
        return [f"{one['who']}: {one['text']}" for one in self.documents]


def conversations(folder: Path) -> list[Conversation]:
    asked: dict[str, list[Question]] = defaultdict(list)
    with (folder / "qa.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            evidence = evidence_of(row["evidence"])
            if row["category"] in CATEGORIES and evidence:
                asked[row["sample_id"]].append(Question(row["question"], row["category"], evidence))
    with gzip.open(folder / "conversations.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [
            Conversation(row["sample_id"], tuple(_documents(row)), tuple(asked[row["sample_id"]]))
            for row in map(json.loads, lines)
        ]


def evidence_of(given: Sequence[str]) -> frozenset[str]:
    """Turns that are named; a few entries hold several."""
    return frozenset(place for entry in given for place in re.split(r"[;\s]+", entry) if place)


def _documents(row: dict[str, Any]) -> Iterator[dict[str, str]]:
    for session in row["sessions"]:
        at = datetime.strptime(session["date_time"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC).isoformat()
        for turn in session["turns"]:
            yield {"id": turn["dia_id"], "text": turn["text"], "who": turn["speaker"], "at": at}


def recall(found: Sequence[str], evidence: frozenset[str], k: int) -> float:
    return len(evidence.intersection(found[:k])) / len(evidence)


# -- who is measured -------------------------------------------------------------------------------------------------


def ours(conversation: Conversation) -> list[list[str]]:
    from chatbot.chat.management.commands.recall import ranked

    queries = [{"id": str(place), "text": one.text} for place, one in enumerate(conversation.questions)]
    line = {"id": conversation.name, "documents": conversation.documents, "queries": queries, "k": max(KS)}
    results = ranked(json.dumps(line))["results"]
    return [results[query["id"]] for query in queries]


def by_words(conversation: Conversation) -> list[list[str]]:
    bags = [Counter(_words(text)) for text in conversation.signed]
    return _ordered(conversation, np.array([bm25(bags, _words(one.text)) for one in conversation.questions]))


def by_sense(conversation: Conversation) -> list[list[str]]:
    return _ordered(conversation, _cosines(conversation))


def fused(conversation: Conversation) -> list[list[str]]:
    bags = [Counter(_words(text)) for text in conversation.signed]
    words = np.array([bm25(bags, _words(one.text)) for one in conversation.questions])
    places = [(-scores).argsort(axis=1, kind="stable").argsort(axis=1) for scores in (words, _cosines(conversation))]
    return _ordered(conversation, sum(1 / (FUSED_FROM + 1 + place) for place in places))


def mem0(conversation: Conversation) -> list[list[str]]:
    """mem0's own store and search; every turn is kept as it is (`infer=False`), with this house's encoder."""
    os.environ["MEM0_TELEMETRY"] = "False"
    from mem0 import Memory  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory(prefix="abraco-mem0-") as folder:
        os.environ["MEM0_DIR"] = folder
        keyless = {"provider": "openai", "config": {"api_key": "none"}}
        store = {"collection_name": "turns", "embedding_model_dims": 384, "path": f"{folder}/store", "on_disk": False}
        memory = Memory.from_config(
            {
                "llm": keyless,
                "embedder": keyless,
                "vector_store": {"provider": "qdrant", "config": store},
                "history_db_path": f"{folder}/history.db",
            }
        )
        memory.embedding_model = _Embedder([*conversation.signed, *(one.text for one in conversation.questions)])
        for document, text in zip(conversation.documents, conversation.signed, strict=True):
            memory.add(text, user_id="one", metadata={"turn": document["id"], "at": document["at"]}, infer=False)
        found = []
        for one in conversation.questions:
            hits = memory.search(one.text, top_k=max(KS), filters={"user_id": "one"}, threshold=0.0)["results"]
            found.append([hit["metadata"]["turn"] for hit in hits])
        return found


class _Embedder:
    """This house's encoder, as mem0 asks for it; what will be asked for is encoded in one go."""

    config = None

    def __init__(self, texts: Sequence[str]) -> None:
        self._known = {text: one.array.tolist() for text, one in zip(texts, encode(texts), strict=True)}

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        return self._known.get(text) or encode([text])[0].array.tolist()

    def embed_batch(self, texts: Sequence[str], memory_action: str | None = None) -> list[list[float]]:
        return [self.embed(text) for text in texts]


RANKERS: Final[Mapping[str, Ranker]] = {
    "the memory": ours, "BM25": by_words, "vectors": by_sense, "fusion": fused, "mem0": mem0,
}  # fmt: skip


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def bm25(bags: Sequence[Counter[str]], asked: Sequence[str], k1: float = 1.2, b: float = 0.75) -> list[float]:
    """As the textbooks have it."""
    average = statistics.fmean(bag.total() for bag in bags)
    having = {word: sum(word in bag for bag in bags) for word in set(asked)}
    rare = {word: math.log(1 + (len(bags) - count + 0.5) / (count + 0.5)) for word, count in having.items()}
    steady = [k1 * (1 - b + b * bag.total() / average) for bag in bags]
    return [
        sum(rare[word] * bag[word] * (k1 + 1) / (bag[word] + held) for word in rare if word in bag)
        for bag, held in zip(bags, steady, strict=True)
    ]


def _cosines(conversation: Conversation) -> Any:
    documents = np.stack([one.array for one in encode(conversation.signed)])
    return np.stack([one.array for one in encode([one.text for one in conversation.questions])]) @ documents.T


def _ordered(conversation: Conversation, scores: Any) -> list[list[str]]:
    best = (-scores).argsort(axis=1, kind="stable")[:, : max(KS)]
    return [[conversation.documents[place]["id"] for place in row] for row in best.tolist()]


def recalled(given: Sequence[Conversation], ranker: Ranker) -> dict[int, list[list[float]]]:
    """By category: of each question, recall at each k."""
    rows: dict[int, list[list[float]]] = defaultdict(list)
    for conversation in given:
        for question, found in zip(conversation.questions, ranker(conversation), strict=True):
            rows[question.category].append([recall(found, question.evidence, k) for k in KS])
    return rows


def report_recall(measured: Mapping[str, dict[int, list[list[float]]] | str]) -> Iterator[str]:
    """The table; what couldn't be measured says why."""
    first = next(rows for rows in measured.values() if not isinstance(rows, str))
    count = sum(len(rows) for rows in first.values())
    yield f"(a) LoCoMo, {count:,} questions with evidence; share of it among the first k; ours over theirs"
    yield f"{'':16}" + "".join(f"{f'@{k}':>8}" for k in KS) + f"{'ratio @10':>12}"
    means = {
        name: np.mean([row for several in rows.values() for row in several], axis=0)
        for name, rows in measured.items()
        if not isinstance(rows, str)
    }
    at_ten = KS.index(10)
    for name, rows in measured.items():
        if isinstance(rows, str):
            yield f"{name:16}{rows}"
            continue
        ratio = means["the memory"][at_ten] / means[name][at_ten] if "the memory" in means else math.nan
        yield f"{name:16}" + "".join(f"{value:8.3f}" for value in means[name]) + f"{ratio:12.2f}"
        for category, several in sorted(rows.items()):
            shares = "".join(f"{value:8.3f}" for value in np.mean(several, axis=0))
            yield f"  {CATEGORIES[category]:14}{shares}   ({len(several)})"
    if "the memory" in means:
        for k, least in WANTED.items():
            value = means["the memory"][KS.index(k)]
            yield f"at least {least:.2f} at {k}: {'holds' if value >= least else 'DOES NOT HOLD'} ({value:.3f})"


# -- growth ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grown:
    """Milliseconds, of the wall clock and of the processor alone."""

    size: int
    index: tuple[float, float]
    added: tuple[float, float]
    asked: list[tuple[float, float]]

    def at(self, share: float, *, own: bool) -> float:
        ordered = sorted(pair[own] for pair in self.asked)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def made_up(size: int, *, seed: int) -> tuple[list[str], Floats, list[Said]]:
    """Turns of two people over years: words as rare as words are, half of them small ones."""
    rng = np.random.default_rng(seed)
    small = "i you the to a and my it is was that we".split()
    weights = 1 / np.arange(1, 20_001) ** 0.9
    rare = rng.choice(20_000, size=(size, 12), p=weights / weights.sum())
    lengths, common = rng.integers(4, 25, size), rng.integers(0, len(small), (size, 12))
    vectors = rng.standard_normal((size, 384), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    texts = [
        " ".join([f"w{word:x}y {small[other]}" for word, other in zip(*pair, strict=True)][: length // 2 + 1])
        for *pair, length in zip(rare.tolist(), common.tolist(), lengths.tolist(), strict=True)
    ]
    said = [
        Said("Nora" if place % 2 else "Felix", (begin + timedelta(hours=8 * (place // 20))).isoformat(), vectors[place])
        for place in range(size)
    ]
    return texts, vectors, said


def timed(work: Callable[[], object]) -> tuple[float, float]:
    started, own = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - started) * 1000, (time.process_time() - own) * 1000


def grown(size: int, *, questions: int = 500) -> Grown:
    texts, vectors, said = made_up(size, seed=size)
    rows = list(vectors)
    Index(texts[:1000], rows[:1000], said=said[:1000]).rank("warm", rows[0], limit=1)
    built = [timed(lambda: Index(texts, rows, said=said)) for _ in range(3)]
    index = Index(texts, rows, said=said)
    added = [timed(lambda at=at: index.add([texts[at]], [rows[at]], said=[said[at]])) for at in range(min(size, 200))]
    rng = np.random.default_rng(1)
    asked = []
    for place in rng.integers(0, size, questions).tolist():
        question = f"When did {said[place].who} {' '.join(texts[place].split()[:6])}?"
        vector = rows[int(rng.integers(0, size))]
        asked.append(timed(lambda question=question, vector=vector: index.rank(question, vector, limit=10)))
    middle = tuple(statistics.median(pair[own] for pair in built) for own in (0, 1))
    one = tuple(statistics.median(pair[own] for pair in added) for own in (0, 1))
    return Grown(size, (middle[0], middle[1]), (one[0], one[1]), asked)


def report_growth(measured: Sequence[Grown]) -> Iterator[str]:
    yield "(d) Growth, vectors at hand, one core, warm; milliseconds (in brackets: of the processor alone)"
    yield f"{'turns':>10}{'index':>20}{'add one':>18}{'rank, p50':>18}{'rank, p99':>18}"
    for one in measured:
        cells = [one.index, one.added, *((one.at(share, own=False), one.at(share, own=True)) for share in (0.5, 0.99))]
        yield f"{one.size:>10,}" + f"{_cell(cells[0]):>20}" + "".join(f"{_cell(cell):>18}" for cell in cells[1:])
    tens = next((one for one in measured if one.size == 10_000), None)
    if tens is not None:
        for what, value, most in (
            ("index of 10,000", tens.index[1], 150),
            ("rank p50", tens.at(0.5, own=True), 10),
            ("rank p99", tens.at(0.99, own=True), 25),
        ):
            verdict = "holds" if value < most else "DOES NOT HOLD"
            yield f"{what} under {most} ms of the processor: {verdict} ({value:.1f})"


def _cell(pair: tuple[float, float]) -> str:
    return f"{pair[0]:.2f} ({pair[1]:.2f})"


def measured_growth() -> Iterator[str]:
    yield from report_growth([grown(size) for size in SIZES])


# -- the run ---------------------------------------------------------------------------------------------------------


def measured_recall(folder: Path) -> Iterator[str]:
    if not (folder / "qa.jsonl").is_file():
        yield f"(a) not measured: LoCoMo is not in {folder} (--data says where it is)"
        return
    given = conversations(folder)
    found: dict[str, dict[int, list[list[float]]] | str] = {}
    for name, ranker in RANKERS.items():
        try:
            found[name] = recalled(given, ranker)
        except ImportError as error:
            found[name] = f"not measured: {error}"
    yield from report_recall(found)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--data", type=Path, default=LOCOMO, help="the folder of LoCoMo")
    parser.add_argument("--mem0", type=Path, help="a folder that mem0ai was installed into with pip's --target")
    parser.add_argument("--no-recall", action="store_true")
    parser.add_argument("--no-growth", action="store_true")
    parser.add_argument("--no-never", action="store_true")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if options.mem0:
        sys.path.append(str(options.mem0))  # after our own packages, which keep their versions
    with tempfile.TemporaryDirectory(prefix="abraco-bench-") as folder:
        house(Path(folder))
        parts = [] if options.no_growth else [(GROWTH, "How fast the memory finds", measured_growth())]
        if not options.no_recall:
            parts.append((RECALL, "What the memory finds", measured_recall(options.data)))
        if not options.no_never:
            from bench import never

            parts.append((NEVER, "What the memory never keeps", never.measured(options.data)))
        kept = [_kept(path, title, lines) for path, title, lines in parts]
        from chatbot.core.encoder import encoder_close

        encoder_close()
    return 0 if all(kept) else 1


def _kept(path: Path, title: str, lines: Iterator[str]) -> bool:
    """Prints and keeps them. Whether every promise in them holds."""
    found = [f"{title}, {clock.now():%Y-%m-%d}, {commit()}", "", *lines]
    print("\n".join(found), flush=True)
    if not any("not measured: LoCoMo" in line for line in found):
        path.write_text("\n".join(found) + "\n", encoding="utf-8")
    return not any("DOES NOT HOLD" in line for line in found)


if __name__ == "__main__":
    sys.exit(main())
