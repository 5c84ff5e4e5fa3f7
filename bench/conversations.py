"""Conversations to be judged: people talk with the companion, not knowing which replies are controls.

`python -m bench.conversations host FOLDER --lang en --people 10` serves ten throw-away persons through the whole turn,
and waits. Beside it, `python -m bench.conversations say FOLDER '{"1": "hey", "2": "so bored"}'` says one message for
each person named and prints what each got. Three in ten of the engine's replies are controls: the first line of the
exchange whose `said` is nearest to the message by the plain encoder's vector, over the same bank. What was said by whom
stands in FOLDER/transcript.jsonl, one turn a line, with `by` (engine, control, skill, memory, written) for whoever
joins the judgements to it afterwards; judges see FOLDER/blind.jsonl, without it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bench.samples import AFTERNOON
from bench.turn import house
from chatbot.core import clock
from companion.engines.base import EngineUnavailable
from companion.engines.embedded.engine import EmbeddedEngine
from companion.types import LANGUAGES, Delta, Language, Limits, Prompt

CONTROLS = 0.3
POLL_S = 0.05
WAIT_S = 120


class Mixed(EmbeddedEngine):
    """The embedded engine with controls among its replies. `last` says which the last reply was."""

    def __init__(self, cache_dir: Path, seed: int, controls: float) -> None:
        super().__init__(cache_dir=cache_dir)
        self._controls = controls
        self._chance = random.Random(seed)  # noqa: S311  which replies are controls, no secret
        self.last = ""

    def stream(self, prompt: Prompt, limits: Limits) -> AsyncGenerator[Delta, None]:
        control = self._chance.random() < self._controls
        self.last = "control" if control else "engine"
        return self._plain(prompt) if control else super().stream(prompt, limits)

    async def _plain(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        index = await self._index(prompt.language)
        vectors = index._vectors
        if vectors is None or prompt.vector is None:
            raise EngineUnavailable("a control needs the encoder")
        for row in np.argsort(-(vectors[: index._top] @ np.asarray(prompt.vector, dtype=np.float32))):
            free = [line.text for line in index._owners[row].replies if not line.slots]
            if free:
                yield Delta(free[0], end=True)
                return


async def serve(folder: Path, language: Language, people: int, controls: float) -> None:
    from chatbot.chat import engine
    from chatbot.chat.terminal import Newcomer, Terminal, newcomer_make
    from chatbot.core.database import in_database
    from moderation import screen

    screen.warm()
    mixed = Mixed(Path(os.environ["ABRACO_CACHE"]), seed=int(time.time()), controls=controls)
    engine.engine_use(mixed)
    country = {"en": "US-CA", "pt-BR": "BR", "es": "MX", "fr": "FR"}[language]
    newcomer = Newcomer(language=language, country=country)
    terminals = {
        str(n): Terminal(newcomer, await in_database(newcomer_make, newcomer, gates=False))
        for n in range(1, people + 1)
    }
    (folder / "ready").touch()
    while not (folder / "end").exists():
        asked = folder / "say.json"
        if not asked.exists():
            await asyncio.sleep(POLL_S)
            continue
        given = json.loads(asked.read_text(encoding="utf-8"))
        asked.unlink()
        heard = {}
        for who, text in given.items():
            mixed.last = ""
            answer = await terminals[who].say(text)
            by = mixed.last if answer["engine"] not in ("written", "memory", "skill") else answer["engine"]
            heard[who] = {"reply": answer["reply"] or f"({', '.join(answer['notices'])})", "by": by}
            row = {"person": who, "text": text, "reply": heard[who]["reply"]}
            for name, more in (("transcript", {"by": by, "action": answer["action"]}), ("blind", {})):
                with (folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
                    file.write(json.dumps({**row, **more}, ensure_ascii=False) + "\n")
        done = folder / "heard.part"
        done.write_text(json.dumps({who: one["reply"] for who, one in heard.items()}, ensure_ascii=False))
        done.rename(folder / "heard.json")


def say(folder: Path, given: str) -> int:
    """One message for each person named; prints what they heard."""
    texts = json.loads(given)
    part = folder / "say.part"
    part.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    part.rename(folder / "say.json")
    heard = folder / "heard.json"
    until = time.monotonic() + WAIT_S
    while not heard.exists():
        if time.monotonic() > until:
            print("nothing was heard: is the host running?", file=sys.stderr)
            return 1
        time.sleep(POLL_S)
    for who, reply in json.loads(heard.read_text(encoding="utf-8")).items():
        print(f"{who}> {texts[who]}\n   {reply}")
    heard.unlink()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.conversations", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    host = commands.add_parser("host")
    host.add_argument("folder", type=Path)
    host.add_argument("--lang", choices=LANGUAGES, default="en")
    host.add_argument("--people", type=int, default=10)
    host.add_argument("--controls", type=float, default=CONTROLS, help="0 for talks to learn from: none derails them")
    speak = commands.add_parser("say")
    speak.add_argument("folder", type=Path)
    speak.add_argument("texts")
    options = parser.parse_args()
    if options.command == "say":
        return say(options.folder, options.texts)
    options.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        house(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="abraco-bench-"))))
        from chatbot.chat.terminal import throw_away_database
        from chatbot.core.encoder import encoder_close

        stack.enter_context(throw_away_database())
        stack.callback(encoder_close)
        clock.move_to(AFTERNOON)
        asyncio.run(serve(options.folder, options.lang, options.people, options.controls))
    return 0


if __name__ == "__main__":
    sys.exit(main())
