"""Whether a written row is a sentence of an evaluation set, or nearly: `python -m training.moderation.overlap`.

Nobody who writes rows sees these sets; this looks for what was met by chance or from memory. A row whose runs of three
words are mostly those of a set's sentence (Jaccard over 0.4), or whose words are the same, is named and has to go.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from training.moderation.duplicates import runs_of_three
from training.moderation.written import rows_read

ROOT: Final = Path(__file__).resolve().parents[2]
DEV: Final = ROOT.parent / "shared" / "data" / "dev"
OURS: Final = (ROOT / "bench" / "data", ROOT / "tests" / "moderation" / "sets")
HELD_BACK: Final = ROOT / "bench" / "data" / "held_back"
FIELDS: Final = ("prompt", "text", "test_case")
ALIKE: Final = 0.4


def sentences() -> Iterator[tuple[str, str]]:
    """Each sentence of the evaluation sets, with the set's name."""
    for path in sorted(DEV.rglob("*.jsonl*")):
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield from ((str(row[field]), path.parent.name) for field in FIELDS if row.get(field))
    for folder in OURS:
        for path in sorted(folder.rglob("*.yaml")):
            yield from ((text, path.name) for text in _strings(yaml.safe_load(path.read_text(encoding="utf-8"))))
    yield from ((line, "held_back") for row in rows_read(HELD_BACK) for line in (*row.lines, row.reply) if line)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def main() -> None:
    known: dict[tuple[str, ...], list[int]] = defaultdict(list)
    sets = [(text, name, runs_of_three(text)) for text, name in sentences() if len(text.split()) >= 3]
    for at, (_, _, runs) in enumerate(sets):
        for run in runs:
            known[run].append(at)
    found = 0
    for row in rows_read():
        own = runs_of_three(row.text)
        shared: dict[int, int] = defaultdict(int)
        for run in own:
            for at in known.get(run, ()):
                shared[at] += 1
        for at, common in shared.items():
            text, name, runs = sets[at]
            if common / (len(own) + len(runs) - common) > ALIKE:
                found += 1
                print(f"{row.place} | {row.text[:90]} | {name}: {text[:90]}")
                break
    print(f"{found} rows to take away")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
