"""What was deleted for good, by its ids, in a file beside the database: a backup must not bring it back.

A backup holds the keys and the rows of its day. So an id is written down here when it goes, and what a restored
database has of it goes again: before a server serves, every hour, and by `manage.py restored`. A line is a kind and an
id, and says nothing about anybody once the row is gone.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import re
import stat
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.conf import settings

from chatbot.core import metrics
from chatbot.core.jobs import sweep

log = structlog.get_logger()
Again = Callable[[Collection[uuid.UUID]], int]
Known = Callable[[], Iterable[uuid.UUID]]
AT_ONCE = 500
_LINE = re.compile(r"([a-z]+) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class ListUnreadable(Exception):
    """The list is there and can't be read. The text says what to do."""


@dataclass(frozen=True)
class _Kind:
    again: Again
    known: Known | None


_kinds: dict[str, _Kind] = {}


def gone_kind(name: str, *, again: Again, known: Known | None = None) -> None:
    """Register a kind of thing that is deleted for good. `again`: deletes those of the ids that are back, and says how
    many; twice is harmless. `known`: what the database itself knows to be gone, for a list that was lost."""
    _kinds[name] = _Kind(again, known)


def gone_note(name: str, ids: Iterable[uuid.UUID]) -> bool:
    """Write down that these are gone for good. True once it is on the disk; False where it can't be written, which is
    logged, counted, and said by `doctor`."""
    lines = [f"{name} {one}" for one in ids]
    try:
        _append(_path(), lines)
    except OSError as error:
        log.error("gone_not_noted", part=name, error=type(error).__name__)
        metrics.JOBS_FAILED.labels("core.gone").inc()
        return False
    return True


def gone_take(other: Path) -> int:
    """Add another machine's list, or a saved one, to this machine's. Number of lines that were new. Raises OSError."""
    if not other.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    known = set(_ids(_path()))
    new = [one for one in dict.fromkeys(_ids(other)) if one not in known]
    _append(_path(), [f"{name} {one}" for name, one in new])
    return len(new)


def gone_again() -> dict[str, int]:
    """Delete again whatever is back of what was deleted for good: by kind, how much. Raises ListUnreadable."""
    found = dict.fromkeys(_kinds, 0)
    try:
        for name, kind in _kinds.items():
            _complete(name, kind)
            ids = (one for other, one in _ids(_path()) if other == name)
            while some := list(itertools.islice(ids, AT_ONCE)):
                found[name] += kind.again(some)
    except OSError as error:
        raise ListUnreadable(_sentence(error)) from None
    return found


def _complete(name: str, kind: _Kind) -> None:
    """Note what the database knows to be gone and this machine's list does not."""
    if kind.known is not None:
        listed = {one for other, one in _ids(_path()) if other == name}
        gone_note(name, [one for one in kind.known() if one not in listed])


@sweep("core.gone", every_s=3600, everywhere=True)
def gone_look() -> int:
    """The same, for a database that was restored under running processes, and for each machine's own list."""
    return sum(gone_again().values())


def gone_wrong() -> str | None:
    """Why the list can't be used, in a sentence that says what to do; None when all is well."""
    path = _path()
    try:
        for _ in _ids(path):
            break
        _append(path, [])
    except OSError as error:
        return _sentence(error)
    return None


def _sentence(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return (
        f"The list of what was deleted for good, {_path()}, can't be used ({reason}): give this process the right to "
        "read and write it, and room on the disk."
    )


def _path() -> Path:
    return Path(settings.GONE_FILE)


def _append(path: Path, lines: Iterable[str]) -> None:
    """Add lines, one process at a time. A line that a crash cut off is closed first, so that it spoils no other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(handle, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        if size and os.pread(handle, 1, size - 1) != b"\n":
            file.write(b"\n")
        text = "".join(f"{line}\n" for line in lines)
        if text:
            file.write(text.encode("ascii"))
            file.flush()
            os.fsync(handle)


def _ids(path: Path) -> Iterator[tuple[str, uuid.UUID]]:
    """Kind and id of each line; what is no such line is passed over. Nothing where there is no list yet."""
    try:
        file = path.open(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            match = _LINE.fullmatch(line.strip())
            if match is not None:
                yield match[1], uuid.UUID(match[2])
