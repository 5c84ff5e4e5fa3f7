"""Promise 5 on PostgreSQL, Redis and Celery: what was typed, kept and forgotten is in no dump, file, queue, copy, log
or fresh process (on one process with SQLite: tests/process/test_forgetting.py)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.forgetting import (
    ALL,
    BESIDE,
    EXPIRE,
    FORGOTTEN,
    ONCE_MORE,
    PAGE,
    TOPIC,
    Fresh,
    Window,
    copy_of,
    forget,
    in_files,
    plain,
    told,
    until,
    without_talks,
)
from tests.service.parts import Parts
from tests.service.teen import Teen

pytestmark = pytest.mark.service


def test_what_was_forgotten_is_nowhere_on_any_part(
    house: Parts, somebody: Callable[[], Teen], stack: ExitStack, tmp_path: Path
) -> None:
    people = [told(house, somebody(), word, BESIDE) for word in (PAGE, TOPIC, ALL)]
    sealed = {f"{one.word}, sealed,": [form for piece in one.sealed for form in (piece, piece.hex().encode())]
              for one in people}  # fmt: skip
    before = tmp_path / "before"
    before.mkdir()
    house.postgres.dump(house.database, before / "dump.sql")
    with house.postgres.connect(house.database) as connection:
        connection.execute("CHECKPOINT")
    for place in (before, house.postgres.folder / "data" / "base"):
        assert {found.split(",")[0] for found in in_files(sealed, place)} == set(FORGOTTEN)
    assert PAGE in without_talks(copy_of(people[0].window, "json"))

    for one in people:
        forget(one)

    assert people[0].window.get("/me/export/abraco.json")[0] == 404
    words = plain(FORGOTTEN)
    # The queue, events and limits.
    kept = tmp_path / "redis"
    kept.mkdir()
    (kept / "dump.rdb").write_bytes(house.redis.saved())
    (kept / "keys").write_bytes(house.redis.dump())
    # A backup made now, in both forms that there are; and what lies in the table's own files, once they are rewritten
    # as the operator's guide says. The words themselves are in no file of PostgreSQL at any time, its log included.
    after = tmp_path / "after"
    after.mkdir()
    house.postgres.dump(house.database, after / "dump.sql")
    with house.postgres.connect(house.database) as connection:
        connection.execute("VACUUM FULL memory_memory, memory_summary")
        connection.execute("CHECKPOINT")
    assert in_files({**words, **sealed}, kept, after, house.folder) == []
    assert in_files(words, house.postgres.folder) == []
    assert in_files(sealed, house.postgres.folder / "data" / "base") == []
    for one in people:
        assert one.word not in without_talks(copy_of(one.window, "json"))
        assert one.word in copy_of(one.window, "json")  # what they typed is theirs, until it is deleted
    others = Window(house, somebody().session)
    assert not [word for word in FORGOTTEN for form in ("json", "html") if word in copy_of(others, form)]

    fresh = Fresh.started(house, stack)
    for one in people:
        fresh.serve(house, one.teen)
    assert fresh.in_memory([ONCE_MORE, BESIDE, *FORGOTTEN]) == sorted([ONCE_MORE, BESIDE])

    for one in people:
        house.python(EXPIRE, one.teen.name)
        one.window.get("/me/export/")
        one.window.post("/me/export/")
    for one in people:
        until(lambda one=one: one.word not in copy_of(one.window, "json"), "a copy without the word")
        assert one.word not in copy_of(one.window, "html")
    assert in_files(plain([*FORGOTTEN, BESIDE, ONCE_MORE]), house.folder, house.postgres.folder) == []
