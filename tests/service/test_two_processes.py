"""Two processes behind one address are one house: whoever is asked, the same conversation goes on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.browser.told import FIRST, SLOW
from tests.process.server import until
from tests.service.parts import Parts
from tests.service.teen import Teen, answered, say, send, stored

pytestmark = pytest.mark.service


def texts(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["text"] for frame in frames if frame["type"] == "delta"]


def test_a_turn_that_starts_on_one_process_is_stopped_through_the_other(
    house: Parts, somebody: Callable[[], Teen]
) -> None:
    teen = somebody()
    here = teen.connect(house.sides[0])
    turn = stored(here, "wait here until i say stop")["turn"]
    until(here, "delta")
    there = teen.connect(house.sides[1])
    send(there, "stop", turn=turn)
    for wire in (here, there):
        done = until(wire, "done")[-1]
        assert (done["turn"], done["finish"]) == (turn, "stopped")
    assert answered(there, "and now something else") == "I heard this: and now something else."
    assert until(here, "done")[-1]["finish"] == "complete"
    teen.connect(house)
    assert teen.said()[-4:] == [
        "wait here until i say stop", FIRST, "and now something else", "I heard this: and now something else.",
    ]  # fmt: skip


def test_a_turn_goes_on_through_the_other_process_where_the_line_broke(
    house: Parts, somebody: Callable[[], Teen]
) -> None:
    teen = somebody()
    here = teen.connect(house.sides[0])
    stored(here, "slowly, i will move")
    frames = until(here, "delta") + until(here, "delta")
    here.close()
    last = frames[-1]
    there = teen.connect(house.sides[1], seen={"turn": last["turn"], "seq": last["seq"]})
    frames += until(there, "done")
    assert texts(frames) == list(SLOW)
    assert [frame["seq"] for frame in frames if frame["type"] == "delta"] == [1, 2, 3, 4, 5, 6]


def test_a_killed_process_s_turns_end_through_the_other_whether_they_had_said_something_or_not(
    house: Parts, somebody: Callable[[], Teen]
) -> None:
    spoken, silent = somebody(), somebody()
    here, silent_here = spoken.connect(house.sides[0]), silent.connect(house.sides[0])
    stored(here, "slowly, and then it is dark")
    frames = until(here, "delta") + until(here, "delta")
    sent = uuid.uuid4()
    accepted = stored(silent_here, "think about it", sent)
    house.sides[0].kill()
    house.leases_run_out()

    there = spoken.connect(house.sides[1], seen={"turn": frames[-1]["turn"], "seq": frames[-1]["seq"]})
    silent_there = silent.connect(house.sides[1])
    assert "think about it" in silent.said()
    say(silent_there, "think about it", sent)  # the browser does not know that it was accepted

    # What was said stays, and the turn ends there.
    frames += until(there, "done")
    said = texts(frames)
    assert said == list(SLOW[: len(said)])
    assert len(said) >= 2
    assert frames[-1]["finish"] == "complete"
    assert answered(there, "are you there") == "I heard this: are you there."

    # Where nothing was said it is answered now.
    frames = until(silent_there, "done")
    assert [frame["turn"] for frame in frames if frame["type"] == "accepted"] == [accepted["turn"]]
    assert texts(frames) == ["I heard this: think about it."]


def test_a_deploy_of_one_process_hands_its_turns_to_the_other(house: Parts, somebody: Callable[[], Teen]) -> None:
    teen = somebody()
    here = teen.connect(house.sides[0])
    turn = stored(here, "think about the other one")["turn"]
    house.sides[0].signal()
    with pytest.raises(ConnectionClosed) as closed:
        until(here, "done")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    there = teen.connect(house)  # the one address: it finds the process that still serves
    frames = until(there, "done")
    assert (frames[-1]["turn"], frames[-1]["finish"]) == (turn, "complete")
    assert texts(frames) == ["I heard this: think about the other one."]


def test_a_deploy_of_both_loses_nothing(house: Parts, somebody: Callable[[], Teen]) -> None:
    teens = [somebody(), somebody()]
    wires = [teen.connect(side) for teen, side in zip(teens, house.sides, strict=True)]
    for wire in wires:
        stored(wire, "think about the next one")
    for side in house.sides:
        side.signal()
    for wire in wires:
        with pytest.raises(ConnectionClosed) as closed:
            until(wire, "done")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    for side in house.sides:
        side.stop()
    house.start()
    for teen in teens:
        wire = teen.connect(house)
        if teen.ready["turn"] is not None:
            until(wire, "done")
            wire = teen.connect(house)
        assert teen.said()[-2:] == ["think about the next one", "I heard this: think about the next one."]


def test_what_is_said_in_one_tab_is_seen_in_the_other_process_s_tab(house: Parts, somebody: Callable[[], Teen]) -> None:
    teen = somebody()
    here, there = teen.connect(house.sides[0]), teen.connect(house.sides[1])
    stored(here, "hello from this tab")
    assert texts(until(there, "done")) == ["I heard this: hello from this tab."]
