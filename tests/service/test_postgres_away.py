"""PostgreSQL restarts, or has no connection left: a clear sentence, the crisis card all the same, nothing lost."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from websockets.sync.client import ClientConnection

from tests.browser.told import SLOW
from tests.process.server import get, until
from tests.service.parts import Parts
from tests.service.teen import Teen, answered, card_shown, say, stored

pytestmark = pytest.mark.service
SENTENCE = "I can't save messages right now, so nothing was sent. It's still in your box; try in a minute."


def not_stored(wire: ClientConnection, text: str) -> bool:
    say(wire, text)
    frame = get(wire)
    return (frame["type"], frame.get("code"), frame.get("message")) == ("error", "not_stored", SENTENCE)


def test_postgres_restarted_in_the_middle_of_a_turn(house: Parts, somebody: Callable[[], Teen]) -> None:
    teen = somebody()
    wire = teen.connect(house)
    stored(wire, "slowly, and the database restarts")
    frames = until(wire, "delta") + until(wire, "delta")
    house.postgres.restart()
    frames += until(wire, "done")  # over the same socket
    said = [frame["text"] for frame in frames if frame["type"] == "delta"]
    assert said == list(SLOW[: len(said)])
    assert len(said) >= 2
    assert frames[-1]["finish"] == "complete"
    assert answered(wire, "and after it") == "I heard this: and after it."
    teen.connect(house)
    assert teen.said() == [
        "slowly, and the database restarts", " ".join(said), "and after it", "I heard this: and after it.",
    ]  # fmt: skip


def test_while_postgres_is_away_a_sentence_says_so_and_danger_is_answered(
    house: Parts, somebody: Callable[[], Teen]
) -> None:
    teen, other = somebody(), somebody()
    wires = [teen.connect(house.sides[0]), other.connect(house.sides[1])]
    for wire in wires:
        assert answered(wire, "good morning") == "I heard this: good morning."
    house.postgres.stop()
    for wire in wires:
        assert not_stored(wire, "can you hear me")
    for wire in wires:
        asked = time.monotonic()
        assert card_shown(wire)
        assert time.monotonic() - asked < 10
    house.postgres.start()
    for wire in wires:
        assert answered(wire, "can you hear me") == "I heard this: can you hear me."


@contextlib.contextmanager
def every_connection(house: Parts) -> Iterator[None]:
    """Somebody else has all that the server gives."""
    with contextlib.ExitStack() as held:
        house.postgres.restart(max_connections="10", superuser_reserved_connections="0")
        end = time.monotonic() + 10
        refused = 0
        while refused < 20:  # the house's own processes try as well: whoever comes first
            assert time.monotonic() < end, "there is always one more"
            try:
                held.enter_context(house.postgres.connect("postgres"))
            except psycopg.OperationalError:
                refused += 1
                time.sleep(0.05)
        yield


def test_out_of_connections_a_sentence_says_so_and_danger_is_answered(
    house: Parts, somebody: Callable[[], Teen]
) -> None:
    teen, other = somebody(), somebody()
    wire, danger = teen.connect(house.sides[0]), other.connect(house.sides[0])
    assert answered(wire, "good morning") == "I heard this: good morning."
    with every_connection(house):
        assert not_stored(wire, "is there room for me")
        assert card_shown(danger)
    assert answered(wire, "is there room for me") == "I heard this: is there room for me."
    house.postgres.restart()
    assert answered(wire, "and now") == "I heard this: and now."
