"""What a socket that goes away may expect of its follower."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from structlog.testing import capture_logs

from chatbot.chat import frames
from chatbot.chat.follow import Follower
from chatbot.core.ids import new_id

pytestmark = pytest.mark.django_db(transaction=True)


async def _push(frame: frames.ServerFrame) -> None:
    """Nothing is sent here."""


async def test_a_follower_that_broke_is_closed_without_a_word_of_its_error() -> None:
    broken = Follower("private words", _push, after=new_id(), seen=None)  # type: ignore[arg-type]  # that is what breaks it
    await asyncio.wait([broken._task])
    with capture_logs() as logged:
        await broken.close()
    assert [(line["event"], line["error"]) for line in logged] == [("follower_broke", "ValidationError")]
    assert "private words" not in str(logged)


async def test_a_follower_that_still_looks_is_closed_in_silence() -> None:
    follower = Follower(uuid.uuid4(), _push, after=new_id(), seen=None)
    with capture_logs() as logged:
        await follower.close()
    assert logged == []
