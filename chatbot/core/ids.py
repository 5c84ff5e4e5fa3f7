"""Identifiers: UUIDv7, so that rows sort by when they were made."""

from __future__ import annotations

import uuid

import uuid_utils


def new_id() -> uuid.UUID:
    """A fresh UUIDv7 as the standard library's UUID."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)
