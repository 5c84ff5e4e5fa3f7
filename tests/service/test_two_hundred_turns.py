"""Promise 7 at a school's size: two hundred turns through one address, while processes are killed under them."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection

from tests.service.parts import Parts
from tests.service.teen import Teen, say

pytestmark = pytest.mark.service
PEOPLE, EACH, AHEAD = 20, 10, 3
KILLS = 2
WITHIN_S = 120
# What stands in the rows of these people: each conversation with its messages in order, and each message's turns.
ROWS = """
import django, json, sys
django.setup()
from chatbot.chat.models import Message, Turn
found = {}
for name in json.loads(sys.argv[1]):
    messages = list(Message.objects.filter(conversation__person__username=name).order_by("id"))
    turns = list(Turn.objects.filter(conversation__person__username=name).order_by("id"))
    found[name] = {
        "conversations": len({message.conversation_id for message in messages}),
        "said": [message.body for message in messages if message.author == "user"],
        "answered": [
            [message.body for message in messages if message.author == "companion" and message.turn_id == turn.id]
            for turn in turns],
        "of": [turn.message.body for turn in turns],
        "finish": [turn.finish for turn in turns],
    }
print(json.dumps(found))
"""


class Talker(threading.Thread):
    """Sends messages, a few ahead of their answers, as a browser's outbox does: in order, each under an id of its own,
    and after a break those again that were not accepted."""

    def __init__(self, teen: Teen, house: Parts) -> None:
        super().__init__(daemon=True)
        self.teen, self.house = teen, house
        self.outbox = [(uuid.uuid4(), f"i count {number} birds, says {teen.name}") for number in range(1, EACH + 1)]
        self.accepted: dict[str, str] = {}  # the client's id: the turn
        self.done: dict[str, str] = {}
        self.trouble: list[str] = []
        self.breaks = 0
        self.put_off = 0

    @property
    def finished(self) -> bool:
        return len(self.accepted) == EACH and set(self.accepted.values()) <= set(self.done)

    def run(self) -> None:
        end = time.monotonic() + WITHIN_S
        while not self.finished and time.monotonic() < end:
            try:
                with self.teen.opened(self.house) as wire:
                    self.teen.hello(wire)
                    self._talk(wire, end)
            except (ConnectionClosed, InvalidHandshake, OSError, EOFError):
                self.breaks += 1
                time.sleep(0.2)

    def _talk(self, wire: ClientConnection, end: float) -> None:
        sent: set[str] = set()
        self._catch_up()
        while not self.finished and time.monotonic() < end:
            for client_id, text in self._to_send(sent):
                say(wire, text, client_id)
                sent.add(str(client_id))
            with suppress(TimeoutError):
                self._hear(json.loads(wire.recv(timeout=1)), sent)

    def _to_send(self, sent: set[str]) -> list[tuple[uuid.UUID, str]]:
        under_way = len(self.accepted.keys() | sent) - len(self.done)
        left = [one for one in self.outbox if str(one[0]) not in sent and str(one[0]) not in self.accepted]
        return left[: max(0, AHEAD - under_way)]

    def _catch_up(self) -> None:
        """A turn that ended while no socket was open is not told again: its answer stands on the page."""
        messages: list[dict[str, Any]] = self.teen.ready["messages"]  # type: ignore[assignment]
        for message in messages:
            if message["author"] == "companion":
                self.done.setdefault(message["turn"], "on the page")

    def _hear(self, frame: dict[str, Any], sent: set[str]) -> None:
        match frame["type"]:
            case "error" if frame["code"] == "not_stored":  # a process that starts is slow to reach the database
                sent &= self.accepted.keys()
                self.put_off += 1  # what was sent right behind it may be ahead of it now
                time.sleep(0.5)
            case "accepted":
                turn = self.accepted.setdefault(frame["client_id"], frame["turn"])
                if turn != frame["turn"]:
                    self.trouble.append("one message, two turns")
            case "done":
                self.done[frame["turn"]] = frame["finish"]
            case "error" | "notice":
                self.trouble.append(f"{frame['type']}: {frame}")


def test_two_hundred_turns_and_a_process_killed_at_random_lose_double_and_disorder_nothing(
    house: Parts, somebody: Callable[[], Teen]
) -> None:
    chance = random.Random(20261125)  # noqa: S311  not for secrets
    talkers = [Talker(somebody(), house) for _ in range(PEOPLE)]
    for talker in talkers:
        talker.start()
    for number in range(1, KILLS + 1):
        while sum(len(talker.done) for talker in talkers) < number * PEOPLE * EACH // (KILLS + 2):
            assert any(talker.is_alive() for talker in talkers), [talker.trouble for talker in talkers]
            time.sleep(0.05)
        time.sleep(chance.random())
        chance.choice(house.sides).kill()
        house.start()
    for talker in talkers:
        talker.join(WITHIN_S)
    assert not [talker.name for talker in talkers if not talker.finished]
    assert sum(talker.breaks for talker in talkers) >= PEOPLE // 2  # or nothing was tried
    assert not [trouble for talker in talkers for trouble in talker.trouble]

    found = json.loads(house.python(ROWS, json.dumps([talker.teen.name for talker in talkers])))
    for talker in talkers:
        rows, texts = found[talker.teen.name], [text for _, text in talker.outbox]
        if talker.put_off:
            assert sorted(rows["said"]) == sorted(texts)
            texts = rows["said"]
        assert rows["conversations"] == 1
        assert rows["said"] == texts
        assert rows["of"] == texts
        assert rows["answered"] == [[f"I heard this: {text}."] for text in texts]
        assert rows["finish"] == ["complete"] * EACH
