"""A person reports a reply (R39): an incident with the reply as its excerpt."""

from __future__ import annotations

import uuid

from chatbot.accounts.models import User
from chatbot.chat import services
from moderation.incidents import services as incidents
from moderation.types import Decision


def message_report(*, person: User, message_id: uuid.UUID, reason: str) -> None:
    """File the report. Twice is one incident."""
    message = services.message_for_report(person=person, message_id=message_id)
    incidents.incident_file(
        person_id=person.id,
        conversation_id=message.conversation_id,
        turn_id=message.turn_id,
        decision=Decision(action="allow", severity=3 if reason == "unsafe" else 2, incident=True),
        excerpt=message.body,
        kind="report",
        reason=reason,
    )
