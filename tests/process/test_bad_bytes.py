"""What only a real socket can be sent: bytes that are no text, and more of them than the server takes."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.process.server import Browser, Server, get, say, until

pytestmark = pytest.mark.process


def closed(wire: ClientConnection) -> tuple[int, str]:
    """Read what is left, then the server's own close frame."""
    end: ConnectionClosed | None = None
    while end is None:
        try:
            get(wire)
        except ConnectionClosed as error:
            end = error
    assert end.rcvd is not None
    return end.rcvd.code, end.rcvd.reason


def test_bytes_that_break_the_socket_close_it_by_their_own_code_and_the_next_one_works(
    server: Server, stack: ExitStack
) -> None:
    server.start(["Still here."])
    browser = Browser(server, stack)

    wire = browser.connect()
    wire.send(b'{"type": "say", "text": "\xff\xfe"}', text=True)
    assert closed(wire)[0] == 1007

    wire = browser.connect()
    wire.send(json.dumps({"type": "say", "text": "a" * 1_100_000}))
    assert closed(wire)[0] == 1009

    wire = browser.connect()
    wire.send(json.dumps({"type": "say", "text": "a" * 100_000}))
    code, reason = closed(wire)
    assert (code, reason) == (4413, "That's too long to send at once. Nothing was sent; make it shorter.")

    wire = browser.connect()
    for rubbish in (b"\x00\x01", "[" * 10_000 + "]" * 10_000, '{"type": "shout"}'):
        wire.send(rubbish)
        assert get(wire)["message"]
    assert closed(wire) == (4400, "Three frames in a row couldn't be read. Look at the protocol, then connect again.")

    wire = browser.connect()
    say(wire)
    assert until(wire, "done")[-1]["finish"] == "complete"
