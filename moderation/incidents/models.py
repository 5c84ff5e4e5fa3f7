"""What was flagged, what is held about a person's safety, and counts without persons."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models

from chatbot.core import clock
from chatbot.core.fields import EncryptedJSONField, EncryptedTextField
from chatbot.core.ids import new_id


class IncidentState(models.TextChoices):
    """open -> claimed -> decided. A claim is given back or runs out; a decision can be taken back for a few minutes."""

    OPEN = "open"
    CLAIMED = "claimed"
    DECIDED = "decided"


class Incident(models.Model):
    """One flagged message or reply. Holds its own excerpt, sealed with the person's key; no foreign keys upwards.

    `claimed_until`: a claim frees itself then. `answered_at`: who reported it was told what came of it (R39).
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    person_id = models.UUIDField(db_index=True)
    conversation_id = models.UUIDField(null=True)
    turn_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=12)
    severity = models.PositiveSmallIntegerField()
    level = models.CharField(max_length=2, blank=True)
    categories = models.JSONField(default=list)
    reason = models.CharField(max_length=16, blank=True)
    excerpt = EncryptedTextField(null=True)
    state = models.CharField(max_length=8, choices=IncidentState.choices, default=IncidentState.OPEN)
    assignee_id = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    second_look = models.BooleanField(default=False)
    outcome = models.CharField(max_length=16, blank=True)
    decided_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    at = models.DateTimeField(default=clock.now)
    sla_due = models.DateTimeField()

    class Meta:
        ordering = ["-severity", "at"]
        constraints = [models.UniqueConstraint(fields=["turn_id", "kind"], name="one_incident_a_turn_and_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.severity} {self.state}"

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.person_id

    @property
    def has_excerpt(self) -> bool:
        """Whether words were kept. Says so without opening them."""
        return self.__dict__.get("excerpt") is not None

    def holder(self, now: datetime) -> uuid.UUID | None:
        """Who holds it now. A claim that ran out is nobody's, whether the sweep has been there or not."""
        held = self.state == IncidentState.CLAIMED and self.claimed_until is not None and self.claimed_until > now
        return self.assignee_id if held else None


class IncidentEvent(models.Model):
    """What was done with an incident, by whom. Append-only. A note is about the person: sealed with their key."""

    id = models.UUIDField(primary_key=True, default=new_id)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="events")
    actor = models.CharField(max_length=64)
    action = models.CharField(max_length=24)
    note = EncryptedTextField(null=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.incident.person_id


class PersonWatch(models.Model):
    """The watch over one person's conversations: levels and times, no words. Sealed all the same."""

    person_id = models.UUIDField(primary_key=True)
    watch = EncryptedJSONField()

    def __str__(self) -> str:
        return f"watch of {self.person_id}"

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.person_id


class HelplineCheck(models.Model):
    """That somebody called or opened a helpline, when, and whether it was right. The row's id is helplines.yaml's."""

    id = models.UUIDField(primary_key=True, default=new_id)
    line = models.CharField(max_length=64, db_index=True)
    right = models.BooleanField()
    actor = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.line} {'right' if self.right else 'wrong'}"


class CrisisCount(models.Model):
    """How often helplines were shown, by region, month, category and band. No person in it (R11)."""

    region = models.CharField(max_length=6)
    month = models.CharField(max_length=7)
    category = models.CharField(max_length=12)
    band = models.CharField(max_length=6)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["region", "month", "category", "band"], name="one_count_a_cell")]

    def __str__(self) -> str:
        return f"{self.region} {self.month} {self.category}: {self.count}"
