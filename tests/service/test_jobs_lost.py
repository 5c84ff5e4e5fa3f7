"""What a job does is done once: also when the broker was away, or the worker died at it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.service.parts import Parts
from tests.service.teen import Teen, answered

pytestmark = pytest.mark.service
MEMORIES = """
import django, sys
django.setup()
from chatbot.accounts.models import User
from chatbot.chat.models import Message
from companion.memory.models import Memory
person = User.objects.get(username=sys.argv[1])
own = Message.objects.filter(conversation__person=person, author="user")
print(Memory.objects.filter(owner_id=person.id).count(), own.filter(remembered_at=None).count())
"""
TELLS = "my best friend is called Noemi"
DROPPED = "job_not_handed_over"
SWEPT = "Task abraco.sweep["  # stands twice in the worker's log for each: it came, it went well


def remembered(house: Parts, teen: Teen) -> tuple[int, int]:
    """How many memories there are, and how many messages that nobody learned from yet."""
    memories, unlearned = house.python(MEMORIES, teen.name).split()
    return int(memories), int(unlearned)


def becomes(house: Parts, teen: Teen, wanted: tuple[int, int], within_s: float = 30) -> None:
    end = time.monotonic() + within_s
    while (found := remembered(house, teen)) != wanted:
        assert time.monotonic() < end, f"{found} and not {wanted}:\n{house.worker.log()[-2000:]}"
        time.sleep(0.5)


def comes(house: Parts, what: Callable[[], bool], within_s: float = 30) -> None:
    end = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < end, f"it never came:\n{house.log()[-1000:]}\n{house.worker.log()[-2000:]}"
        time.sleep(0.1)


def test_the_worker_learns_what_was_told(house: Parts, somebody: Callable[[], Teen]) -> None:
    teen = somebody()
    answered(teen.connect(house), TELLS)
    becomes(house, teen, (1, 0))


def test_a_job_that_the_broker_never_got_is_found_again_and_done_once(
    house: Parts, somebody: Callable[[], Teen]
) -> None:
    house.worker_ready()
    teen = somebody()
    wire = teen.connect(house)
    house.redis.kill()
    dropped = house.log().count(DROPPED)
    answered(wire, TELLS)
    comes(house, lambda: house.log().count(DROPPED) > dropped)
    assert remembered(house, teen) == (0, 1)
    house.redis.start()
    becomes(house, teen, (1, 0))
    swept = house.worker.log().count(SWEPT)
    comes(house, lambda: house.worker.log().count(SWEPT) >= swept + 4)
    assert remembered(house, teen) == (1, 0)


def test_a_worker_killed_in_the_middle_of_a_job_leaves_it_to_the_next_and_nothing_doubles(
    house: Parts, somebody: Callable[[], Teen]
) -> None:
    house.worker_ready()
    teen = somebody()
    wire = teen.connect(house)
    with house.postgres.connect(house.database) as holding:
        holding.autocommit = False
        holding.execute("LOCK TABLE memory_memory IN SHARE MODE")  # everybody reads, nobody writes
        answered(wire, TELLS)
        comes(house, lambda: _waits_for_memory(house))
        house.worker.end()
    house.minute_passes()
    house.start()
    becomes(house, teen, (1, 0))


def _waits_for_memory(house: Parts) -> bool:
    with house.postgres.connect(house.database) as looking:
        found = looking.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_class ON relation = pg_class.oid"
            " WHERE relname = 'memory_memory' AND NOT granted"
        ).fetchone()
    return found is not None and found[0] != 0
