"""Pairs in one small file, so that training can run where neither the data nor the tokenizer is:
`python -m training.next_turn.pack FOLDER`. The encoder beside it is that of training.moderation.pack.

pairs.npz: every line once as token ids (uint16), and of each pair the places of its lines in that table.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from chatbot.core.encoder import model_directory
from companion.engines.embedded.next_turn import BEFORE, TOKENS
from companion.types import LANGUAGES
from training.moderation.opened import DataMissing
from training.next_turn.dialogues import OURS, Pair, pairs_all
from training.next_turn.english import encoder_pack

PARTS: Final = ("learn", "choose", "held")


def pairs_pack(pairs: Sequence[Pair], path: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model_directory() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    lines = list(dict.fromkeys(line for pair in pairs for line in (*pair.before, pair.reply)))
    at = {line: number for number, line in enumerate(lines)}
    encoded = tokenizer.encode_batch(lines, add_special_tokens=False)
    tokens = [np.asarray([cls, *found.ids, sep][-TOKENS:], np.uint16) for found in encoded]
    before = np.full((len(pairs), BEFORE + 1), -1, np.int32)
    for row, pair in enumerate(pairs):
        before[row, BEFORE + 1 - len(pair.before) :] = [at[line] for line in pair.before]
    groups = dict[str, int]()
    np.savez_compressed(
        path,
        tokens=np.concatenate(tokens),
        token_ends=np.cumsum([len(ids) for ids in tokens]),
        before=before,
        reply=np.asarray([at[pair.reply] for pair in pairs], np.int32),
        group=np.asarray([groups.setdefault(pair.group, len(groups)) for pair in pairs], np.int32),
        language=np.asarray([LANGUAGES.index(pair.language) for pair in pairs], np.int8),
        ours=np.asarray([pair.source in OURS for pair in pairs]),
        part=np.asarray([PARTS.index(pair.part) for pair in pairs], np.int8),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        pairs = pairs_all()
    except DataMissing as error:
        sys.exit(str(error))
    pairs_pack(pairs, options.folder / "pairs.npz")
    if not (options.folder / "encoder.safetensors").is_file():
        encoder_pack(options.folder / "encoder.safetensors")
    counted = Counter((pair.source, pair.language, pair.part) for pair in pairs)
    print(f"{len(pairs)} pairs: {dict(sorted(counted.items()))}")


if __name__ == "__main__":
    main()
