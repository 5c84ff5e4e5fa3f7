"""A copy of SQLite's file that was made before an erasure, put back after it (on PostgreSQL: tests/service)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.browser.server import CAST, Server, cast, run
from tests.restored import lived_and_gone, seen_restored
from tests.service.ports import free_port

pytestmark = pytest.mark.process


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "var", free_port())
    (tmp_path / "var").mkdir()
    run(tmp_path / "var", "-c", CAST, json.dumps(cast()[:3]))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_a_copy_of_the_file_put_back_after_an_erasure_opens_others_and_not_who_was_erased(
    house: Server, stack: ExitStack, tmp_path: Path
) -> None:
    database, backup = house.folder / "abraco.sqlite3", tmp_path / "backup.sqlite3"

    def save() -> None:
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(backup)) as copy:
            source.backup(copy)

    gone = lived_and_gone(house, stack, save)
    house.stop()

    def put_back() -> Server:
        for end in ("", "-wal", "-shm"):
            database.with_name(database.name + end).unlink(missing_ok=True)
        database.write_bytes(backup.read_bytes())
        return house

    seen_restored(put_back, gone, tmp_path)
