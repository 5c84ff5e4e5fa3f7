"""Who the companion is for one person: the name, the colour and the sliders that the person chose."""

from __future__ import annotations

import uuid

from django.db import models

from chatbot.core.fields import EncryptedTextField


class Companion(models.Model):
    """One a person. The name is the person's own word, so it is sealed like their messages."""

    owner_id = models.UUIDField(primary_key=True)
    name = EncryptedTextField()
    persona = models.CharField(max_length=12, default="classic")
    colour = models.CharField(max_length=12, default="honey")
    mood = models.CharField(max_length=12, default="sunny")
    playful = models.PositiveSmallIntegerField(default=50)
    curious = models.PositiveSmallIntegerField(default=50)
    gentle = models.PositiveSmallIntegerField(default=50)

    def __str__(self) -> str:
        return f"companion of {self.owner_id}"

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.owner_id
