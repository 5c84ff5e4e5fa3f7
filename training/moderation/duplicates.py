"""How many of the written rows a template could have made: `python -m training.moderation.duplicates [--show N]`.

Two measures, over rows of the same language and side. By words: the share of rows whose runs of three words are mostly
those of another row (Jaccard over 0.5). By meaning: the share whose sentence vector is nearly that of another row with
the same labels (cosine over 0.95; for English, where the encoder is at home). Both should stay under 5%.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from chatbot.core.encoder import encode
from moderation.types import LANGUAGES
from training.moderation.written import Row, rows_read

WORDS_ALIKE = 0.5
MEANING_ALIKE = 0.95
_WORD = re.compile(r"\w+")


def runs_of_three(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return frozenset(tuple(words[at : at + 3]) for at in range(len(words) - 2)) or frozenset({tuple(words)})


def alike_by_words(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    """Each row that is mostly another, earlier one, with that one."""
    known: dict[tuple[str, ...], list[int]] = defaultdict(list)
    runs = [runs_of_three(f"{' '.join(row.before)} {row.text}") for row in rows]
    for at, own in enumerate(runs):
        shared: dict[int, int] = defaultdict(int)
        for run in own:
            for other in known[run]:
                shared[other] += 1
            known[run].append(at)
        for other, common in shared.items():
            if common / (len(own) + len(runs[other]) - common) > WORDS_ALIKE:
                yield rows[at], rows[other]
                break


def alike_by_meaning(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    vectors = np.stack([one.array for one in encode([row.text for row in rows])])
    for start in range(0, len(rows), 1024):
        close = vectors[start : start + 1024] @ vectors.T
        for at in range(close.shape[0]):
            mine = start + at
            close[at, mine:] = 0  # earlier rows only
            other = int(close[at].argmax())
            if close[at, other] > MEANING_ALIKE and rows[mine].labels == rows[other].labels:
                yield rows[mine], rows[other]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", type=int, default=0, help="print so many pairs of each kind")
    options = parser.parse_args(arguments)
    every = list(rows_read())
    for language in LANGUAGES:
        rows = [row for row in every if row.language == language]
        measures = {"words": alike_by_words(rows)}
        if language == "en":
            measures["meaning"] = alike_by_meaning(rows)
        for name, pairs in measures.items():
            found = list(pairs)
            print(f"{language}: {len(rows)} rows, alike by {name}: {len(found)} ({len(found) / len(rows):.2%})")
            for one, other in found[: options.show]:
                print(f"    {one.place} {one.text[:70]!r}\n    {other.place} {other.text[:70]!r}")


if __name__ == "__main__":
    main()
