"""What a whole turn costs: `python -m bench.turn [language ...]`, or `make bench-turn`.

A turn is the real one: danger first, the gate, the message's row, the lease, the screen, recall, the embedded engine,
the check of each sentence and its row, the reply and its row; on SQLite in a temporary folder, warm, on one core (the
process is pinned to one processor, torch has one thread). Beside each turn runs one bare pass of the encoder over the
same text: tokenise, six layers, mean. The job that learns runs between the turns, as it does in the house.

Everything is printed and kept in bench/results/turn.txt.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from chatbot.core import clock
from companion.types import LANGUAGES, Language

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "turn.txt"
MOST_PASSES = 3.0  # what a turn may cost at the median, in bare passes
TURNS = 120
PARTS = ("take", "read", "encode", "moderation", "recall", "choose", "check", "store", "finish")
PARTS_MEAN = {
    "take": "danger first, the gate, the message's row",
    "read": "the lease, the message and what was said before",
    "encode": "the message's vectors, in the encoder's thread",
    "moderation": "the screen of the message",
    "recall": "what was decided, written; what memory has",
    "choose": "the engine",
    "check": "the screen of each sentence",
    "store": "each sentence's row under its fence",
    "finish": "the reply's row, the turn's end",
}


@dataclass
class Measured:
    """Milliseconds of each turn, of its parts, and of the bare pass beside it; `worked`: of the processor alone."""

    language: Language
    whole: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    bare_worked: list[float] = field(default_factory=list)
    parts: dict[str, list[float]] = field(default_factory=lambda: {part: [] for part in PARTS})

    @property
    def passes(self) -> float:
        """The median turn in median bare passes."""
        return statistics.median(self.whole) / statistics.median(self.bare)


def texts(language: Language) -> list[str]:
    """What is said: messages as teenagers write them, the same in every run."""
    given = yaml.safe_load((Path(__file__).parent / "data" / "retrieval.yaml").read_text(encoding="utf-8"))
    said = [text for topic, texts in given[language].items() if topic != "strange" for text in texts]
    # No message comes twice, so that nothing is at hand from the last time.
    return said + [f"{first}, {second}" for first, second in itertools.pairwise(said)]


def bare_pass() -> Callable[[str], None]:
    """One pass of the open encoder and nothing else."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel
    from transformers.utils import logging as transformers_logging

    from chatbot.core.encoder.english import mean_pooled
    from chatbot.core.encoder.files import model_directory

    transformers_logging.disable_progress_bar()
    # The model as its authors ship it, apart from the process's own encoder.
    model = AutoModel.from_pretrained(str(model_directory()), local_files_only=True, use_safetensors=True).eval()
    tokenizer = Tokenizer.from_file(str(model_directory() / "tokenizer.json"))
    tokenizer.no_padding()

    def once(text: str) -> None:
        ids = torch.tensor([tokenizer.encode(text).ids])
        mask = torch.ones_like(ids)
        with torch.inference_mode():
            mean_pooled(model(input_ids=ids, attention_mask=mask).last_hidden_state, mask).numpy()

    return once


async def turns(language: Language, *, count: int, bare: Callable[[str], None]) -> Measured:
    """That many turns of one person in one conversation after another, a bare pass after each."""
    from chatbot.chat import services, talk
    from chatbot.chat.models import Turn
    from chatbot.chat.terminal import Newcomer, newcomer_make
    from chatbot.chat.turn import turn_run
    from chatbot.core import jobs
    from chatbot.core.database import in_database

    found = Measured(language)
    person = await in_database(newcomer_make, Newcomer(language=language), gates=False)
    said = texts(language)
    conversation = await in_database(services.conversation_start, person=person)
    for at in range(-10, count):  # the first ten warm up
        text = said[at % len(said)]
        if at % 20 == 0:
            conversation = await in_database(services.conversation_start, person=person)
        started, worked = time.perf_counter(), time.process_time()
        taken = await talk.message_take(
            person=person, conversation_id=conversation.id, client_id=uuid.uuid4(), text=text, paced=False
        )
        took = (time.perf_counter() - started) * 1000
        if taken.acceptance is None:
            raise RuntimeError(f"not accepted: {text!r}")
        await turn_run(taken.acceptance.turn_id)
        whole, worked = (time.perf_counter() - started) * 1000, (time.process_time() - worked) * 1000
        started, bare_worked = time.perf_counter(), time.process_time()
        bare(text)
        alone, bare_worked = (time.perf_counter() - started) * 1000, (time.process_time() - bare_worked) * 1000
        await asyncio.to_thread(jobs.drain)
        if at < 0:
            continue
        timings = (await Turn.objects.aget(id=taken.acceptance.turn_id)).timings
        timings = {**timings, "take": took}
        timings["finish"] = whole - took - timings["total"]
        found.whole.append(whole)
        found.bare.append(alone)
        found.worked.append(worked)
        found.bare_worked.append(bare_worked)
        for part in PARTS:
            found.parts[part].append(timings.get(part, 0.0))
    return found


