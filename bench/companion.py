"""Which of twenty replies follows: `python -m bench.companion [language ...]`, in a minute or two.

Conversations that nothing was learnt from (one in twenty, by a hash: training.next_turn.dialogues): open dialogues of
../shared/data/train, and the bank's and the rows' situations that were held back. Of each turn the true reply stands
among 19 others, drawn from other conversations of the same kind, always the same ones. hits@1: how often it is put
first; MRR: the mean of one over its place. The floor is 0.05 and 0.18. Beside it, in the same run: plain MiniLM, by the
likeness of the message and the reply. For scale: TransferTransfo (Wolf et al. 2019) published 80.7 on ConvAI2,
with the speakers' profiles at hand.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from bench.turn import commit
from chatbot.core import clock
from chatbot.core.encoder import Floats, encode
from companion.engines.embedded.next_turn import NextTurn
from companion.types import LANGUAGES
from training.moderation.opened import DataMissing
from training.next_turn.dialogues import OURS, Pair, pairs_all

OUT: Final = Path(__file__).parent / "results" / "companion.txt"
AMONG: Final = 20
MOST: Final = 500  # turns of a kind


def held_back() -> list[tuple[tuple[str, str], list[Pair]]]:
    """By language and source, in an order drawn once. Raises DataMissing."""
    found: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs_all():
        if pair.part == "held":
            found[pair.language, pair.source].append(pair)
    for pairs in found.values():
        random.Random(4).shuffle(pairs)  # noqa: S311
    return sorted(found.items(), key=lambda item: (LANGUAGES.index(item[0][0]), item[0][1]))  # type: ignore[arg-type]


def scored(said: Floats, replies: Floats, groups: Sequence[str]) -> tuple[float, float]:
    """hits@1 and MRR. said, replies: (pairs, 384); pairs of one group are not set against each other."""
    draw = np.random.default_rng(5)
    alike = said @ replies.T
    firsts, ranks = 0, 0.0
    for row, group in enumerate(groups):
        others = [at for at in draw.permutation(len(groups)) if groups[at] != group][: AMONG - 1]
        place = 1 + int((alike[row, others] >= alike[row, row]).sum())
        firsts, ranks = firsts + (place == 1), ranks + 1 / place
    return firsts / len(groups), ranks / len(groups)


async def report(wanted: Collection[str]) -> AsyncIterator[str]:
    tower = NextTurn()
    yield f"What follows what, {clock.now():%Y-%m-%d}, commit {commit()}\n"
    yield f"{'':24}{'pairs':>6}  {'hits@1':>7} {'MRR':>6}     {'plain':>7} {'MRR':>6}"
    dialogues: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for (language, source), pairs in held_back():
        some = pairs[:MOST]
        if language not in wanted or len(some) <= AMONG:
            continue
        groups = [pair.group for pair in some]
        said = np.stack([(await tower.said(pair.before))[0] for pair in some])
        ours = scored(said, tower.replies([pair.reply for pair in some]), groups)
        texts = [encode([pair.before[-1] for pair in some]), encode([pair.reply for pair in some])]
        plain = scored(*(np.stack([one.array for one in found]) for found in texts), groups)
        shown = "     ".join(f"{hits:7.3f} {rank:6.3f}" for hits, rank in (ours, plain))
        yield f"{language:6} {source:17}{len(some):>6}  {shown}"
        if source not in OURS:
            dialogues[language].append((ours[0], plain[0]))
    for language, found in dialogues.items():
        means = np.mean(found, axis=0)
        yield f"\n{language}: mean hits@1 of {len(found)} kinds of dialogues {means[0]:.3f}, plain {means[1]:.3f}"


async def main() -> None:
    lines: list[str] = []
    try:
        async for line in report(sys.argv[1:] or LANGUAGES):
            print(line, flush=True)
            lines.append(line)
    except DataMissing as error:
        sys.exit(str(error))
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
