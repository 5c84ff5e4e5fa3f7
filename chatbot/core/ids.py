"""Identifiers: UUIDv7, so that rows sort by when they were made."""

from __future__ import annotations

import secrets
import uuid

import uuid_utils

_LOW = 62  # random bits below the variant; above it stand 12 more, the version, and the milliseconds


def new_id(*, after: uuid.UUID | None = None) -> uuid.UUID:
    """A fresh UUIDv7 as the standard library's UUID. `after`: larger than that one, whatever the clocks say.

    Two processes within a millisecond, or two machines whose clocks differ, would not agree on what came first.
    """
    made = uuid.UUID(bytes=uuid_utils.uuid7().bytes)
    return made if after is None or made > after else _next_to(after)


def _next_to(after: uuid.UUID) -> uuid.UUID:
    """A little larger than that one, by less than 2**48: the counter goes up, into the milliseconds if it is full."""
    counter = (after.int >> 64 & 0xFFF) << _LOW | after.int & (1 << _LOW) - 1
    counter += 1 + secrets.randbits(48)
    carried, counter = divmod(counter, 1 << _LOW + 12)
    moment = (after.int >> 80) + (carried if after.version == 7 else 1)
    return uuid.UUID(int=moment << 80 | 7 << 76 | counter >> _LOW << 64 | 0b10 << _LOW | counter & (1 << _LOW) - 1)
