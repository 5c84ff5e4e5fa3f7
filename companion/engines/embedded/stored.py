"""Arrays in a file of the cache. A broken or foreign file is the same as none; of two that write at once the last one
wins; a full or read-only disk costs time at the next start, never a reply."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from chatbot.core.files import write_whole


def arrays_read(path: Path, names: Sequence[str]) -> list[np.ndarray[Any, Any]] | None:
    """Those of these names, in their order; None where one is missing."""
    if not path.is_file():
        return None
    try:
        # Opened here: np.load leaves a file that it can't read open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return [stored[name] for name in names]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def arrays_write(path: Path, **arrays: np.ndarray[Any, Any]) -> None:
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    with contextlib.suppress(OSError):
        write_whole(path, content.getvalue())
