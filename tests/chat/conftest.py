"""Noon, and people of it: for tests that answer turns in a database with real transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from chatbot.accounts.models import User
from chatbot.chat import dangers, engine, talk
from chatbot.core import clock
from chatbot.core.choices import choice_set
from tests.chat.house import NOON
from tests.conftest import make_teen


@pytest.fixture
async def noon() -> AsyncIterator[None]:
    """Midday, outside everybody's quiet hours; afterwards nothing answers any more."""
    clock.move_to(NOON)
    dangers._unfiled.clear()
    yield
    await talk.turns_release()
    await engine.engines_close()


@pytest.fixture
def maya_now(noon: None) -> User:
    """Maya, where the operator has opened every region."""
    choice_set("regions", {"*": "allow"})
    return make_teen("maya", age=15)


@pytest.fixture
def leo_now(maya_now: User) -> User:
    return make_teen("leo", age=17)


@pytest.fixture
def maya_at_noon() -> Iterator[User]:
    """Maya at midday, for tests that run threads of their own."""
    clock.move_to(NOON)
    choice_set("regions", {"*": "allow"})
    yield make_teen("maya", age=15)
    clock.reset()
