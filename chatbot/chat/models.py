"""Conversations: what was said, and the turns that answer it. Every word is sealed with its owner's key."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from chatbot.core import clock
from chatbot.core.fields import EncryptedJSONField, EncryptedTextField
from chatbot.core.ids import new_id


class Conversation(models.Model):
    """One person's conversation. A new one begins after 30 minutes idle or 12 hours, or by a tap.

    `summed_at`: what was said until then was summed up, or never is to be.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations")
    started_at = models.DateTimeField(default=clock.now)
    last_at = models.DateTimeField(default=clock.now)
    summed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-last_at"]
        indexes = [models.Index(fields=["person", "-last_at"])]

    def __str__(self) -> str:
        return str(self.id)


class Author(models.TextChoices):
    USER = "user"
    COMPANION = "companion"


class MessageState(models.TextChoices):
    CURRENT = "current"
    REPLACED = "replaced"


class _Owned(models.Model):
    """A row of one person: the owner stands in it, so that a sealed column needs no join to be opened."""

    id = models.UUIDField(primary_key=True, default=new_id)
    owner_id = models.UUIDField(db_index=True)

    class Meta:
        abstract = True

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.owner_id


class Message(_Owned):
    """One message or reply. `client_id` is the browser's own, so that a double send is one message.

    `off_record`: a message that its owner wanted not remembered, and what answers it. `remembered_at`: when it was
    learned from, or that it never is to be; `learned`: that it was, with memory on.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    author = models.CharField(max_length=9, choices=Author.choices)
    body = EncryptedTextField()
    state = models.CharField(max_length=8, choices=MessageState.choices, default=MessageState.CURRENT)
    client_id = models.UUIDField(null=True)
    turn_id = models.UUIDField(null=True, db_index=True)
    decision = models.CharField(max_length=8, blank=True)
    drawing = models.CharField(max_length=24, blank=True)
    # db_default: in a deploy a process of the version before still writes messages.
    off_record = models.BooleanField(default=False, db_default=False)
    remembered_at = models.DateTimeField(null=True)
    learned = models.BooleanField(default=False, db_default=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["owner_id", "client_id"], name="one_message_a_client_id")]

    def __str__(self) -> str:
        return f"{self.author} {self.id}"


class TurnState(models.TextChoices):
    """waiting -> answering -> done; an answering turn whose lease ran out is answered again by whoever finds it."""

    WAITING = "waiting"
    ANSWERING = "answering"
    DONE = "done"


class Finish(models.TextChoices):
    COMPLETE = "complete"
    STOPPED = "stopped"
    WITHHELD = "withheld"
    CRISIS = "crisis"
    FAILED = "failed"


class Turn(_Owned):
    """One message and what comes of it. Who answers it holds its lease; every write names its fence.

    `unasked`: something out of memory was said that nobody had asked for. `again`: after how many answers to the same
    words another one was asked for.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="turns")
    state = models.CharField(max_length=9, choices=TurnState.choices, default=TurnState.WAITING)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    stop = models.BooleanField(default=False)
    finish = models.CharField(max_length=8, choices=Finish.choices, blank=True)
    engine = models.CharField(max_length=40, blank=True)
    unasked = models.BooleanField(default=False, db_default=False)
    again = models.PositiveSmallIntegerField(default=0, db_default=0)
    trace = EncryptedJSONField(null=True)
    timings = models.JSONField(default=dict)
    started_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["state", "lease_until"])]

    def __str__(self) -> str:
        return f"{self.state} {self.id}"

    @property
    def is_last(self) -> bool:
        """Another answer was asked for, and it was one of those before: there is no other."""
        return bool(self.again and (self.trace or {}).get("last"))


class Sentence(_Owned):
    """One passed piece of a reply, stored before it is sent: what was seen can be seen again, on any process."""

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="sentences")
    seq = models.PositiveIntegerField()
    text = EncryptedTextField()
    line_id = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["turn", "seq"], name="one_sentence_a_seq")]

    def __str__(self) -> str:
        return f"{self.turn_id}#{self.seq}"


class ModerationKey(models.Model):
    """A program that may ask /api/v1/moderations. Only the digest of its secret is kept."""

    id = models.UUIDField(primary_key=True, default=new_id)
    name = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(revoked_at__isnull=True), name="one_live_key_a_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Reaction(models.Model):
    """The person's emoji on a reply; one a reply."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="reaction")
    emoji = models.CharField(max_length=16)
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.emoji} on {self.message_id}"
