"""Somebody signed in, and something to remember."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from chatbot.accounts.models import User
from companion.memory import services as memory

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
THEN = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def sign_in(person: User, agent: str = "") -> Client:
        client = Client(headers={"user-agent": agent}) if agent else Client()
        client.force_login(person, backend=BACKEND)
        return client

    return sign_in


@pytest.fixture
def told(maya: User) -> list[memory.MemoryView]:
    """Maya said two things."""
    text = "my name is Maya. i love skateboarding"
    return memory.memory_learn(owner_id=maya.id, text=text, language="en", said_at=THEN, source=None)
