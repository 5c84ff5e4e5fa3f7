"""Static files, packed: a phone on a thin line gets a third of the bytes, without a step of the operator's."""

from __future__ import annotations

import gzip
import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from chatbot.core.files import write_whole

PACKED = frozenset({".css", ".js", ".svg", ".webmanifest", ".json"})


class PackedFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # whitenoise ships no types
    """whitenoise, which serves a packed twin where there is one, with the twins made by ourselves."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        """A folder that nobody filled (`collectstatic` is no step here) is nothing to warn of at each start."""
        if Path(root).is_dir():
            super().add_files(root, prefix)

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> Any:
        plain = super().get_static_file(path, url, stat_cache=stat_cache)
        if Path(path).suffix not in PACKED:
            return plain
        stat = os.stat(path)
        twin = _twin(path, stat.st_mtime_ns, stat.st_size)
        if twin is None or not twin.exists():
            return plain
        headers = Headers([])
        self.add_mime_headers(headers, path, url)
        self.add_cache_headers(headers, path, url)
        if self.allow_all_origins:
            headers["Access-Control-Allow-Origin"] = "*"
        return StaticFile(path, headers.items(), encodings={"gzip": str(twin)})


@lru_cache(maxsize=1024)
def _twin(path: str, _mtime: int, _size: int) -> Path | None:
    """The packed twin of a file as it is now; None where it can't be written, and the file goes out as it is."""
    text = Path(path).read_bytes()
    folder = Path(settings.VAR_DIR) / "packed"
    twin = folder / f"{hashlib.sha256(text).hexdigest()[:32]}.gz"
    if twin.exists():
        return twin
    try:
        write_whole(twin, gzip.compress(text, 9, mtime=0))  # another process may be serving it already
    except OSError:
        return None
    return twin
