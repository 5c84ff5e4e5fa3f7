"""Weights that are opened only as they were released."""

from __future__ import annotations

import hashlib
from pathlib import Path


def pinned(path: Path, sha256: str) -> bytes:
    """The file's content. Raises OSError where it can't be read, ValueError where it is another file."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"it is not the pinned one: sha256 {found}")
    return content
