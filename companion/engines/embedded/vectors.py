"""Sentence vectors of the bank, kept on disk so that only new sentences are encoded at a start."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from chatbot.core.encoder import MODEL_SHA256, SIZE, encode
from chatbot.core.encoder.values import Floats
from companion.engines.embedded.stored import arrays_read, arrays_write

Encode = Callable[[Sequence[str]], Floats]


def encoded(texts: Sequence[str]) -> Floats:
    """(n, 384) float32 of unit length, by the shared encoder. Raises EncoderError."""
    return np.stack([found.array for found in encode(texts)]) if texts else np.zeros((0, SIZE), np.float32)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class VectorCache:
    """One file per name and encoder in `directory` (float16, about 0.8 KB a sentence). None: nothing is kept."""

    def __init__(self, directory: Path | None, *, encode: Encode = encoded) -> None:
        self._directory = directory
        self._encode = encode
        self._lock = threading.Lock()

    def vectors(self, name: str, texts: Sequence[str]) -> Floats:
        """(n, 384) float32 for the texts, in their order."""
        if not texts:
            return np.zeros((0, SIZE), np.float32)
        keys = [_key(text) for text in texts]
        with self._lock:
            rows, at = self._read(name)
            new = {key: text for key, text in zip(keys, texts, strict=True) if key not in at}
            if new:
                rows = np.concatenate([rows, self._encode(list(new.values())).astype(np.float16)])
                at.update(zip(new, range(len(rows) - len(new), len(rows)), strict=True))
                kept = list(dict.fromkeys(keys))
                self._write(name, kept, rows[[at[key] for key in kept]])
        found = rows[[at[key] for key in keys]].astype(np.float32)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(lengths, 1e-9), dtype=np.float32)

    def _path(self, name: str) -> Path | None:
        return None if self._directory is None else self._directory / f"{name}-{MODEL_SHA256[:12]}.npz"

    def _read(self, name: str) -> tuple[np.ndarray, dict[bytes, int]]:
        """What is kept, and which row of it is whose."""
        nothing = np.zeros((0, SIZE), np.float16)
        path = self._path(name)
        stored = None if path is None else arrays_read(path, ("keys", "rows"))
        if stored is None:
            return nothing, {}
        keys, rows = stored
        if rows.ndim != 2 or rows.shape[1] != SIZE or rows.dtype != np.float16 or keys.shape != (len(rows), 16):
            return nothing, {}
        return rows, {bytes(key): number for number, key in enumerate(keys)}

    def _write(self, name: str, kept: Sequence[bytes], rows: np.ndarray) -> None:
        path = self._path(name)
        if path is not None:
            keys = np.frombuffer(b"".join(kept), dtype=np.uint8).reshape(len(kept), 16)
            arrays_write(path, keys=keys, rows=rows)
