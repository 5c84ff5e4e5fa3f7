"""Weights that are opened only as they were released."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np


def pinned(path: Path, sha256: str) -> bytes:
    """The file's content. Raises OSError where it can't be read, ValueError where it is another file."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"it is not the pinned one: sha256 {found}")
    return content


def arrays_pinned(path: Path, sha256: str) -> dict[str, np.ndarray[Any, Any]]:
    """Of an .npz file. Raises OSError where it can't be read, ValueError where it is another file or none of arrays."""
    try:
        with np.load(io.BytesIO(pinned(path, sha256)), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (EOFError, BadZipFile) as error:
        raise ValueError(str(error)) from error
