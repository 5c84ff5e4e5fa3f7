"""Made-up words for the nonce walk, and where a stray one could hide: pages, mails, logs, rows, files, a cache."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import connection

from chatbot.accounts.models import SignIn

# Each is typed, or said, once: in an ordinary message, one that is remembered, one in danger, a reply that is
# reported; as the companion's name; in a search; in a correction of a memory; off the record; in a file that is read;
# in a talk that is summed up.
ORDINARY, REMEMBERED, DANGER = "quibblefrost", "zorbleton", "vexmoorish"
REPORTED, NAMED, SEARCHED, CORRECTED = "glimmerpod", "wobbelinx", "plinkaroo", "snorvelling"
OFF_RECORD, IMPORTED, SUMMED = "mumblewick", "crinklefen", "flusterby"
WORDS = (ORDINARY, REMEMBERED, DANGER, REPORTED, NAMED, SEARCHED, CORRECTED, OFF_RECORD, IMPORTED, SUMMED)


def found_in(place: str, content: object) -> Iterator[str]:
    """The words that stand in it, each with the place."""
    text = content if isinstance(content, bytes) else str(content).encode("utf-8", "replace")
    for coded in (text.lower(), text.replace(b"\x00", b"").lower()):  # as it stands, and as two-byte letters
        for word in WORDS:
            if word.encode() in coded:
                yield f"{word} stands in {place}"


def in_rows() -> Iterator[str]:
    """Every value of every table, and what signed sign-ins hold."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  names of our own tables
            for row in cursor.fetchall():
                for value in row:
                    yield from found_in(f"the table {table}", bytes(value) if isinstance(value, memoryview) else value)
    for session in SignIn.objects.all():
        yield from found_in("a sign-in", session.get_decoded())


def in_files(*folders: Path) -> Iterator[str]:
    """Every file below, byte by byte: the database and its log as well."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                yield from found_in(f"the file {path.name}", path.read_bytes())


def in_local_cache() -> Iterator[str]:
    """The cache of this process, opened."""
    kept: dict[str, Any] = getattr(cache, "_cache", {})
    for key, value in list(kept.items()):
        yield from found_in("the cache", key)
        yield from found_in("the cache", pickle.loads(value))  # noqa: S301  our own
