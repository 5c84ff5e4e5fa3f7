"""What a page needs to draw a conversation: the answer to `hello`."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.accounts.standing import Standing
from chatbot.chat import frames, selectors, services
from chatbot.chat.help_ready import may_talk_as
from chatbot.chat.notices import disclosure
from chatbot.core import clock
from companion.profile.services import companion_for


def conversation_ready(
    person: User, conversation_id: uuid.UUID | None, *, readable: bool = True
) -> tuple[frames.Ready, uuid.UUID]:
    """The named conversation, or the running one, as `ready` shows it, and what a follower has seen of it already. Not
    `readable`: the person's key is missing, and no message is shown. Raises gate.Refused, services.NotYours."""
    gate.may_enter(person, now=clock.now())
    conversation = services.conversation_open(person=person, conversation_id=conversation_id)
    # Before the page of messages is read: a turn that ends in between is sent once more rather than never.
    known = selectors.turn_newest(conversation.id) or conversation.id
    companion = companion_for(person.id)
    turns = selectors.turns_open(conversation.id)
    ready = frames.Ready(
        conversation=conversation.id,
        messages=selectors.conversation_messages(conversation) if readable else [],
        companion=frames.CompanionView(
            name=companion.name, colour=companion.colour, mood=companion.mood, ai_label=_("AI")
        ),
        limits=_limits(person),
        disclosure=disclosure(person.region),
        turn=frames.OpenTurn(turn=turns[0], seq=0) if turns else None,
    )
    return ready, known


def _limits(person: User) -> frames.LimitsView:
    standing, now = Standing.of(person), clock.now()
    try:
        left = may_talk_as(standing, now=now).minutes_left
    except gate.Refused:
        left = None
    remembers = gate.remembers(standing, now=now)
    return frames.LimitsView(max_chars=frames.MESSAGE_CHARS, minutes_left=left, memory=remembers)
