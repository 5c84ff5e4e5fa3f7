"""Talks of twenty turns in each language, to be read: `python -m bench.samples [language ...]`, or `make samples`.

The teen's lines stand in bench/data/samples.yaml. Each goes through the real turn (the gate, the screen, memory, the
embedded engine, the check of each sentence) of a throw-away person, and what came back is written to docs/samples.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import yaml

from bench.turn import ROOT, commit, house
from chatbot.core import clock
from companion.types import LANGUAGES, Language

SAMPLES = ROOT / "docs" / "samples"
# An ordinary afternoon, the same in every run: at night the companion is calmer.
AFTERNOON = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Script:
    """What one teen says."""

    language: Language
    country: str
    said: tuple[str, ...]


def scripts() -> list[Script]:
    """The talks of samples.yaml, in the languages' order."""
    given = yaml.safe_load((Path(__file__).parent / "data" / "samples.yaml").read_text(encoding="utf-8"))
    return [
        Script(language, given[language]["country"], tuple(given[language]["said"]))
        for language in LANGUAGES
        if language in given
    ]


async def talk(script: Script) -> list[tuple[str, dict[str, Any]]]:
    """Each line with what `chat --jsonl` would have printed for it."""
    from chatbot.chat.terminal import Newcomer, Terminal, newcomer_make
    from chatbot.core.database import in_database

    newcomer = Newcomer(language=script.language, country=script.country)
    terminal = Terminal(newcomer, await in_database(newcomer_make, newcomer, gates=False))
    return [(text, await terminal.say(text)) for text in script.said]


def page(script: Script, turns: list[tuple[str, dict[str, Any]]], *, made: str) -> Iterator[str]:
    """The talk in Markdown."""
    yield f"# A talk in {script.language}"
    yield ""
    yield f"Made by `python -m bench.samples` {made}, with the embedded engine, for a throw-away person"
    yield f"of 15 in {script.country}. The teen's lines are bench/data/samples.yaml; the rest is as it was said."
    for text, answer in turns:
        reply = answer["reply"] or f"({', '.join(answer['notices']) or answer['finish']})"
        yield ""
        yield f"**Teen:** {text}"
        yield ""
        yield "\n\n".join(f"**Abraço:** {bubble}" for bubble in reply.split("\n"))


def version() -> str:
    """The commit and the day."""
    return f"at {commit()} on {clock.now():%Y-%m-%d}"


async def talks(chosen: list[Script], *, made: str) -> None:
    from chatbot.chat import engine

    await engine.engine_ready()  # a bank that is read for the first time takes longer than a turn may
    try:
        for script in chosen:
            lines = page(script, await talk(script), made=made)
            path = SAMPLES / f"{script.language}.md"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: {len(script.said)} turns")
    finally:
        await engine.engines_close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.samples", description=__doc__)
    parser.add_argument("languages", nargs="*", help="en pt-BR es fr (default: all)")
    options = parser.parse_args()
    unknown = set(options.languages) - set(LANGUAGES)
    if unknown:
        parser.error(f"unknown language: {', '.join(sorted(unknown))}")
    wanted = cast(list[Language], options.languages or list(LANGUAGES))
    SAMPLES.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        house(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="abraco-bench-"))))
        from chatbot.chat.terminal import throw_away_database
        from chatbot.core.encoder import encoder_close

        stack.enter_context(throw_away_database())
        stack.callback(encoder_close)
        made = version()
        clock.move_to(AFTERNOON)
        asyncio.run(talks([script for script in scripts() if script.language in wanted], made=made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
