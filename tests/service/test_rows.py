"""The rows on PostgreSQL, where writers go side by side: what other tests say of them holds there too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.server import environment, run
from tests.nursery import ROOT
from tests.service.postgres import Postgres

pytestmark = pytest.mark.service

# Those that say something of what databases differ in: locks, what is unique, order, what a column takes, leases. The
# pages and the journeys through them are seen on PostgreSQL in the browser (tests/browser, the house with all parts).
FILES = (
    "tests/chat/test_at_once.py", "tests/chat/test_at_once_person.py", "tests/accounts/test_at_once.py",
    "tests/core/test_audit.py", "tests/core/test_keys.py", "tests/core/test_database.py",
    "tests/chat/test_services.py", "tests/chat/test_summing.py", "tests/contracts/test_hard_words.py",
    "tests/me/test_delete.py",
    "tests/moderation/test_incidents.py", "tests/moderation/test_review_queue.py",
    "tests/family/test_linking.py", "tests/widget/test_tickets.py", "tests/widget/test_clock.py",
)  # fmt: skip

TALK = """
import django, sys, uuid
django.setup()
from chatbot.accounts.models import User
from chatbot.chat.models import Conversation
from chatbot.chat import services
from chatbot.core.audit import audit_record
maya, conversation = User.objects.get(username="maya"), Conversation.objects.get()
for number in range(40):
    client_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{sys.argv[1]} {number}")
    for _ in range(2):
        text = f"{sys.argv[1]} {number}"
        services.message_accept(person=maya, conversation=conversation, client_id=client_id, text=text)
    audit_record(actor="house", subject=maya.id, action="step")
"""

FOLLOW = """
import django, json, time
django.setup()
from chatbot.chat import selectors
from chatbot.chat.models import Conversation, Message, Turn
conversation, seen, end = Conversation.objects.get(), [], time.monotonic() + 120
print("ready", flush=True)
while len(seen) < 120 and time.monotonic() < end:
    last = seen[-1] if seen else conversation.id
    seen += Turn.objects.filter(conversation=conversation, id__gt=last).order_by("id").values_list("id", flat=True)
turns = {row.id: row for row in Turn.objects.select_related("message")}
print(json.dumps([turns[one].message.body for one in seen]))
"""

BEGIN = """
import django
django.setup()
from chatbot.accounts import bands, services
from chatbot.accounts.models import User
from chatbot.chat.services import conversation_start
maya = User(username="maya")
age = bands.AgeBand("16-17", None)
services.person_place(maya, age=age, country="US", region="US-CA", time_zone="UTC", language="en").save()
conversation_start(person=maya)
"""

CHAIN = """
import django
django.setup()
from chatbot.core.audit import audit_broken_at
from chatbot.core.models import AuditEntry
print(audit_broken_at(), AuditEntry.objects.count())
"""


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    name = postgres.database()
    yield postgres.url(name)
    postgres.drop(name)


def _failures(told: str) -> str:
    """pytest's own account of what failed, without the pages that it compared."""
    lines = told.partition("= FAILURES =")[2].splitlines() or told.splitlines()
    return "\n".join(line[:300] for line in lines[-200:])


def test_what_the_other_tests_say_of_rows_holds_on_postgresql(empty: str, tmp_path: Path) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ABRACO_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "--tb=short", "-p", "no:cacheprovider", "-n0", *FILES],
        cwd=ROOT, env={**own, "DATABASE_URL": empty, "ABRACO_VAR": str(tmp_path)}, capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, _failures(done.stdout)
    assert " passed" in done.stdout


def test_three_processes_that_talk_at_once_put_nothing_out_of_order(postgres_url: str, tmp_path: Path) -> None:
    run(tmp_path, "-c", BEGIN, DATABASE_URL=postgres_url)

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", *arguments], cwd=ROOT, env=environment(tmp_path, DATABASE_URL=postgres_url),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    follower = start(FOLLOW)
    assert follower.stdout is not None
    assert follower.stdout.readline() == "ready\n"
    talkers = [start(TALK, name) for name in ("one", "two", "three")]
    for one in talkers:
        _said, wrong = one.communicate(timeout=120)
        assert one.returncode == 0, wrong[-2000:]
    seen, wrong = follower.communicate(timeout=130)
    assert follower.returncode == 0, wrong[-2000:]
    heard: list[str] = json.loads(seen)
    for name in ("one", "two", "three"):
        assert [text for text in heard if text.startswith(name + " ")] == [f"{name} {number}" for number in range(40)]
    assert run(tmp_path, "-c", CHAIN, DATABASE_URL=postgres_url).split() == ["None", "120"]


def test_every_row_of_the_first_version_comes_through_to_the_newest(empty: str, tmp_path: Path) -> None:
    counts = json.loads(run(tmp_path, "tests.service.rows_of_before", DATABASE_URL=empty))
    assert len(counts) > 15
    assert set(counts.values()) == {1}
