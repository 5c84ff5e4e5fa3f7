"""Promise 7 on the real server: what was accepted is never lost, by a crash or by a deploy."""

from __future__ import annotations

import signal
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed

from tests.process.server import SAY, Browser, Server, get, say, until

pytestmark = pytest.mark.process
FOREVER = 600


def texts(frames: list[dict[str, object]]) -> list[object]:
    return [frame["text"] for frame in frames if frame["type"] == "delta"]


def test_a_crash_between_accepted_and_done_loses_no_message(server: Server, stack: ExitStack) -> None:
    server.start([FOREVER, "Never said."])
    browser = Browser(server, stack)
    wire = browser.connect()
    client_id = say(wire)
    accepted = get(wire)
    assert accepted["type"] == "accepted"
    server.kill()
    server.leases_run_out()

    server.start(["Hello again, what's up? ", "What did I miss?"])
    wire = browser.connect()
    assert [row["text"] for row in browser.ready["messages"]][-1] == SAY
    frames = until(wire, "done")
    assert texts(frames) == ["Hello again, what's up?", "What did I miss?"]
    assert (frames[-1]["turn"], frames[-1]["finish"]) == (accepted["turn"], "complete")

    say(wire, client_id=client_id)  # the browser never saw the end of it, so it sends again
    again = until(wire, "accepted")[-1]
    assert (again["message"], again["turn"]) == (accepted["message"], accepted["turn"])
    wire.close()
    wire = browser.connect()
    assert [row["text"] for row in browser.ready["messages"]][-2:] == [SAY, "Hello again, what's up? What did I miss?"]
    wire.close()


def test_what_was_said_before_a_crash_stays(server: Server, stack: ExitStack) -> None:
    server.start(["That stays as it was said. ", FOREVER, "Never said."])
    browser = Browser(server, stack)
    wire = browser.connect()
    say(wire)
    accepted = until(wire, "delta")[0]
    server.kill()
    server.leases_run_out()

    server.start(["Something else entirely."])
    wire = browser.connect(seen={"turn": accepted["turn"], "seq": 1})
    frames = until(wire, "done")
    assert texts(frames) == []
    assert frames[-1]["turn"] == accepted["turn"]
    wire.close()
    browser.connect().close()
    assert browser.ready["messages"][-1]["text"] == "That stays as it was said."


def test_a_deploy_closes_with_1012_and_the_next_process_goes_on_at_once(server: Server, stack: ExitStack) -> None:
    server.start([FOREVER, "Never said."])
    browser = Browser(server, stack)
    wire = browser.connect()
    say(wire)
    accepted = get(wire)
    assert server.terminate() == -signal.SIGTERM  # uvicorn ends in order, then dies of the signal it was sent
    with pytest.raises(ConnectionClosed) as closed:
        get(wire)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012

    server.start(["Hello again, what's up?"])
    wire = browser.connect()
    frames = until(wire, "done")
    assert (frames[-1]["turn"], frames[-1]["finish"]) == (accepted["turn"], "complete")
    wire.close()


def test_danger_does_not_wait_for_an_answer_that_takes_long(server: Server, stack: ExitStack) -> None:
    server.start([FOREVER, "Never said."])
    browser = Browser(server, stack, "leo")
    wire = browser.connect()
    say(wire)
    say(wire, "i want to kill myself and im not joking")
    frames = until(wire, "done") + until(wire, "done")  # the first one is stopped: danger does not wait for it
    assert [frame["finish"] for frame in frames if frame["type"] == "done"] == ["stopped", "crisis"]
    assert any(frame["type"] == "notice" and frame["kind"] == "crisis_card" for frame in frames)
    assert "Never said." not in texts(frames)
    wire.close()
