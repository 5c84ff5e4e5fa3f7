"""A pg_dump that was made before an erasure, restored into a fresh database after it (SQLite: tests/process)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.server import Server
from tests.restored import lived_and_gone, seen_restored
from tests.service.ports import free_port
from tests.service.postgres import Postgres

pytestmark = pytest.mark.service


@pytest.fixture
def alone(postgres: Postgres, cast_database: str, tmp_path: Path) -> Iterator[tuple[Server, str]]:
    """One process on PostgreSQL, and its database."""
    name = postgres.database(cast_database)
    (tmp_path / "var").mkdir()
    server = Server(tmp_path / "var", free_port(), {"DATABASE_URL": postgres.url(name)})
    try:
        server.start()
        yield server, name
    finally:
        server.stop()


def test_a_dump_restored_after_an_erasure_opens_others_and_not_who_was_erased(
    alone: tuple[Server, str], postgres: Postgres, stack: ExitStack, tmp_path: Path
) -> None:
    house, name = alone
    dump = tmp_path / "dump.sql"
    gone = lived_and_gone(house, stack, lambda: postgres.dump(name, dump))
    house.stop()

    def put_back() -> Server:
        return Server(house.folder, house.port, {"DATABASE_URL": postgres.url(postgres.restored(dump))})

    seen_restored(put_back, gone, tmp_path)
