"""Encodes the bank ahead of the first start: `python -m companion.engines.embedded CACHE_DIR`.

Where nothing changed since the last time it only compares digests. Two at once are fine: the last one's files stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

from chatbot.core.encoder import MODEL_SHA256
from companion.bank import bank_digest, languages_written
from companion.engines.embedded.next_turn import SHA256

MARK = "bank.json"


def digests() -> dict[str, str]:
    """What the vectors depend on: the weights of both readers, and every written language's files."""
    return {
        "weights": MODEL_SHA256,
        "next_turn": SHA256,
        **{language: bank_digest(language) for language in languages_written()},
    }


def is_fresh(cache: Path, wanted: dict[str, str]) -> bool:
    """Whether the cache was made of exactly this, and is still there."""
    with contextlib.suppress(OSError, ValueError):
        stored = json.loads((cache / MARK).read_text(encoding="ascii"))
        languages = [name for name in wanted if name not in ("weights", "next_turn")]
        there = {path.name.rpartition("-")[0] for path in cache.glob("*.npz")}
        return bool(stored == wanted and there.issuperset(languages))
    return False


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    cache, wanted = Path(sys.argv[1]), digests()
    if is_fresh(cache, wanted):
        return 0
    print("Preparing the companion's lines (once, and after they change; a minute or two) ...", flush=True)
    # Imported here: a run that has nothing to do should be quick.
    from chatbot.core.encoder import encoder
    from companion.engines.base import EngineError
    from companion.engines.embedded.engine import EmbeddedEngine

    encoder.configure(threads=os.cpu_count() or 1)  # nobody else needs the machine yet
    try:
        asyncio.run(EmbeddedEngine(cache_dir=cache).ready())
    except EngineError as error:
        print(f"The companion's lines can't be prepared: {error}", file=sys.stderr)
        return 1
    with contextlib.suppress(OSError):  # the next run does it again
        new = cache / f"{MARK}.new"
        new.write_text(json.dumps(wanted), encoding="ascii")
        new.replace(cache / MARK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
