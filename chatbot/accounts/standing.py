"""What the rows say about somebody's time at one moment: read once, with the person, and handed on as a value.

It decides nothing: that is the gate's. A value is as old as its read, so it serves one answer of the gate, and nobody
keeps it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Self

from chatbot.accounts.models import Presence, TimeLimits, User
from chatbot.core.rows import only_row


@dataclass(frozen=True)
class Standing:
    """A person, their own limits, and their run of continuous use; None for a row that there is not."""

    person: User
    limits: TimeLimits | None
    presence: Presence | None

    @classmethod
    def of(cls, person: User) -> Self:
        """Of a person whom somebody has read before."""
        return cls(person, limits_row(person), only_row(Presence.objects.filter(person_id=person.id)))

    @classmethod
    def read(cls, person_id: uuid.UUID) -> Self | None:
        """By one query, the person with it. None where there is no such person."""
        person = only_row(User.objects.filter(id=person_id).select_related("time_limits", "presence"))
        if person is None:
            return None
        return cls(person, limits_loaded(person), getattr(person, "presence", None))


def limits_row(person: User) -> TimeLimits | None:
    """The person's own limits, read now."""
    return only_row(TimeLimits.objects.filter(person_id=person.id))


def limits_loaded(person: User) -> TimeLimits | None:
    """The same of a person who was read together with them just now (`select_related`)."""
    return getattr(person, "time_limits", None)
