"""How well the embedded engine finds the right place in the bank: `python -m bench.retrieval [--sweep] [language ...]`.

Messages: bench/data/retrieval.yaml, written for this and not in the bank. Each is said as the first of a talk.
hit: answered from a situation of its topic. elsewhere: answered from another one. not understood: the engine said so.
false match: a `strange` message that was answered as if it had been understood.
--sweep tries other mixtures and thresholds.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from companion.bank import Bank, bank_for
from companion.engines.embedded import index as index_module
from companion.engines.embedded import mind
from companion.engines.embedded.engine import EmbeddedEngine
from companion.types import LANGUAGES, Language, Prompt

CACHE = Path(tempfile.gettempdir()) / "abraco-bench"
GIVES_UP = frozenset(("repair", "anything"))


@dataclass(frozen=True)
class Asked:
    text: str
    topic: str


def messages(language: Language) -> list[Asked]:
    given = yaml.safe_load((Path(__file__).parent / "data" / "retrieval.yaml").read_text(encoding="utf-8"))
    return [Asked(text, topic) for topic, texts in given[language].items() for text in texts]


def topics() -> dict[str, list[str]]:
    given = yaml.safe_load((Path(__file__).parent / "data" / "retrieval.yaml").read_text(encoding="utf-8"))
    return cast(dict[str, list[str]], given["topics"])


def covered(bank: Bank, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for name in bank.situations for pattern in patterns)


async def verdicts(language: Language, engine: EmbeddedEngine) -> Iterator[tuple[Asked, str, str]]:
    """(message, verdict, line id) for each message that the bank could know, and for each it couldn't."""
    bank, wanted = bank_for(language), topics()
    found = []
    for asked in messages(language):
        if asked.topic != "strange" and not covered(bank, wanted[asked.topic]):
            continue
        reply = await engine.reply(Prompt(text=asked.text, language=language, band="13-15", seed=len(asked.text)))
        line_id = reply.chosen[-1].line.id
        owner = bank.owners[line_id]
        if reply.step in GIVES_UP or owner.act == "keyboard_mash":
            verdict = "not understood"
        elif asked.topic == "strange":
            verdict = "false match"
        else:
            names = (owner.situation, f"act:{owner.act}")
            fits = any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in wanted[asked.topic])
            verdict = "hit" if fits else "elsewhere"
        found.append((asked, verdict, line_id))
    return iter(found)


async def measured(language: Language, engine: EmbeddedEngine, *, show: bool = False) -> str:
    on: Counter[str] = Counter()
    off: Counter[str] = Counter()
    started = time.perf_counter()
    for asked, verdict, line_id in await verdicts(language, engine):
        (off if asked.topic == "strange" else on)[verdict] += 1
        if show and verdict not in ("hit",) and not (asked.topic == "strange" and verdict == "not understood"):
            print(f"    {verdict:<15}{asked.topic:<10}{asked.text}  ->  {line_id}")
    took = (time.perf_counter() - started) * 1000 / max(1, on.total() + off.total())
    shares = "  ".join(
        f"{name} {on[name] / max(1, on.total()):6.1%}" for name in ("hit", "elsewhere", "not understood")
    )
    false = off["false match"] / max(1, off.total())
    return f"{language:<6}{on.total():>4}: {shares} | {off.total()} strange: false match {false:6.1%} | {took:.1f} ms"


async def sweep(language: Language) -> None:
    for share in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        index_module.VECTOR_SHARE = {**index_module.VECTOR_SHARE, language: share}
        engine = EmbeddedEngine(cache_dir=CACHE)
        for enough in (0.26, 0.30, 0.34, 0.38, 0.42, 0.46):
            mind.ENOUGH = enough
            print(f"share {share:.1f} enough {enough:.2f}  {await measured(language, engine)}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("languages", nargs="*")
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--show", action="store_true", help="print what was not a hit")
    options = parser.parse_args()
    for language in options.languages or LANGUAGES:
        if not bank_for(language).exchanges:
            print(f"{language:<6} the bank has nothing yet")
        elif options.sweep:
            await sweep(language)
        else:
            print(await measured(language, EmbeddedEngine(cache_dir=CACHE), show=options.show))


if __name__ == "__main__":
    asyncio.run(main())
