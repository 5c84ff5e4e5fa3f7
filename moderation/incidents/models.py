"""What was flagged, what is held about a person's safety, and counts without persons."""

from __future__ import annotations

import uuid

from django.db import models

from chatbot.core import clock
from chatbot.core.fields import EncryptedJSONField, EncryptedTextField
from chatbot.core.ids import new_id


class IncidentState(models.TextChoices):
    """open -> claimed -> decided; a claim can be given back."""

    OPEN = "open"
    CLAIMED = "claimed"
    DECIDED = "decided"


MOVES: dict[str, frozenset[str]] = {
    IncidentState.OPEN: frozenset({IncidentState.CLAIMED}),
    IncidentState.CLAIMED: frozenset({IncidentState.OPEN, IncidentState.DECIDED}),
    IncidentState.DECIDED: frozenset(),
}


class Incident(models.Model):
    """One flagged message or reply. Holds its own excerpt, sealed with the person's key; no foreign keys upwards."""

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


class IncidentEvent(models.Model):
    """What was done with an incident, by whom. Append-only."""

    id = models.UUIDField(primary_key=True, default=new_id)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="events")
    actor = models.CharField(max_length=64)
    action = models.CharField(max_length=24)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"


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
