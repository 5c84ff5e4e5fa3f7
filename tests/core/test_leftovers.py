"""A row that was forgotten is in no file of SQLite's once its log was emptied, however the pages were shuffled."""

from __future__ import annotations

import random
import sqlite3
import uuid
from collections.abc import Iterator

import pytest
from django.db import connection

from chatbot.core import jobs, keys
from chatbot.core.ids import new_id
from chatbot.core.leftovers import log_empty
from companion.memory import services as memory
from companion.memory.models import Memory
from tests.me.conftest import THEN
from tests.stored import stored_bytes

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="what PostgreSQL leaves is tests/service's"),
]


@pytest.fixture
def owner() -> uuid.UUID:
    owner = new_id()
    keys.data_key(owner, make=True)
    return owner


@pytest.fixture
def reader() -> Iterator[sqlite3.Connection]:
    """Somebody else who reads, in the middle of it."""
    other = sqlite3.connect(connection.settings_dict["NAME"])
    yield other
    other.close()


def sealed_of(row_id: uuid.UUID) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT fact, vector FROM memory_memory WHERE id = %s", [row_id.hex])
        return [bytes(value) for value in cursor.fetchone() if value is not None]


def test_the_file_is_written_over_at_once_and_the_log_is_emptied_by_the_sweep(owner: uuid.UUID) -> None:
    memory.memory_learn(owner_id=owner, text="i love skateboarding", language="en", said_at=THEN, source=None)
    row = Memory.objects.get()
    sealed = sealed_of(row.id)
    assert len(sealed) == 2
    assert all(one in stored_bytes() for one in sealed)
    memory.memory_forget(owner_id=owner, memory_id=row.id)
    jobs.run_sweep("core.log")
    assert not any(one in stored_bytes() for one in sealed)


def test_nothing_is_left_of_rows_that_pages_were_split_and_joined_around(owner: uuid.UUID) -> None:
    chance, gone = random.Random(7), []  # noqa: S311  no secret, the same shuffle in every run
    for number in range(600):
        row = Memory(id=new_id(), owner_id=owner, vector="v" * chance.choice((40, 1040, 9000)))
        row.fact = {"kind": "like", "value": f"thing {number} " + "x" * chance.choice((1, 80, 700))}
        row.save(force_insert=True)
        ids = list(Memory.objects.values_list("id", flat=True))
        if chance.random() < 0.5:
            one = chance.choice(ids)
            gone += [piece[start : start + 64] for piece in sealed_of(one) for start in range(0, len(piece) - 64, 1024)]
            memory.memory_forget(owner_id=owner, memory_id=one)
    assert log_empty()
    content = stored_bytes()
    assert len(gone) > 300
    assert not [piece for piece in gone if piece in content]


def test_while_somebody_reads_the_log_stays_for_the_next_look_and_nobody_waits_long(
    owner: uuid.UUID, reader: sqlite3.Connection
) -> None:
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM memory_memory").fetchone()
    memory.memory_learn(owner_id=owner, text="i love skateboarding", language="en", said_at=THEN, source=None)
    assert not log_empty()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (10_000,)  # as the settings have it, for everything else
    reader.rollback()
    assert log_empty()
