"""Sign-ins, kept in the database with whose they are. Named by SESSION_ENGINE."""

from __future__ import annotations

import uuid
from typing import Any

from django.apps import apps
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as Kept
from django.contrib.sessions.base_session import AbstractBaseSession


class SessionStore(Kept):
    """A cookie that nobody gave out is nobody's sign-in: PostgreSQL would not even look for one with a NUL in it."""

    @classmethod
    def get_model_class(cls) -> type[AbstractBaseSession]:
        found: type[AbstractBaseSession] = apps.get_model("accounts", "SignIn")
        return found

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        return _of_somebody(super().create_model_instance(data), data)

    async def acreate_model_instance(self, data: dict[str, Any]) -> Any:
        return _of_somebody(await super().acreate_model_instance(data), data)

    def _validate_session_key(self, key: str | None) -> bool:
        fine: bool = super()._validate_session_key(key)  # type: ignore[misc]  # the stubs leave it out
        return fine and key is not None and key.isascii() and key.isalnum()


def _of_somebody(row: Any, data: dict[str, Any]) -> Any:
    row.person_id = person_in(data)
    return row


def person_in(data: dict[str, Any]) -> uuid.UUID | None:
    """Who is signed in by this; None for nobody."""
    try:
        return uuid.UUID(data[SESSION_KEY])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
