"""Encodes the bank ahead of the first start: `python -m companion.engines.embedded CACHE_DIR`."""

from __future__ import annotations

import asyncio
import sys

from companion.engines.embedded.engine import EmbeddedEngine


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    asyncio.run(EmbeddedEngine(cache_dir=sys.argv[1]).ready())
    return 0


if __name__ == "__main__":
    sys.exit(main())
