"""What the chat deletes of a person: every conversation with all that hangs on it."""

from __future__ import annotations

import uuid

from django.db import transaction

from chatbot.chat.models import Conversation, Message, Sentence, Turn


def person_forget(person_id: uuid.UUID) -> None:
    """Delete the person's conversations, messages, turns and sentences (reactions go with their messages)."""
    with transaction.atomic():
        Sentence.objects.filter(owner_id=person_id).delete()
        Turn.objects.filter(owner_id=person_id).delete()
        Message.objects.filter(owner_id=person_id).delete()
        Conversation.objects.filter(person_id=person_id).delete()
