from __future__ import annotations

import asyncio
import threading

import pytest
from django.db import DatabaseError, connection, transaction

from chatbot.core.choices import choice, choice_set
from chatbot.core.database import THREADS, database_close, in_database

pytestmark = pytest.mark.django_db(transaction=True)


def where() -> tuple[int, object]:
    """The thread, and the connection that is open in it (itself: a number of what is gone is given again)."""
    connection.ensure_connection()
    return threading.get_ident(), connection.connection


async def test_work_runs_off_the_event_loop_and_its_result_comes_back() -> None:
    await in_database(choice_set, "duty_contact", "the nurse")
    assert await in_database(choice, "duty_contact") == "the nurse"
    assert (await in_database(where))[0] != threading.get_ident()


async def test_an_error_comes_back_as_it_is() -> None:
    with pytest.raises(KeyError):
        await in_database({}.__getitem__, "nothing")


async def test_a_few_threads_share_all_work_and_keep_their_connections() -> None:
    found = [await in_database(where) for _ in range(30)]
    assert len({thread for thread, _ in found}) <= THREADS
    assert len(set(found)) == len({thread for thread, _ in found})


async def test_work_at_the_same_time_is_done_side_by_side() -> None:
    both = threading.Barrier(2)
    await asyncio.wait_for(asyncio.gather(in_database(both.wait), in_database(both.wait)), timeout=10)


async def test_a_connection_that_had_an_error_is_not_used_again() -> None:
    def break_it() -> int:
        before = where()[1]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        return before

    with pytest.raises(DatabaseError):
        await in_database(break_it)
    assert await in_database(choice, "duty_contact", "nobody") == "nobody"


async def test_after_closing_the_next_visit_opens_anew_and_closing_twice_is_fine() -> None:
    first = await in_database(where)
    await asyncio.to_thread(database_close)
    await asyncio.to_thread(database_close)
    assert (await in_database(where)) != first
