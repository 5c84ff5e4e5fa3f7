"""Rows that every part stands on: the keys of persons, the audit trail, and small shared counters."""

from __future__ import annotations

from django.db import models

from chatbot.core.ids import new_id


class PersonKey(models.Model):
    """One person's data key, wrapped by a master key. No foreign key: it outlives nobody and points to nobody."""

    owner_id = models.UUIDField(primary_key=True)
    wrapped = models.BinaryField()
    master = models.CharField(max_length=12)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"key of {self.owner_id}"


class AuditEntry(models.Model):
    """Who did what to whom, append-only; each entry carries the hash of the one before it."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.PositiveBigIntegerField(unique=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=64)
    subject_id = models.UUIDField(null=True, db_index=True)
    action = models.CharField(max_length=64)
    detail = models.JSONField(default=dict)
    before = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.number} {self.action}"


class Setting(models.Model):
    """A choice that the operator made by command: the region choice, the duty contact, free replies stopped."""

    name = models.CharField(primary_key=True, max_length=64)
    value = models.JSONField()
    set_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
