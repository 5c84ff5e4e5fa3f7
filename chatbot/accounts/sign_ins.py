"""Sign-ins, kept in the database. Named by SESSION_ENGINE."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore as Kept


class SessionStore(Kept):
    """A cookie that nobody gave out is nobody's sign-in: PostgreSQL would not even look for one with a NUL in it."""

    def _validate_session_key(self, key: str | None) -> bool:
        fine: bool = super()._validate_session_key(key)  # type: ignore[misc]  # the stubs leave it out
        return fine and key is not None and key.isascii() and key.isalnum()
