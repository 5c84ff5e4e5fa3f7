"""A person's copy of everything, while it waits to be fetched: sealed with their own key, gone after a day."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from chatbot.core import clock
from chatbot.core.fields import EncryptedTextField
from chatbot.core.ids import new_id


class ExportState(models.TextChoices):
    """asked -> making -> ready; failed after three tries; old once a newer one took its place."""

    ASKED = "asked"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"
    OLD = "old"


class Export(models.Model):
    """One asked-for copy. Who makes it holds its lease; every piece names the fence of its maker."""

    id = models.UUIDField(primary_key=True, default=new_id)
    owner_id = models.UUIDField(db_index=True)
    state = models.CharField(max_length=6, choices=ExportState.choices, default=ExportState.ASKED)
    language = models.CharField(max_length=8, default="en")
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(default=clock.now)
    made_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner_id"], condition=Q(state__in=["asked", "making"]), name="one_export_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.id}"


class ExportForm(models.TextChoices):
    """The same twice: for people, and for programs."""

    PAGE = "html"
    DATA = "json"


class ExportPiece(models.Model):
    """A stretch of the file, so that neither making nor fetching holds all of it at once."""

    id = models.UUIDField(primary_key=True, default=new_id)
    owner_id = models.UUIDField(db_index=True)
    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="pieces")
    form = models.CharField(max_length=4, choices=ExportForm.choices)
    fence = models.PositiveIntegerField()
    seq = models.PositiveIntegerField()
    body = EncryptedTextField()

    class Meta:
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["export", "form", "fence", "seq"], name="one_piece_a_place")]

    def __str__(self) -> str:
        return f"{self.export_id} {self.form} {self.seq}"

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.owner_id
