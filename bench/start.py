"""What the engine's first minute costs: `python -m bench.start`.

Seconds of processor time until each language can be answered, with what was parsed and counted at an earlier start, and
without it (the sentences' vectors are there both times). The last output stands in bench/results/start.txt.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.turn import ROOT, commit
from chatbot.core import clock
from companion.bank import languages_written
from companion.engines.embedded.engine import EmbeddedEngine
from companion.types import Language

CACHE: Final = ROOT / "var" / "cache"
RESULTS: Final = Path(__file__).parent / "results" / "start.txt"


def seconds(language: Language, cache: Path) -> float:
    engine = EmbeddedEngine(cache_dir=cache)
    began = time.process_time()
    engine._built(language)
    return time.process_time() - began


def vectors_only(folder: Path) -> Path:
    for path in CACHE.glob("*.npz"):
        if not path.name.startswith("counted-"):
            shutil.copy(path, folder)
    return folder


def report() -> Iterator[str]:
    yield f"A start of the engine, {clock.now():%Y-%m-%d}, commit {commit()}"
    yield "From nothing but the vectors, and from what an earlier start kept (processor seconds)"
    for language in languages_written():
        seconds(language, CACHE)  # everything is there, and every module is imported
        with tempfile.TemporaryDirectory() as folder:
            anew = seconds(language, vectors_only(Path(folder)))
            kept = seconds(language, Path(folder))
        yield f"  {language:6} anew {anew:5.2f}   kept {kept:5.2f}   ratio {kept / anew:.2f}"


def main() -> None:
    lines = list(report())
    print("\n".join(lines))
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
