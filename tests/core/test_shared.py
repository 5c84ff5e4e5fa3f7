"""The cache, the channel layer and the publisher on a real Redis that is well, full, read-only, or away."""

from __future__ import annotations

import asyncio
import time

import pytest
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.db import transaction
from pytest_django import Settings
from structlog.testing import capture_logs

from chatbot.core import broker, jobs, ratelimit
from chatbot.core import cache as shared
from chatbot.core.away import Away
from chatbot.core.cache import SharedCache
from chatbot.core.layer import SharedLayer
from tests.service.redis import Redis


@pytest.fixture
def found(redis_server: Redis, monkeypatch: pytest.MonkeyPatch) -> BaseCache:
    monkeypatch.setattr(shared, "_away", Away("cache", again_s=0.3))
    made = SharedCache(redis_server.url, {"KEY_PREFIX": "abraco:cache"})
    made.here.clear()
    return made


def test_two_processes_count_together(found: BaseCache, redis_server: Redis) -> None:
    other = SharedCache(redis_server.url, {"KEY_PREFIX": "abraco:cache"})
    assert found.add("hits", 0)
    assert [found.incr("hits"), other.incr("hits")] == [1, 2]
    assert not other.add("hits", 0)


def test_lists_and_words_come_back_and_nothing_is_pickled(found: BaseCache, redis_server: Redis) -> None:
    found.set("list", [1.5, "two", None, True])
    found.set("word", "7")
    assert found.get("list") == [1.5, "two", None, True]
    assert found.get("word") == "7"
    assert b"\x80\x05" not in redis_server.dump()
    with pytest.raises(TypeError):
        found.set("object", object())


def test_clearing_the_cache_leaves_the_queue(found: BaseCache, redis_server: Redis) -> None:
    found.set("mine", 1)
    with redis_server.client as client:
        client.set("abraco:jobs:abraco", "a job")
        found.clear()
        assert client.keys() == [b"abraco:jobs:abraco"]


@pytest.mark.parametrize("trouble", ["full", "read_only", "kill"])
def test_whatever_redis_has_the_cache_works_and_counts_here(
    found: BaseCache, redis_server: Redis, trouble: str
) -> None:
    getattr(redis_server, trouble)()
    assert found.add("tries", 0, timeout=60)
    assert [found.incr("tries"), found.incr("tries")] == [1, 2]
    found.set("one", [1])
    assert found.get("one") in ([1], None)  # a replica still reads well, and has nothing of it
    assert found.get_many(["nothing"]) == {}
    found.delete("tries")


def test_a_redis_that_is_back_is_used_again(found: BaseCache, redis_server: Redis) -> None:
    redis_server.kill()
    found.set("here", 1)
    redis_server.start()
    time.sleep(0.35)
    found.set("there", 2)
    with redis_server.client as client:
        assert client.get("abraco:cache:1:there") == b"2"


def test_away_is_said_once_and_so_is_back() -> None:
    part = Away("cache", again_s=30.0)
    with capture_logs() as logged:
        for _ in range(3):
            part.went(OSError("secret words"))
        assert part.is_now()
        part.back()
        part.back()
    assert not part.is_now()
    assert [line["event"] for line in logged] == ["part_away", "part_back"]
    assert "secret words" not in str(logged)


def test_limits_hold_with_the_houses_own_cache() -> None:
    cache.clear()
    waits = [ratelimit.allowed("tests", most=2, per_s=3600) for _ in range(3)]
    assert waits[:2] == [0, 0]
    assert waits[2] > 0


async def test_an_event_reaches_another_process(redis_server: Redis) -> None:
    one, other = SharedLayer(redis_server.url), SharedLayer(redis_server.url)
    channel = await one.new_channel()
    await one.group_add("news", channel)
    await other.group_send("news", {"type": "look"})
    assert await asyncio.wait_for(one.receive(channel), 5) == {"type": "look"}
    await one.close_pools()
    await other.close_pools()


@pytest.mark.parametrize("trouble", ["full", "read_only", "kill", "flush"])
async def test_whatever_redis_has_no_event_breaks_and_no_socket_ends(redis_server: Redis, trouble: str) -> None:
    layer = SharedLayer(redis_server.url)
    channel = await layer.new_channel()
    await layer.group_add("news", channel)
    hearing = asyncio.create_task(layer.receive(channel))
    await asyncio.sleep(0.1)
    getattr(redis_server, trouble)()
    began = time.monotonic()
    for _ in range(20):
        await layer.group_send("news", {"type": "look"})
    await layer.group_add("news", channel)
    await layer.group_discard("news", channel)
    assert time.monotonic() - began < 2.0
    await asyncio.sleep(0.2)
    assert not hearing.done()
    hearing.cancel()
    await asyncio.wait({hearing}, timeout=5)
    assert hearing.cancelled()
    await layer.close_pools()


@pytest.mark.django_db(transaction=True)
def test_with_a_broker_a_job_is_handed_over_after_the_commit(redis_server: Redis, settings: Settings) -> None:
    settings.REDIS_URL = redis_server.url
    with transaction.atomic():
        jobs.enqueue_after_commit("tests.shared", "an-id")
    broker.close()
    with redis_server.client as client:
        assert client.llen("abraco:jobs:abraco") == 1
    assert jobs.drain() == 0


@pytest.mark.django_db(transaction=True)
def test_without_the_broker_a_commit_neither_waits_nor_fails_and_the_job_is_logged_by_name(
    redis_server: Redis, settings: Settings
) -> None:
    settings.REDIS_URL = redis_server.url
    redis_server.kill()
    began = time.monotonic()
    with capture_logs() as logged:
        with transaction.atomic():
            jobs.enqueue_after_commit("tests.shared", "an-id")
        assert time.monotonic() - began < 1.0
        broker.close()
    assert [(line["event"], line["job"]) for line in logged] == [("job_not_handed_over", "tests.shared")]
    assert "an-id" not in str(logged)


@pytest.mark.django_db(transaction=True)
def test_in_a_throw_away_database_jobs_stay_here(redis_server: Redis, settings: Settings) -> None:
    settings.REDIS_URL = redis_server.url
    with jobs.drained_only(), transaction.atomic():
        jobs.enqueue_after_commit("tests.shared", "an-id")
    assert jobs.forget_waiting() == 1
    assert redis_server.dump() == b""


@pytest.mark.django_db
def test_one_sweep_at_a_time_and_the_worker_is_seen() -> None:
    cache.clear()
    ran: list[int] = []

    @jobs.sweep("tests.shared", every_s=60)
    def _find() -> int:
        ran.append(jobs.run_sweep_alone("tests.shared"))  # another worker, at the same time
        return 1

    try:
        assert not jobs.worker_seen()
        assert jobs.run_sweep_alone("tests.shared") == 1
        assert ran == [0]
        assert jobs.worker_seen()
        assert jobs.run_sweep_alone("tests.shared") == 1
    finally:
        del jobs._sweeps["tests.shared"]
