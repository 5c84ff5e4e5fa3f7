"""Sites that may show the companion, their visitors, and what lets a visitor in: a ticket for one use."""

from __future__ import annotations

import uuid

from django.db import models

from chatbot.accounts.models import User
from chatbot.core import clock
from chatbot.core.fields import EncryptedJSONField
from chatbot.core.ids import new_id


class Site(models.Model):
    """A site of somebody else's. Its secrets (the newest first, two at most) are sealed by a data key of its own.

    `host_consents`: the operator knows that this host collects a guardian's consent, so its word for it counts.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    public_key = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=64)
    secrets = EncryptedJSONField()
    pepper = EncryptedJSONField()
    origins = models.JSONField(default=list)
    languages = models.JSONField(default=list)
    accent = models.CharField(max_length=8, default="honey")
    host_consents = models.BooleanField(default=False)
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.id


class Visitor(models.Model):
    """Who a site's subject is here. Only a keyed digest of the site's own name for them is kept."""

    id = models.UUIDField(primary_key=True, default=new_id)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="visitors")
    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=64)
    since = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "subject"], name="one_person_a_subject")]

    def __str__(self) -> str:
        return f"visitor {self.person_id}"


class DayHeld(models.Model):
    """How far a visitor who deleted everything was in their day, for two days: deleting wins no minutes and no other
    clock. Says nothing of what was said, and names no person."""

    id = models.UUIDField(primary_key=True, default=new_id)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=64)
    time_zone = models.CharField(max_length=64)
    day = models.DateField()
    seconds = models.PositiveIntegerField()
    break_open = models.BooleanField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "subject"], name="one_day_a_subject")]

    def __str__(self) -> str:
        return f"a day at {self.site_id}"


class Ticket(models.Model):
    """Opens one socket, once, within a minute. Only the digest of its secret is kept."""

    id = models.UUIDField(primary_key=True, default=new_id)
    digest = models.CharField(max_length=64, unique=True)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="tickets")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    origin = models.CharField(max_length=255)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"ticket of {self.person_id}"


class Nonce(models.Model):
    """That an identity was used: the same one a second time is somebody else's copy."""

    id = models.UUIDField(primary_key=True, default=new_id)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="nonces")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "digest"], name="one_use_a_nonce")]

    def __str__(self) -> str:
        return f"nonce of {self.site_id}"
