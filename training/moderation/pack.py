"""Examples in one file, so that training can run where the data is not:
`python -m training.moderation.pack FOLDER [--written-only] [--opened 0.3]`.

examples.npz: token ids (uint16) and normalised text of all examples, one after another, and what is known of each.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import zlib
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from chatbot.core.encoder.multilingual import BEGIN, END, FOLDER, TOKENIZER
from moderation.detectors.classifier.outputs import AT, OUTPUTS
from moderation.detectors.classifier.reading import BEFORE, BEFORE_TOKENS
from moderation.normalise import normalise
from moderation.types import LANGUAGES
from training.moderation.banked import SOURCE as BANK
from training.moderation.banked import examples_banked
from training.moderation.examples import Example
from training.moderation.opened import DataMissing, counted, examples_opened
from training.moderation.ordinary import SOURCE as ORDINARY
from training.moderation.ordinary import examples_ordinary
from training.moderation.written import examples_written

MOST_TOKENS: Final = 254  # and what marks the begin and the end
OURS: Final = 2.0  # examples of this weight and more carry labels of our own


def examples_all(*, written_only: bool = False) -> list[Example]:
    """Every example once: the same text of two sources counts as the first, the written one."""
    sources: Iterable[Example] = chain(examples_written(), examples_ordinary())
    if not written_only:
        sources = chain(sources, examples_banked(), examples_opened())
    found: dict[tuple[str, bool], Example] = {}
    for example in sources:
        if not example.targets:
            continue
        side = any(name.startswith("reply/") for name in example.targets)
        said = " / ".join((*example.before, example.text))
        found.setdefault((" ".join(said.lower().split()), side), example)
    return list(found.values())


def some_of(examples: Sequence[Example], *, opened: float, ordinary: float) -> list[Example]:
    """What was written for this and what carries labels of ours, and a share of the rest (always the same), which is
    much."""
    shares = {BANK: ordinary, ORDINARY: ordinary}
    return [
        example
        for example in examples
        if (example.source not in shares and example.weight >= OURS)
        or zlib.crc32(example.text.encode("utf-8", "replace")) < shares.get(example.source, opened) * 2**32
    ]


def scene_number(scene: str) -> int:
    """The same for the same scene: for folds, and for telling what stands beside what."""
    return int.from_bytes(hashlib.sha256(f"fold {scene}".encode()).digest()[:4]) >> 1


def examples_pack(examples: Sequence[Example], path: Path) -> None:
    """Each example is a run of segments, what was said before and then the text that is judged, which is the last."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(FOLDER / TOKENIZER))
    begin, end = tokenizer.token_to_id(BEGIN), tokenizer.token_to_id(END)
    encoded = tokenizer.encode_batch(
        [text for example in examples for text in _segments(example)], add_special_tokens=False
    )
    lasts = [last for example in examples for last in _is_last(example)]
    tokens: list[Any] = []
    for found, last in zip(encoded, lasts, strict=True):
        ids = [begin, *found.ids[:MOST_TOKENS], end]
        tokens.append(np.asarray(ids if last else ids[-BEFORE_TOKENS:], np.uint16))
    texts = [_plain(example.text) for example in examples]
    earlier = [_plain("\n".join(example.before[-BEFORE:])) for example in examples]
    targets = np.full((len(examples), len(OUTPUTS)), -1, np.int8)
    for row, example in enumerate(examples):
        for name, value in example.targets.items():
            targets[row, AT[name]] = value
    sources = sorted({example.source for example in examples})
    np.savez_compressed(
        path,
        tokens=np.concatenate(tokens),
        token_ends=np.cumsum([len(ids) for ids in tokens]),
        segment_ends=np.cumsum([len(_segments(example)) for example in examples]),
        texts=np.frombuffer(b"".join(texts), np.uint8),
        text_ends=np.cumsum([len(text) for text in texts]),
        earlier=np.frombuffer(b"".join(earlier), np.uint8),
        earlier_ends=np.cumsum([len(text) for text in earlier]),
        targets=targets,
        weights=np.asarray([example.weight for example in examples], np.float32),
        held=np.asarray([example.part == "held" for example in examples]),
        language=np.asarray([LANGUAGES.index(example.language) for example in examples], np.int8),
        source=np.asarray([sources.index(example.source) for example in examples], np.int8),
        sources=np.asarray(sources),
        scene=np.asarray([scene_number(example.scene) for example in examples], np.int32),
    )


def _segments(example: Example) -> tuple[str, ...]:
    return (*example.before[-BEFORE:], example.text)


def _is_last(example: Example) -> list[bool]:
    return [False] * (len(_segments(example)) - 1) + [True]


def _plain(text: str) -> bytes:
    return normalise(text).text.encode("utf-8", "replace")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--written-only", action="store_true", help="without the open sets")
    parser.add_argument("--opened", type=float, default=1.0, help="share of the open sets' examples")
    parser.add_argument("--ordinary", type=float, default=1.0, help="share of the bank's and of ordinary talk")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        every = examples_all(written_only=options.written_only)
        examples = some_of(every, opened=options.opened, ordinary=options.ordinary)
    except DataMissing as error:
        sys.exit(str(error))
    examples_pack(examples, options.folder / "examples.npz")
    print(f"{len(examples)} examples: {counted(examples)}")


if __name__ == "__main__":
    main()
