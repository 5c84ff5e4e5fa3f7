"""Everything that is kept about a person, in one piece, for themself only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chatbot.accounts import gate
from chatbot.accounts.models import Role, User
from chatbot.chat import selectors
from chatbot.chat.material import language_of
from chatbot.chat.terminal import memory_row
from chatbot.core import clock
from chatbot.me.looks import looks_of
from companion.memory.services import memory_list
from companion.profile.services import companion_for

MOST = 10_000


def everything(person: User) -> dict[str, Any]:
    """Account, consents, days of use, what was done about them, and for a teen the companion, memory and chats."""
    now = clock.now()
    found: dict[str, Any] = {
        "exported_at": now.isoformat(),
        "account": {
            "user_name": person.username, "role": person.role, "age_group": person.band, "country": person.country,
            "region": person.region, "time_zone": person.time_zone, "language": person.language,
            "joined": person.date_joined.isoformat(),
        },
        "consents": [
            {"kind": row.kind, "method": row.method, "at": row.at.isoformat(),
             "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None}
            for row in person.consents.order_by("at")
        ],
        "days": [
            {"day": row.day.isoformat(), "seconds": row.seconds, "messages": row.turns}
            for row in person.usage_days.order_by("day")
        ],
        "done_about_you": [
            {"at": look.at.isoformat(), "what": look.what, "reason": look.reason}
            for look in looks_of(person.id, limit=MOST)
        ],
    }  # fmt: skip
    if person.role == Role.TEEN:
        limits = gate.limits_of(person, now)
        found["limits"] = {
            "quiet_from": str(limits.quiet_from or ""), "quiet_to": str(limits.quiet_to or ""),
            "minutes_a_day": limits.minutes, "memory": limits.memory,
        }  # fmt: skip
        found["companion"] = asdict(companion_for(person.id))
        memories = memory_list(owner_id=person.id, language=language_of(person))
        found["memory"] = [memory_row(view) for view in memories]
        found["conversations"] = [_conversation(person, one) for one in selectors.conversations_of(person, limit=MOST)]
    return found


def _conversation(person: User, view: selectors.ConversationView) -> dict[str, Any]:
    conversation = selectors.conversation_of(person, view.id)
    said = selectors.conversation_messages(conversation, limit=MOST)
    return {
        "last_at": view.last_at.isoformat(),
        "messages": [
            {"who": one.author, "text": one.text, "at": one.at, "reactions": one.reactions} for one in said
        ],
    }  # fmt: skip
