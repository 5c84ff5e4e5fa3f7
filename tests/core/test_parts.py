"""What the house runs on: the two addresses in its settings, and the command that says it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from pytest_django import Settings

from chatbot import settings as product
from chatbot.core import broker, jobs, parts

NOWHERE = "redis://:a-secret@127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_last", (-60.0, None))


def test_a_postgres_address_is_read_with_its_password_and_options() -> None:
    found = product.database_at("postgresql://house:p%40ss@db.example.org:5433/abraco?sslmode=require")
    assert (found["ENGINE"], found["NAME"]) == ("django.db.backends.postgresql", "abraco")
    assert (found["HOST"], found["PORT"], found["USER"], found["PASSWORD"]) == ("db.example.org", 5433, "house", "p@ss")
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["OPTIONS"]["pool"]["max_size"] >= 10
    assert found["CONN_HEALTH_CHECKS"]


def test_a_file_by_address_is_opened_like_the_houses_own() -> None:
    assert product.database_at("sqlite:////var/there.sqlite3") == product.sqlite_at("/var/there.sqlite3")


@pytest.mark.parametrize(
    "url", ["mysql://a:a-secret@h/n", "postgresql://u:a-secret@h", "a-secret", "postgres://a-secret:x"]
)
def test_a_wrong_database_address_is_a_sentence_without_the_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL can't be read") as said:
        product.database_at(url)
    assert "a-secret" not in str(said.value)
    assert said.value.__context__ is None or said.value.__suppress_context__


@pytest.mark.parametrize("url", ["http://h", "redis://", "redis://:a-secret@h:99999", "redis://h/x", "a-secret"])
def test_a_wrong_redis_address_is_a_sentence_without_the_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL can't be read") as said:
        product.redis_at(url)
    assert "a-secret" not in str(said.value)


@pytest.mark.parametrize("url", ["", "redis://h", "redis://:p@h:6379/3", "rediss://u:p@h:6380/0?ssl_cert_reqs=none"])
def test_right_redis_addresses_are_taken_as_they_are(url: str) -> None:
    assert product.redis_at(url) == url


def test_the_queue_never_trusts_any_certificate_unless_it_was_told_to() -> None:
    assert broker.broker_url("rediss://:p@h:6380") == "rediss://:p@h:6380/0?ssl_cert_reqs=required"
    assert broker.broker_url("rediss://h/1?ssl_cert_reqs=none") == "rediss://h/1?ssl_cert_reqs=none"
    assert broker.broker_url("redis://h") == "redis://h"


def test_at_the_start_a_wrong_address_is_one_sentence_and_no_traceback() -> None:
    began = subprocess.run(
        [sys.executable, "manage.py", "migrate"], env={**os.environ, "REDIS_URL": "http://a-secret"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert began.returncode == 1
    assert began.stderr.startswith("REDIS_URL can't be read.")
    assert "Traceback" not in began.stderr
    assert "a-secret" not in began.stderr


def test_alone_the_house_says_that_one_process_does_it_all(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("parts")
    said = capsys.readouterr().out
    assert "SQLite" in said
    assert "a thread of this process" in said


def test_parts_names_places_and_what_is_away_and_no_password(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.REDIS_URL = NOWHERE
    call_command("parts")
    said = capsys.readouterr().out
    assert "Celery, by way of Redis on 127.0.0.1:1" in said
    assert "Redis does not answer" in said
    assert "a-secret" not in said


def test_a_redis_that_is_away_is_a_warning_for_three_parts(settings: Settings) -> None:
    settings.REDIS_URL = NOWHERE
    said = [parts.channel_layer_degraded(), parts.cache_degraded(), parts.jobs_degraded()]
    assert all(one and one.startswith("Redis does not answer") for one in said)
    settings.REDIS_URL = ""
    assert [parts.channel_layer_degraded(), parts.cache_degraded(), parts.jobs_degraded()] == [None] * 3


def test_what_every_process_has_in_memory_is_no_sweep_for_one_worker() -> None:
    shared = jobs.sweeps_shared()
    assert "incidents.helplines" not in shared
    assert {"accounts.erase", "chat.learn", "incidents.expire"} <= set(shared)
    assert set(shared) < set(jobs._sweeps)


def test_every_job_has_a_sweep_that_finds_it() -> None:
    named = {name for name in jobs._jobs if not name.startswith("tests.")}
    assert named <= set(jobs._sweeps)
