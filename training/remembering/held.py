"""What weights find in rows that were kept back: how likely each thing told is right by what is seen of it, and where
the cut has to be: `python -m training.remembering.held WEIGHTS OUT.safetensors [--held 0.12]`.

WEIGHTS is what training.remembering.train wrote (or what ships), which had not read these rows. OUT is the same with
the chances learnt from them, as it ships.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file, save_file

from bench.remembering import Item
from chatbot.core.encoder import TRUNK, Floats
from chatbot.core.encoder.eight import widened
from chatbot.core.encoder.multilingual import multilingual
from companion.memory.dates import times_in
from companion.memory.tagger import Tagger
from companion.memory.told import Told, Window, told_in
from training.remembering.examples import Example, example_of
from training.remembering.rows import Row, is_held, rows_read

WANTED: Final = (0.92, 0.85, 0.80)
FOLDS: Final = 10
RIDGE: Final = 30.0
STEPS: Final = 12
TOGETHER: Final = 512  # rows that the encoder is asked for at once
Wide = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """A thing told, and whether it was."""

    row: int
    kind: str
    seen: Floats
    right: bool


@dataclass(frozen=True)
class Chances:
    """weight: (SEEN,)."""

    weight: Floats
    bias: float

    def odds(self, seen: Floats) -> Floats:
        return np.asarray(seen @ self.weight + self.bias, np.float32)


def tagged(net: Tagger, rows: Sequence[Row]) -> Iterator[tuple[Example, Floats]]:
    """Rows that fit one window, as the product reads them, and how likely their tags are: (tokens, channels, 3)."""
    for start in range(0, len(rows), TOGETHER):
        some = rows[start : start + TOGETHER]
        encoded = multilingual().encode([row.text for row in some], heads=(TRUNK,))
        for row, one in zip(some, encoded, strict=True):
            if len(one.hidden) == 1:
                example = example_of(row, one.places[0])
                yield example, net.tags(one.hidden[0], example.tokens, example.said)


def judged(number: int, example: Example, tags: Any) -> Iterator[Judged]:
    """Surest first, each beside those that were told and are not found yet."""
    row = example.row
    left = [Item.read(fact) for fact in row.facts]
    window = Window(row.text, row.language, example.tokens, tags, example.places)
    told = told_in(window, times_in(row.text, row.at.date(), row.language))
    for one in sorted(told, key=lambda one: -one.span.sure):
        item = _item(one)
        same = next((other for other in left if item.is_same(other)), None)
        if same is not None:
            left.remove(same)
        yield Judged(number, one.kind, one.seen, same is not None)


def _item(told: Told) -> Item:
    day = told.day.isoformat() if told.day and told.kind in ("plan", "moved") else ""
    return Item(told.kind, told.value, told.who, day)


def chances_learn(found: Sequence[Judged]) -> Chances:
    """Logistic regression with a ridge, by Newton's steps, on numbers of mean 0 and width 1."""
    seen = np.stack([one.seen for one in found]).astype(np.float64)
    right = np.array([one.right for one in found], np.float64)
    middle, width = seen.mean(0), seen.std(0) + 1e-3
    given: Wide = np.column_stack([(seen - middle) / width, np.ones(len(seen))])
    ridge = np.diag([RIDGE] * seen.shape[1] + [0.0])
    weight = np.zeros(given.shape[1])
    for _ in range(STEPS):
        likely = 1 / (1 + np.exp(-(given @ weight)))
        slope = given.T @ (likely - right) + ridge @ weight
        bend = (given * (likely * (1 - likely))[:, None]).T @ given + ridge
        weight -= np.linalg.solve(bend, slope)
    own = weight[:-1] / width
    return Chances(own.astype(np.float32), float(weight[-1] - own @ middle))


def report(examples: Sequence[Example], tags: Sequence[Any]) -> tuple[list[str], Chances]:
    """What to print, and the chances learnt from all of them. What is printed of them is measured on rows that they
    were not learnt from."""
    told = Counter(fact["kind"] for example in examples for fact in example.row.facts)
    found = [one for number, pair in enumerate(zip(examples, tags, strict=True)) for one in judged(number, *pair)]
    if not found:
        raise ValueError("these weights find nothing in the rows that were kept back")
    right = sum(one.right for one in found)
    lines = [f"all: precision {right / len(found):.3f}, recall {right / told.total():.3f} of {told.total()}"]
    odds = np.zeros(len(found), np.float32)
    fold = np.array([one.row % FOLDS for one in found])
    for number in range(FOLDS):
        chances = chances_learn([one for one, part in zip(found, fold, strict=True) if part != number])
        odds[fold == number] = chances.odds(np.stack([one.seen for one in found]))[fold == number]
    for wanted in WANTED:
        cut = _cut(found, odds, wanted)
        kept = [one for one, value in zip(found, odds, strict=True) if value >= cut]
        share = sum(one.right for one in kept) / told.total()
        lines.append(f"precision {wanted}: recall {share:.3f} above a chance of {1 / (1 + np.exp(-cut)):.3f}")
        by = (f"{kind} {sum(one.right for one in kept if one.kind == kind)}/{count}" for kind, count in told.items())
        lines.append(f"  {', '.join(by)}")
    return lines, chances_learn(found)


def _cut(found: Sequence[Judged], odds: Floats, wanted: float) -> float:
    """The lowest that holds the precision."""
    right, best = 0, float("inf")
    for count, at in enumerate(np.argsort(-odds), 1):
        right += found[at].right
        if right >= wanted * count:
            best = float(odds[at])
    return best


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--held", type=float, default=0.12, help="share of the rows that was kept back")
    options = parser.parse_args(arguments)
    rows = [row for row in rows_read() if is_held(row.text, options.held)]
    weights = load_file(options.weights)
    net = Tagger({name: torch.from_numpy(value) for name, value in widened(weights).items()})
    examples, tags = zip(*tagged(net, rows), strict=True)
    lines, chances = report(examples, tags)
    print(f"{len(examples)} rows kept back", *lines, sep="\n  ", flush=True)
    weights |= {"chance.weight": chances.weight, "chance.bias": np.array([chances.bias], np.float32)}
    save_file(weights, options.out)


if __name__ == "__main__":
    main()
