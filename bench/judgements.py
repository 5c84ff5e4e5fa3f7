"""What readers said of held conversations: `python -m bench.judgements`, over the folders of docs/evaluation.

Each folder has `transcript.jsonl`, as bench.conversations kept it, and `judged.jsonl`, one line a turn: `sensible`,
`specific` (Adiwardana et al. 2020), `talked_down`, each 0 or 1, given blind to where a reply came from. Printed, and
kept in bench/results/judgements.txt: shares by source, with controls (plain nearest neighbours) beside the engine.
"""

from __future__ import annotations

import collections
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.turn import ROOT, commit

FOLDER = ROOT / "docs" / "evaluation"
RESULTS = Path(__file__).parent / "results" / "judgements.txt"
MARKS = ("sensible", "specific", "talked_down")
SOURCES = ("engine", "control", "skill", "memory", "written")


def turns(folder: Path) -> Iterator[tuple[dict[str, str], dict[str, int]]]:
    """Each turn with what was said of it. Raises ValueError where a turn has no judgement."""
    said = [json.loads(line) for line in (folder / "transcript.jsonl").read_text(encoding="utf-8").splitlines()]
    given = {
        one["line"]: one for one in map(json.loads, (folder / "judged.jsonl").read_text(encoding="utf-8").splitlines())
    }
    for number, turn in enumerate(said, start=1):
        if number not in given:
            raise ValueError(f"{folder.name}: turn {number} was not judged")
        yield turn, given[number]


def table(folder: Path) -> Iterator[str]:
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    people, written = set(), set()
    for turn, judged in turns(folder):
        people.add(turn["person"])
        if turn["by"] == "written":
            written.add(turn["person"])
        for source in (turn["by"], "all"):
            counts[source]["turns"] += 1
            counts[source].update({mark: judged[mark] for mark in MARKS})
    turned = f"{len(written)} with a written answer"
    yield f"{folder.name}: {len(people)} conversations ({turned}), {counts['all']['turns']} turns"
    yield f"  {'':<10}{'turns':>6}" + "".join(f"{mark:>13}" for mark in MARKS)
    for source in (*SOURCES, "all"):
        if found := counts.get(source):
            yield f"  {source:<10}{found['turns']:>6}" + "".join(
                f"{found[mark] / found['turns']:>13.1%}" for mark in MARKS
            )


def main() -> int:
    lines = [f"Judged conversations, commit {commit()}"]
    for folder in sorted(path for path in FOLDER.iterdir() if path.is_dir()):
        lines += ["", *table(folder)]
    print("\n".join(lines))
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
