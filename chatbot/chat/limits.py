"""What tells a person with an open chat that quiet hours began, time ran out, or a break is due."""

from __future__ import annotations

import uuid

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.models import User
from chatbot.chat import dangers
from chatbot.chat.frames import Notice
from chatbot.chat.help_ready import may_talk
from chatbot.chat.notices import break_notice, refusal_notice
from chatbot.core import clock


def closed_now(person_id: uuid.UUID) -> gate.Refused | None:
    """Why this person may not talk just now, read afresh. None while a crisis runs: no lock falls then (4.10)."""
    person = User.objects.filter(id=person_id).first()
    if person is None:
        return gate.SignedOut()
    if dangers.crisis_of(person):
        return None
    now = clock.now()
    people.break_look(person, now=now)
    try:
        may_talk(person, now=now)
    except gate.Refused as refusal:
        return refusal
    return None


def closed_notice(refusal: gate.Refused) -> Notice:
    """How the chat says it."""
    return break_notice() if isinstance(refusal, gate.BreakOpen) else refusal_notice(refusal)
