"""What one person plays, and what they made together with their companion. Sealed with that person's key."""

from __future__ import annotations

import uuid

from django.db import models

from chatbot.core import clock
from chatbot.core.fields import EncryptedJSONField
from chatbot.core.ids import new_id


class Play(models.Model):
    """One row a person: which skills they used says something about them, so even the names are inside.

    `skills`: name -> {state, kept, active, missed, conversation, at}. `before`: the same, of those that the turn
    `turn_id` changed, as they were before it: a turn that is answered twice after a crash begins from there.
    """

    owner_id = models.UUIDField(primary_key=True)
    skills = EncryptedJSONField()
    before = EncryptedJSONField()
    turn_id = models.UUIDField(null=True)

    def __str__(self) -> str:
        return f"play of {self.owner_id}"

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.owner_id


class Keepsake(models.Model):
    """One thing on the shelf. `thing`: kind, title, text. One a turn, so that a turn answered twice keeps one."""

    id = models.UUIDField(primary_key=True, default=new_id)
    owner_id = models.UUIDField(db_index=True)
    thing = EncryptedJSONField()
    turn_id = models.UUIDField(unique=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.owner_id
