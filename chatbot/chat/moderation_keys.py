"""Keys of programs that may ask /api/v1/moderations. A key is a long random secret: its digest alone is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from chatbot.chat.models import ModerationKey
from chatbot.core import clock
from chatbot.core.audit import audit_record
from chatbot.core.text import text_clean

PREFIX = "mk_"
NAME_LENGTH = 64


class KeyRefused(Exception):
    """No such key, or one too many. The sentence is for the operator."""


def key_create(name: str) -> str:
    """A new key's secret, which nobody can read again. Raises KeyRefused."""
    name = text_clean(name).strip()
    if not 0 < len(name) <= NAME_LENGTH:
        raise KeyRefused(f"A name has 1 to {NAME_LENGTH} characters.")
    secret = PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            ModerationKey.objects.create(name=name, digest=_digest(secret))
            audit_record(actor="operator", subject=None, action="moderation_key_created", detail={"name": name})
    except IntegrityError:
        raise KeyRefused(f"There is a key named {name!r}. Revoke it first, or take another name.") from None
    return secret


def key_revoke(name: str) -> None:
    """From the next request on it opens nothing. Raises KeyRefused."""
    name = text_clean(name).strip()
    with transaction.atomic():
        live = ModerationKey.objects.filter(name=name, revoked_at__isnull=True)
        if live.update(revoked_at=clock.now()) == 0:
            raise KeyRefused(f"There is no live key named {name!r}. `manage.py moderation_key list` shows all of them.")
        audit_record(actor="operator", subject=None, action="moderation_key_revoked", detail={"name": name})


def key_find(secret: str) -> ModerationKey | None:
    """The live key of that secret."""
    if not secret.startswith(PREFIX):
        return None
    return ModerationKey.objects.filter(digest=_digest(secret), revoked_at__isnull=True).first()


def keys_all() -> Sequence[ModerationKey]:
    """Every key there was, oldest first."""
    return list(ModerationKey.objects.all())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
