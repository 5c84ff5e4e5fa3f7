"""What choosing a reply costs beside the encoder: `python -m bench.choosing [language ...]`.

Vectors of the message and of the one before are at hand, as they are in a turn.
"""

from __future__ import annotations

import asyncio
import sys
import time

from bench.retrieval import CACHE, messages
from chatbot.core.encoder import encode
from companion.bank import bank_for
from companion.engines.embedded.engine import EmbeddedEngine
from companion.types import LANGUAGES, Language, Line, Prompt


async def measured(language: Language) -> str:
    engine = EmbeddedEngine(cache_dir=CACHE)
    asked = [one.text for one in messages(language)]
    encoded = encode(asked)
    prompts = [
        Prompt(
            text=text,
            language=language,
            band="13-15",
            seed=at,
            vector=one.vector,
            history=(Line("user", asked[at - 1]), Line("companion", "Mm.")),
        )
        for at, (text, one) in enumerate(zip(asked, encoded, strict=True))
    ]
    took: list[float] = []
    for _ in range(3):
        took = []
        for prompt in prompts:
            started = time.perf_counter()
            await engine.reply(prompt)
            took.append((time.perf_counter() - started) * 1000)
    took.sort()
    sentences = sum(1 for _ in encoded)
    size = sum(len(exchange.said) for exchange in bank_for(language).exchanges)
    return (
        f"{language:<6} choosing: p50 {took[sentences // 2]:.1f} ms, p95 {took[int(sentences * 0.95)]:.1f} ms "
        f"({size} ways to say something, {sentences} messages)"
    )


async def main() -> None:
    for language in (language for language in LANGUAGES if language in (sys.argv[1:] or LANGUAGES)):
        if bank_for(language).exchanges:
            print(await measured(language))


if __name__ == "__main__":
    asyncio.run(main())
