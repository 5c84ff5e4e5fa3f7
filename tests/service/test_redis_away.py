"""Redis carries only hints: killed, full, read-only or emptied, it costs time and nothing that anybody said."""

from __future__ import annotations

import http.client
import re
import urllib.parse
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.browser.server import PASSWORD
from tests.browser.told import SLOW
from tests.process.server import until
from tests.service.parts import Parts
from tests.service.teen import Teen, answered, card_shown, stored

pytestmark = pytest.mark.service


def signs_in(house: Parts, name: str) -> bool:
    """Through the page, with its limits that are counted in Redis."""
    with closing(http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)) as line:
        line.request("GET", "/account/login/")
        page = line.getresponse()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
        cookie = re.search(r"csrftoken=([^;]+)", page.headers["Set-Cookie"])
        assert token is not None
        assert cookie is not None
        fields = urllib.parse.urlencode({"login": name, "password": PASSWORD, "csrfmiddlewaretoken": token[1]})
        kind = "application/x-www-form-urlencoded"
        line.request("POST", "/account/login/", fields, {"Cookie": f"csrftoken={cookie[1]}", "Content-Type": kind})
        return line.getresponse().status == 302


def test_redis_killed_in_the_middle_of_a_turn_and_started_again(house: Parts, somebody: Callable[[], Teen]) -> None:
    teen = somebody()
    here, there = teen.connect(house.sides[0]), teen.connect(house.sides[1])
    stored(here, "slowly, redis goes away now")
    frames = until(here, "delta")
    house.redis.kill()
    frames += until(here, "done")
    assert [frame["text"] for frame in frames if frame["type"] == "delta"] == list(SLOW)
    assert frames[-1]["finish"] == "complete"

    # The next turns, while it is away: in this tab, through the other process, and in danger.
    assert answered(here, "still there?") == "I heard this: still there."
    assert card_shown(somebody().connect(house.sides[1]))
    newcomer = somebody()
    assert signs_in(house, newcomer.name)
    assert answered(newcomer.connect(house), "hello") == "I heard this: hello."

    house.redis.start()
    assert answered(here, "and now it is back") == "I heard this: and now it is back."
    # The other tab never lost its socket; it looks at the rows by itself.
    seen = [until(there, "done") for _ in range(3)]
    assert [frame["text"] for frames in seen for frame in frames if frame["type"] == "delta"] == [
        *SLOW, "I heard this: still there.", "I heard this: and now it is back.",
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", ["full", "read_only", "flush"])
def test_redis_that_takes_nothing_or_forgot_everything_breaks_nothing(
    house: Parts, somebody: Callable[[], Teen], wrong: str
) -> None:
    teen = somebody()
    here, there = teen.connect(house.sides[0]), teen.connect(house.sides[1])
    getattr(house.redis, wrong)()
    assert answered(here, "one of two") == "I heard this: one of two."
    assert answered(there, "two of two") == "I heard this: two of two."
    assert signs_in(house, teen.name)
    assert card_shown(somebody().connect(house))
    house.redis.well()
    assert answered(here, "well again") == "I heard this: well again."


def test_after_a_turn_no_word_of_it_is_in_redis(house: Parts, somebody: Callable[[], Teen]) -> None:
    wire = somebody().connect(house)
    assert answered(wire, "my cat is called Quxfirbel") == "I heard this: my cat is called Quxfirbel."
    assert b"quxfirbel" not in house.redis.dump().lower()
