"""What a turn hears of a message when an encoder is slow, broken or away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatbot.accounts.models import User
from chatbot.chat import hearing
from chatbot.chat.models import Finish
from moderation import screen
from moderation.detectors.classifier.reading import Reading
from tests.chat.house import DANGERS, answered, says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]


@pytest.fixture
def held_up(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The encoder reads somebody's long text until this is set."""
    free, read = asyncio.Event(), screen.read_message

    async def wait(*given: Any) -> Reading:
        await free.wait()
        return await read(*given)

    monkeypatch.setattr(screen, "read_message", wait)
    monkeypatch.setattr(hearing, "SOON_S", 0.05)
    return free


@pytest.mark.parametrize("danger", sorted(DANGERS))
async def test_danger_that_rules_see_is_answered_while_the_encoder_is_held_up(
    maya_now: User, held_up: asyncio.Event, danger: str
) -> None:
    says("This must never be said.")
    turn, said = await answered(maya_now, DANGERS[danger])
    assert turn.trace["decision"]["playbook"] is not None
    assert said
    assert "never be said" not in said
    held_up.set()


async def test_anything_else_waits_until_it_was_read(maya_now: User, held_up: asyncio.Event) -> None:
    says("Saturn, obviously.")
    waiting = asyncio.create_task(answered(maya_now, "which planet would you pick"))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    held_up.set()
    _, said = await waiting
    assert said == "Saturn, obviously."


async def test_whatever_breaks_the_companions_encoder_breaks_no_turn(
    maya_now: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(text: str) -> Any:
        raise RuntimeError(f"no memory left for {text}")

    monkeypatch.setattr(hearing, "encode_async", broken)
    says("Saturn, obviously.")
    turn, said = await answered(maya_now, "which planet would you pick")
    assert (turn.finish, said) == (Finish.COMPLETE, "Saturn, obviously.")
