"""What the companion remembers about one person. Sealed with that person's key, kind and all."""

from __future__ import annotations

import uuid

from django.db import models

from chatbot.core import clock
from chatbot.core.fields import EncryptedJSONField, EncryptedTextField
from chatbot.core.ids import new_id


class MemoryState(models.TextChoices):
    CURRENT = "current"
    CLOSED = "closed"


class Memory(models.Model):
    """One thing the person said plainly. `fact` holds kind, value and, for people and pets, who they are; of a plan
    that is over, also when it was asked about.

    `since` is when it was said, `until` when something newer took its place. Forgotten means deleted: no state for it.
    `vector` is its place by sense, 384 half floats in base64; None where the encoder was away when it was learned.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    owner_id = models.UUIDField(db_index=True)
    fact = EncryptedJSONField()
    vector = EncryptedTextField(null=True)
    source = models.UUIDField(null=True)
    since = models.DateTimeField(default=clock.now)
    until = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=MemoryState.choices, default=MemoryState.CURRENT)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.owner_id


class Summary(models.Model):
    """A talk that ended, in a few of the person's own sentences. `said` holds each with the message that it is from.

    `since` and `until` are when the talk began and ended. Forgotten means deleted, and it goes with its messages.
    `called`: when it was called back to by itself, once.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    owner_id = models.UUIDField(db_index=True)
    said = EncryptedJSONField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    called = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.owner_id