def commit() -> str:
    """The commit that is measured, "-dirty" when files differ from it."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 (the developer's own git)
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip() or "no commit"


def report(measured: list[Measured]) -> Iterator[str]:
    """The lines that are printed and kept."""
    yield f"A whole turn beside a bare pass of the encoder, {clock.now():%Y-%m-%d}, {commit()}"
    yield f"one processor of {os.cpu_count()}, torch threads 1, SQLite in a temporary folder, embedded engine, warm"
    yield ""
    for one in measured:
        ordered = sorted(one.whole)
        late = ordered[int(len(ordered) * 0.95)]
        yield (
            f"{one.language}: turn p50 {statistics.median(ordered):.1f} ms, p95 {late:.1f} ms; "
            f"bare pass p50 {statistics.median(one.bare):.1f} ms; ratio {one.passes:.2f} ({len(ordered)} turns)"
        )
        yield (
            f"    of the processor alone, without waiting for other programs: {statistics.median(one.worked):.1f} ms, "
            f"bare pass {statistics.median(one.bare_worked):.1f} ms, ratio "
            f"{statistics.median(one.worked) / statistics.median(one.bare_worked):.2f}"
        )
        for part in PARTS:
            yield f"    {part:<12}{statistics.median(one.parts[part]):6.2f} ms  {PARTS_MEAN[part]}"
        yield ""
    worst = max(one.passes for one in measured)
    verdict = "holds" if worst <= MOST_PASSES else "DOES NOT HOLD"
    yield f"at most {MOST_PASSES:g} bare passes at the median: {verdict} ({worst:.2f} at most)"


def house(folder: Path) -> None:
    """Django with everything that a run leaves in that folder. Before anything of ours is imported."""
    os.environ["ABRACO_VAR"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "chatbot.settings"
    os.environ.setdefault("ABRACO_CACHE", str(ROOT / "var" / "cache"))
    os.environ["DEBUG"] = "0"  # DEBUG keeps every query in memory
    import django

    django.setup()
    import logging

    logging.disable(logging.INFO)


async def measure(languages: list[Language], count: int) -> list[Measured]:
    from chatbot.chat import engine
    from moderation import screen

    screen.warm()
    await engine.engine_ready()
    bare = bare_pass()
    try:
        return [await turns(language, count=count, bare=bare) for language in languages]
    finally:
        await engine.engines_close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.turn", description=__doc__)
    parser.add_argument("languages", nargs="*", help="en pt-BR es fr (default: all that have a bank)")
    parser.add_argument("--turns", type=int, default=TURNS, help="turns a language, at least 100 to be kept")
    options = parser.parse_args()
    unknown = set(options.languages) - set(LANGUAGES)
    if unknown:
        parser.error(f"unknown language: {', '.join(sorted(unknown))}")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with ExitStack() as stack:
        house(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="abraco-bench-"))))
        from chatbot.chat.terminal import throw_away_database
        from chatbot.core.encoder import encoder_close
        from companion.bank import languages_written

        stack.enter_context(throw_away_database())
        stack.callback(encoder_close)
        chosen = [language for language in languages_written() if language in (options.languages or LANGUAGES)]
        measured = asyncio.run(measure(chosen, options.turns))
    lines = list(report(measured))
    print("\n".join(lines))
    if options.turns >= 100 and not options.languages:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0 if all(one.passes <= MOST_PASSES for one in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
