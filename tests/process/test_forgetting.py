"""Promise 5 on one process with SQLite: what was typed, kept and forgotten is in no file, copy, log or fresh process
(on PostgreSQL, Redis and Celery: tests/service/test_forgetting.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.server import CAST, Server, cast, run, wanted
from tests.forgetting import (
    ALL,
    BESIDE,
    EXPIRE,
    FORGOTTEN,
    ONCE_MORE,
    PAGE,
    SWEEP,
    TOPIC,
    Fresh,
    Window,
    can_answer,
    copy_of,
    forget,
    in_files,
    plain,
    told,
    until,
    without_talks,
)
from tests.service.ports import free_port
from tests.service.teen import Teen, sessions_of

pytestmark = pytest.mark.process


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Server]:
    """As it ships: SQLite, the embedded engine, jobs in a thread."""
    server = Server(tmp_path, free_port(), {"ABRACO_ENGINE": "embedded"})
    run(tmp_path, "-c", CAST, json.dumps([*cast()[:3], wanted("nina")]))
    try:
        server.start()
        can_answer(server)
        yield server
    finally:
        server.stop()


def test_what_was_forgotten_is_nowhere(house: Server, stack: ExitStack) -> None:
    sessions = sessions_of(house, ("maya", "leo", "nina", "stranger"))
    people = [told(house, Teen(name, sessions[name], stack), word, BESIDE)
              for name, word in zip(("maya", "leo", "nina"), (PAGE, TOPIC, ALL), strict=True)]  # fmt: skip
    sealed = {one.word: one.sealed for one in people}
    assert {found.split()[0] for found in in_files(sealed, house.folder)} == set(FORGOTTEN)
    before = copy_of(people[0].window, "json")
    assert PAGE in without_talks(before)

    for one in people:
        forget(one)

    # A copy that was made before and waits to be fetched is no copy any more.
    assert people[0].window.get("/me/export/abraco.json")[0] == 404
    # Neither the words nor what was sealed of them, in the database, its log, the logs, the list of what is gone.
    house.python(SWEEP, "core.log")
    assert (
        in_files({**plain(FORGOTTEN), **{f"{word}, sealed,": some for word, some in sealed.items()}}, house.folder)
        == []
    )
    for one in people:
        assert one.word not in without_talks(copy_of(one.window, "json"))
        assert one.word in copy_of(one.window, "json")  # what they typed is theirs, until it is deleted
    others = Window(house, sessions["stranger"])
    assert not [word for word in FORGOTTEN for form in ("json", "html") if word in copy_of(others, form)]

    fresh = Fresh.started(house, stack)
    for one in people:
        fresh.serve(house, one.teen)
    assert fresh.in_memory([ONCE_MORE, BESIDE, *FORGOTTEN]) == sorted([ONCE_MORE, BESIDE])

    # And once the messages are deleted as well, there is nothing left at all.
    for one in people:
        house.python(EXPIRE, one.teen.name)
        one.window.get("/me/export/")
        one.window.post("/me/export/")
    for one in people:
        until(lambda one=one: one.word not in copy_of(one.window, "json"), "a copy without the word")
        assert one.word not in copy_of(one.window, "html")
    house.python(SWEEP, "core.log")
    assert in_files(plain([*FORGOTTEN, BESIDE, ONCE_MORE]), house.folder) == []
