"""The audit trail: who did what to whom. Append-only; a changed or missing entry breaks the chain of hashes."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from chatbot.core import clock
from chatbot.core.locks import hold
from chatbot.core.models import AuditEntry
from chatbot.core.text import text_clean

_START = "0" * 64


def _digest(  # noqa: PLR0917  an entry is these seven things
    before: str,
    number: int,
    at: datetime,
    actor: str,
    subject: uuid.UUID | None,
    action: str,
    detail: Mapping[str, object],
) -> str:
    text = json.dumps([before, number, at.isoformat(), actor, str(subject), action, detail], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def audit_record(
    *, actor: str, subject: uuid.UUID | None, action: str, detail: Mapping[str, str | int | bool] | None = None
) -> AuditEntry:
    """Append one entry. `detail` never holds what anybody wrote; `subject` is the person who may read the entry.

    DANGER: until the transaction around it ends, nobody else can append: let it be the last thing in there.
    """
    actor, action = text_clean(actor)[:64], text_clean(action)[:64]
    content = {name: text_clean(value) if isinstance(value, str) else value for name, value in (detail or {}).items()}
    with transaction.atomic():
        hold("audit")  # two at once would both follow the same last entry
        last = AuditEntry.objects.order_by("-number").first()
        number, before = (last.number + 1, last.digest) if last else (1, _START)
        at = clock.now()
        return AuditEntry.objects.create(
            number=number,
            at=at,
            actor=actor,
            subject_id=subject,
            action=action,
            detail=content,
            before=before,
            digest=_digest(before, number, at, actor, subject, action, content),
        )


def audit_broken_at() -> int | None:
    """The number of the first entry that does not fit the chain, or None when all do."""
    before, expected = _START, 1
    for entry in AuditEntry.objects.order_by("number").iterator():
        digest = _digest(before, entry.number, entry.at, entry.actor, entry.subject_id, entry.action, entry.detail)
        if entry.number != expected or entry.before != before or entry.digest != digest:
            return expected
        before, expected = entry.digest, expected + 1
    return None


def audit_since(subject: uuid.UUID, action: str, since: datetime) -> bool:
    """Whether that was done about this person after that moment."""
    return AuditEntry.objects.filter(subject_id=subject, action=action, at__gt=since).exists()


def audit_of(subject: uuid.UUID, *, limit: int = 50) -> list[AuditEntry]:
    """What was done about this person, newest first."""
    return list(AuditEntry.objects.filter(subject_id=subject).order_by("-number")[:limit])


def audit_subjects(action: str) -> set[uuid.UUID]:
    """Everybody about whom that was done."""
    rows = AuditEntry.objects.filter(action=action, subject_id__isnull=False)
    return {subject for subject in rows.values_list("subject_id", flat=True) if subject is not None}
