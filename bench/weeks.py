"""Twenty weeks of one person's life, and what is remembered of them: `python -m bench.weeks [language ...]`.

bench/data/weeks holds what four people type, with the moment of each message (and in .events.md what should be known
after each). Every message goes through the real turn of a throw-away person with the clock at its moment; what memory
answered, and the memory page at the end, are written to docs/samples.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

from bench.samples import SAMPLES, version
from bench.turn import ROOT, house
from companion.types import LANGUAGES, Language

DATA: Final = Path(__file__).parent / "data" / "weeks"
COUNTRIES: Final[dict[Language, str]] = {"en": "GB", "pt-BR": "BR", "es": "UY", "fr": "BE"}


@dataclass(frozen=True)
class Line:
    at: str
    text: str


def lines_of(language: Language) -> list[Line]:
    raw = (DATA / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" || ", 1) for line in raw if line.strip())
    return [Line(at.strip(), text.strip()) for at, text in pairs]


async def lived(language: Language) -> tuple[list[tuple[Line, dict[str, Any]]], list[dict[str, Any]]]:
    """Each message with what `chat --jsonl` would have printed for it, and what is remembered at the end."""
    from chatbot.chat.terminal import Newcomer, Terminal, newcomer_make
    from chatbot.core import clock
    from chatbot.core.database import in_database

    lines = lines_of(language)
    clock.move_to(datetime.fromisoformat(lines[0].at))
    newcomer = Newcomer(language=language, country=COUNTRIES[language])
    terminal = Terminal(newcomer, await in_database(newcomer_make, newcomer, gates=False))
    days = sorted({line.at[:10] for line in lines})
    turns = []
    for line in lines:
        given: dict[str, Any] = {"session": days.index(line.at[:10]), "text": line.text}
        if datetime.fromisoformat(line.at) > clock.now():  # else it comes after the last
            given["at"] = line.at
        answer = await terminal.line(json.dumps(given))
        turns.append((line, cast(dict[str, Any], answer)))
    known = await terminal.line(json.dumps({"memory": True}))
    return turns, cast(list[dict[str, Any]], known)


def page(
    language: Language, turns: list[tuple[Line, dict[str, Any]]], known: list[dict[str, Any]], *, made: str
) -> Iterator[str]:
    """In Markdown: what is known, what was and is no more, and where memory spoke."""
    yield f"# Twenty weeks in {language}"
    yield ""
    yield f"Made by `python -m bench.weeks` {made}, with the embedded engine, for a throw-away person in"
    yield f"{COUNTRIES[language]}. The messages are bench/data/weeks/{language}.txt; nothing was put right by hand."
    yield ""
    yield "## What the memory page shows at the end"
    for title, state in (("What holds", "current"), ("What was, and is kept as history", "closed")):
        yield ""
        yield f"### {title}"
        yield ""
        for row in sorted(known, key=lambda row: (row["kind"], row["since"])):
            if (state == "current") == ("until" not in row):
                until = f" to {row['until'][:10]}" if "until" in row else ""
                yield f"- {row['kind']}: {row['text']} ({row['since'][:10]}{until})"
    yield ""
    yield "## Where memory was asked, or spoke"
    for line, answer in turns:
        if answer["engine"] == "memory" or answer["memories_used"]:
            yield ""
            yield f"{line.at[:10]} **Teen:** {line.text}"
            yield ""
            yield "\n\n".join(f"**Abraço:** {bubble}" for bubble in answer["reply"].split("\n"))


async def weeks(chosen: list[Language], *, made: str) -> None:
    from chatbot.chat import engine

    await engine.engine_ready()
    try:
        for language in chosen:
            turns, known = await lived(language)
            path = SAMPLES / f"weeks.{language}.md"
            path.write_text("\n".join(page(language, turns, known, made=made)) + "\n", encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: {len(turns)} messages, {len(known)} remembered")
    finally:
        await engine.engines_close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.weeks", description=__doc__)
    parser.add_argument("languages", nargs="*", help="en pt-BR es fr (default: all)")
    options = parser.parse_args()
    unknown = set(options.languages) - set(LANGUAGES)
    if unknown:
        parser.error(f"unknown language: {', '.join(sorted(unknown))}")
    wanted = cast(list[Language], options.languages or list(LANGUAGES))
    with ExitStack() as stack:
        house(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="abraco-bench-"))))
        from chatbot.chat.terminal import throw_away_database
        from chatbot.core.encoder import encoder_close

        stack.enter_context(throw_away_database())
        stack.callback(encoder_close)
        asyncio.run(weeks(wanted, made=version()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
