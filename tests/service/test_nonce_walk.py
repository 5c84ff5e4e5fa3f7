"""The nonce walk on PostgreSQL, Redis and Celery: two processes, and whatever passes between them (see
tests/contracts/test_nonce_walk.py)."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from psycopg import sql

from tests.contracts import nonces
from tests.contracts.cast import table
from tests.process.server import until
from tests.service.parts import Parts
from tests.service.redis import Redis
from tests.service.teen import Teen, answered, say, send

pytestmark = pytest.mark.service

# A guardian, a moderator who gave his code, an operator and another teen, signed in; what the teen has by now.
AROUND = """
import django, json, sys
django.setup()
from django.test import Client
from chatbot.accounts.models import Role, User
from chatbot.accounts.services import guardianship_start
from chatbot.chat.models import Message
from moderation.incidents.models import Incident
from tests.second_factor import passed
teen = User.objects.get(username=sys.argv[1])
people = {"stranger": User.objects.get(username="stranger")}
for role in (Role.GUARDIAN, Role.MODERATOR, Role.OPERATOR):
    people[role.value] = User.objects.create(username=f"walk-{role.value}", role=role)
guardianship_start(teen=teen, guardian=people["guardian"])
keys = {}
for name, person in people.items():
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    if name == "moderator":
        passed(client, person)
    keys[name] = client.session.session_key
print(json.dumps({"teen_id": str(teen.id), "keys": keys}))
"""
# What is kept of the teen, once what comes after the commit has come.
LEFT = """
import django, json, sys, time
django.setup()
from chatbot.accounts.models import GuardianAlert, User
from companion.memory.services import memory_list
from moderation.incidents.models import Incident
teen = User.objects.get(id=sys.argv[1])
until = time.monotonic() + 30
while time.monotonic() < until:
    memory = [[str(one.id), one.text] for one in memory_list(owner_id=teen.id, language="en")]
    alerts = GuardianAlert.objects.filter(link__teen=teen).count()
    if memory and alerts:
        break
    time.sleep(0.3)
incidents = list(Incident.objects.filter(person_id=teen.id))
print(json.dumps({
    "memory": memory, "alerts": alerts, "incidents": [str(row.id) for row in incidents],
    "excerpts": " ".join(row.excerpt or "" for row in incidents),
}))
"""
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@contextmanager
def overheard(redis: Redis) -> Iterator[list[str]]:
    """Every command that Redis is given meanwhile: events of the channels, jobs, limits, whatever is cached."""
    heard: list[str] = []
    ending = threading.Event()

    def listen() -> None:
        with redis.client as client, client.monitor() as monitor:
            while not ending.is_set():
                heard.append(str(monitor.next_command()["command"]))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    time.sleep(0.2)
    yield heard
    ending.set()
    with redis.client as client:
        client.ping()  # what wakes the listener for the last time
    thread.join(5)


def fetched(house: Parts, path: str, key: str = "") -> bytes:
    """The answer of the house, headers and all, whatever its status."""
    request = urllib.request.Request(house.url + path, headers={"Cookie": f"sessionid={key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return bytes(str(response.headers), "utf-8") + response.read()
    except urllib.error.HTTPError as error:
        return bytes(str(error.headers), "utf-8") + error.read()


def in_tables(house: Parts) -> Iterator[str]:
    with house.postgres.connect(house.database) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in names:
            rows = sql.SQL("SELECT * FROM {}").format(sql.Identifier(str(name)))
            for row in connection.execute(rows):
                for value in row:
                    yield from nonces.found_in(f"the table {name}", value)


def in_redis(redis: Redis) -> Iterator[str]:
    with redis.client as client:
        for key in client.scan_iter():
            yield from nonces.found_in("a key of Redis", key)
            yield from nonces.found_in("a value of Redis", client.dump(key) or b"")


def test_what_a_teen_says_is_nowhere_else_on_any_part(house: Parts, somebody: Callable[[], Teen]) -> None:
    teen = somebody()
    around = json.loads(house.python(AROUND, teen.name).splitlines()[-1])
    with overheard(house.redis) as heard:
        wire = teen.connect(house)
        say(wire, f"the {nonces.ORDINARY} rehearsal went sideways")
        reply = until(wire, "done")[-1]["message"]  # it says the word back
        answered(wire, f"i love {nonces.REMEMBERED}")
        slip = until(wire, "notice")[-1]  # that it is remembered
        send(wire, "report", message=reply, reason="wrong")
        answered(wire, f"im going to kill myself, {nonces.DANGER} night")
        fetched(house, f"/chat/search/?q={nonces.SEARCHED}", teen.session)
        left = json.loads(house.python(LEFT, around["teen_id"]).splitlines()[-1])
    # They are where they belong.
    assert nonces.REMEMBERED in str(left["memory"])
    assert nonces.REMEMBERED in str(slip["body"])
    assert nonces.DANGER in left["excerpts"]
    assert nonces.ORDINARY in left["excerpts"]
    assert left["alerts"] == 1
    assert nonces.REMEMBERED.encode() in fetched(house, "/me/memory/", teen.session)

    strays = list(nonces.found_in("what Redis was told", "\n".join(heard)))
    assert len(heard) > 10
    strays += in_redis(house.redis)
    strays += in_tables(house)
    with house.postgres.connect(house.database) as connection:
        connection.execute("CHECKPOINT")
    strays += nonces.in_files(house.folder, house.postgres.folder)
    ids = {"conversation_id": teen.conversation, "conversation": teen.conversation, "teen_id": around["teen_id"],
           "memory_id": left["memory"][0][0], "incident_id": left["incidents"][0]}  # fmt: skip
    for role, key in {"out": "", **around["keys"]}.items():
        for method, address in table():
            if method == "GET" and address != "/leave/":
                path = PARAMETER.sub(lambda found: ids.get(found[1]) or str(uuid.uuid4()), address)
                strays += nonces.found_in(f"{path} as {role}", fetched(house, path, key))
    assert not strays
