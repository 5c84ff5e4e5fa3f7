"""Somebody signed in, with sockets to whichever process the test chooses."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.browser.server import Server
from tests.process.server import get

DANGER = "i want to kill myself and im not joking"
SIGN_IN = """
import django, json, sys
django.setup()
from django.test import Client
from chatbot.accounts.models import User
keys = {}
for person in User.objects.filter(username__in=json.loads(sys.argv[1])):
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    keys[person.username] = client.session.session_key
print(json.dumps(keys))
"""


def sessions_of(server: Server, names: Iterable[str]) -> dict[str, str]:
    """A session for each: signing in through the page costs a password hash, and is tested elsewhere."""
    found: dict[str, str] = json.loads(server.python(SIGN_IN, json.dumps(list(names))))
    return found


class Teen:
    """`connect` to a server, `say`, and read with `get` and `until` of tests/process/server.py."""

    def __init__(self, name: str, session: str, stack: ExitStack) -> None:
        self.name, self.session, self.stack = name, session, stack
        self.conversation: str | None = None
        self.ready: dict[str, object] = {}

    def connect(self, server: Server, *, seen: Mapping[str, object] | None = None) -> ClientConnection:
        """Open a socket in the person's conversation and read `ready`. The test closes it at last, if nobody did."""
        wire = self.stack.enter_context(self.opened(server))
        self.hello(wire, seen=seen)
        return wire

    def opened(self, server: Server) -> ClientConnection:
        return connect(
            f"ws://127.0.0.1:{server.port}/ws/chat",
            subprotocols=["abraco.v1"],  # type: ignore[list-item]  # a plain string is one
            additional_headers={"Cookie": f"sessionid={self.session}", "Origin": server.url},
            max_size=None, open_timeout=20, close_timeout=2,
        )  # fmt: skip

    def hello(self, wire: ClientConnection, *, seen: Mapping[str, object] | None = None) -> None:
        first: dict[str, object] = {"type": "hello"}
        if self.conversation is not None:
            first["conversation"] = self.conversation
        if seen is not None:
            first["seen"] = seen
        for _ in range(10):
            wire.send(json.dumps(first))
            self.ready = get(wire)
            if self.ready.get("code") != "not_stored":  # its connection was cut while it lay there: the next one is new
                break
            time.sleep(0.3)
        assert self.ready["type"] == "ready", self.ready
        self.conversation = str(self.ready["conversation"])

    def said(self) -> list[str]:
        """What stood in the conversation when the last socket was opened."""
        messages = self.ready["messages"]
        assert isinstance(messages, list)
        return [message["text"] for message in messages]


def send(wire: ClientConnection, kind: str, **fields: object) -> None:
    wire.send(json.dumps({"type": kind, **fields}))


def say(wire: ClientConnection, text: str, client_id: uuid.UUID | None = None) -> uuid.UUID:
    sent = client_id or uuid.uuid4()
    send(wire, "say", client_id=str(sent), text=text)
    return sent


def stored(wire: ClientConnection, text: str, client_id: uuid.UUID | None = None) -> dict[str, Any]:
    """Say something until it is kept, as the browser does: its `accepted`. What else is new is passed over."""
    sent, end = client_id or uuid.uuid4(), time.monotonic() + 30
    say(wire, text, sent)
    while True:
        frame = get(wire)
        if frame["type"] == "accepted" and frame["client_id"] == str(sent):
            return frame
        if frame["type"] == "error":
            assert frame["code"] == "not_stored", frame
            assert time.monotonic() < end, "it is never stored"
            time.sleep(0.5)
            say(wire, text, sent)


def answered(wire: ClientConnection, text: str) -> str:
    """Say something and read to the end of its answer: that answer's text."""
    turn = stored(wire, text)["turn"]
    frames = [get(wire)]
    while not (frames[-1]["type"] == "done" and frames[-1]["turn"] == turn):
        frames.append(get(wire))
    assert frames[-1]["finish"] in ("complete", "crisis"), frames[-1]
    return " ".join(frame["text"] for frame in frames if frame["type"] == "delta" and frame["turn"] == turn)


def card_shown(wire: ClientConnection, text: str = DANGER) -> bool:
    """Say that; whether the crisis card comes, with a turn or (where nothing can be stored) without."""
    say(wire, text)
    frame = get(wire)
    while frame["type"] != "done" and not (frame["type"] == "notice" and frame["kind"] == "crisis_card"):
        frame = get(wire)
    return bool(frame["type"] == "notice")
