"""The slip that says what a message taught, and offers to undo it.

Made of rows when it is sent, and kept nowhere: no event carries a word of it. Nothing is said of a hard moment.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Literal

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.chat.answering import WRITTEN
from chatbot.chat.calm import is_calm, is_harmless
from chatbot.chat.frames import Notice, NoticeAction
from chatbot.chat.material import language_of
from chatbot.chat.models import Author, Finish, Message, Turn, TurnState
from chatbot.core import clock
from chatbot.core.crypto import CryptoError
from companion.memory.facts import Kind
from companion.memory.services import memory_told
from companion.words import weighs, words_of
from moderation.incidents import services as incidents

NAMED = 2
FRESH = timedelta(minutes=2)  # since the reply: later the chat stays quiet
LATELY = 3  # messages before it that must not have weighed either
# Kept, and not shown unasked: nobody's feeling is filed before their eyes, and what is off limits is not named.
_UNNAMED: tuple[Kind, ...] = ("feeling", "boundary")


def lesson_of(turn_id: uuid.UUID) -> Notice | Literal["later"] | None:
    """What to say of what this turn's message taught; `later` while nobody learned from it. None where there is nothing
    to say: nothing new, a hard moment, memory off, something else said since, or too long ago."""
    turn = Turn.objects.filter(id=turn_id).select_related("message__conversation__person").first()
    if turn is None or not _is_open_to_it(turn):
        return None
    message, person = turn.message, turn.message.conversation.person
    try:
        gate.may_keep(person, now=clock.now())
        if message.remembered_at is None:
            return "later"
        return _notice(message, person) if message.learned and _is_light(message, person) else None
    except (gate.Refused, CryptoError):
        return None


def _is_open_to_it(turn: Turn) -> bool:
    """It is the last turn of its conversation, just ended as it should, and nobody wrote its answer for a hard
    moment."""
    newest = Turn.objects.filter(conversation_id=turn.conversation_id).order_by("-id").values_list("id", flat=True)
    fresh = turn.done_at is not None and clock.now() - turn.done_at <= FRESH
    ended = turn.state == TurnState.DONE and turn.finish in (Finish.COMPLETE, Finish.STOPPED)
    if not (ended and fresh) or turn.engine == WRITTEN or newest.first() != turn.id:
        return False
    return turn.message.decision == "allow" and not turn.message.off_record and is_harmless(turn.trace)


def _is_light(message: Message, person: User) -> bool:
    """Neither the person's last days nor their last words were hard."""
    if not is_calm(incidents.watch_load(person.id), clock.now()):
        return False
    language = language_of(person)
    own = Message.objects.filter(conversation_id=message.conversation_id, author=Author.USER, id__lte=message.id)
    lately = own.order_by("-id")[: LATELY + 1]
    return not any(weighs(words_of(one.body, language), language) for one in lately)


def _notice(message: Message, person: User) -> Notice | None:
    at = clock.now().astimezone(gate.zone_of(person))
    told = memory_told(owner_id=person.id, source=message.id, language=language_of(person), at=at)
    named = [one.text for one in told if one.kind not in _UNNAMED][:NAMED]
    if not named:
        return None
    with translation.override(person.language.lower()):
        more = len(told) - len(named)
        if more:
            named.append(ngettext("And %(count)d more thing.", "And %(count)d more things.", more) % {"count": more})
        undo = NoticeAction(kind="undo", label=_("Undo"), value=str(message.id))
        return Notice(kind="memory", title=_("I'll remember:"), body="\n".join(named), actions=[undo])
