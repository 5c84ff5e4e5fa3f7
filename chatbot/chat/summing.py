"""Summing up talks that ended, so that "last time" has something to go by. Each once, by whoever comes first.

A talk ends with the pause after which a new conversation begins. Of one in which anything hard was said nothing is kept
at all; of any other only what was learned from (`learning`): allowed, on the record, with memory on, outside plain
mode. What is kept goes with its messages.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.chat.answering import MEMORY, SKILL, WRITTEN
from chatbot.chat.calm import is_harmless
from chatbot.chat.learning import LEARNABLE, message_learn, messages_learn_waiting
from chatbot.chat.models import Author, Conversation, Finish, Message, MessageState, Turn
from chatbot.chat.services import IDLE
from chatbot.core import clock
from chatbot.core.crypto import CryptoError
from chatbot.core.keys import MasterKeyError
from companion.memory.summaries import summary_keep, told_by
from companion.memory.talks import Picked, Said, picked
from companion.types import Language
from moderation.detectors.personal.spans import personal_spans
from moderation.incidents import services as incidents
from moderation.types import WatchState

WAITING = 100
AT_ONCE = 2  # talks that a turn or a tap waits for
MOST = 400  # messages of a talk that are opened, the last ones
_HARD = ("crisis", "support")
_UNSUMMED = Q(summed_at=None) | Q(summed_at__lt=F("last_at"))
_Talk = tuple[tuple[Picked, ...], datetime, datetime]


def people_waiting() -> list[uuid.UUID]:
    """Whose talks ended without having been summed up: so many at a time, the newest first: one that can't be
    summed up keeps nobody waiting."""
    rows = _over().order_by("-last_at").values_list("person_id", flat=True)[:WAITING]
    return list(dict.fromkeys(rows))


def talks_sum_waiting(person_id: uuid.UUID, language: Language, *, most: int = AT_ONCE) -> int:
    """Sum up this person's talks that are over, the newest first, so that they can be asked for, or forgotten. How
    many."""
    waiting = list(_over().filter(person_id=person_id).order_by("-last_at").values_list("id", flat=True)[:most])
    for conversation_id in waiting:
        talk_sum(conversation_id, language)
    return len(waiting)


def _over() -> QuerySet[Conversation]:
    """Conversations with something that nobody summed up, and nothing since the pause that ends a talk."""
    return Conversation.objects.filter(_UNSUMMED, last_at__lte=clock.now() - IDLE)


def forgetting_begins(person_id: uuid.UUID, language: Language) -> None:
    """What was said so far is learned and summed up now, or never is: learned later, what is forgotten would come
    back."""
    messages_learn_waiting(person_id, language)
    talks_sum_waiting(person_id, language)
    talks_let_go(person_id)


def talks_let_go(person_id: uuid.UUID) -> None:
    """What was said so far and not summed up never is."""
    Conversation.objects.filter(_UNSUMMED, person_id=person_id).update(summed_at=F("last_at"))


def talk_sum(conversation_id: uuid.UUID, language: Language) -> bool:
    """Sum up what nobody did of a conversation, if it is over. Whether that was done here."""
    row = Conversation.objects.filter(_UNSUMMED, id=conversation_id).select_related("person").first()
    if row is None or clock.now() - row.last_at < IDLE:
        return False
    try:
        gate.may_keep(row.person, now=clock.now())
        talks = _talks(row, language)
    except MasterKeyError:  # it comes back
        raise
    except (gate.Refused, CryptoError):  # as in learning.message_learn
        talks = []
    with transaction.atomic():
        # Counted by what was read: of two who sum up at once one keeps it, and what was let go meanwhile nobody.
        as_read = Conversation.objects.filter(id=row.id, summed_at=row.summed_at, last_at=row.last_at)
        if as_read.update(summed_at=row.last_at) != 1:
            return False
        for said, since, until in talks:
            summary_keep(owner_id=row.person_id, said=said, since=since, until=until)
    return True


def _talks(row: Conversation, language: Language) -> list[_Talk]:
    """Each stretch between two pauses, where something of it is worth a line. Raises CryptoError."""
    unsummed = Message.objects.filter(conversation=row, author=Author.USER, state=MessageState.CURRENT)
    if row.summed_at is not None:
        unsummed = unsummed.filter(at__gt=row.summed_at)
    for late in unsummed.filter(LEARNABLE).select_related("conversation__person")[:MOST]:
        message_learn(late, language)
    watch = incidents.watch_load(row.person_id)
    found = []
    for talk in _stretches(list(unsummed.order_by("id"))):
        since, until = talk[0].at, talk[-1].at
        turns = Turn.objects.filter(message__conversation=row, message__at__gte=since, message__at__lte=until)
        if not _is_hard(talk, turns, watch):
            said = picked(_said(talk, turns, row.person), language)
            found += [(said, since, until)] if said else []
    return found


def _stretches(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """A page that stays open goes on in the same conversation after a pause."""
    pauses = [place for place, (one, two) in enumerate(itertools.pairwise(messages), 1) if two.at - one.at >= IDLE]
    for start, end in itertools.pairwise((0, *pauses, len(messages))):
        if end > start:
            yield list(messages[start:end])


def _is_hard(talk: Sequence[Message], turns: QuerySet[Turn], watch: WatchState) -> bool:
    """Whether anything in it was answered by people's words, or would have been had it not been corrected since; also
    what was answered without being stored."""
    danger = watch.signal_at is not None and talk[0].at <= watch.signal_at <= talk[-1].at + IDLE
    hard = Q(finish=Finish.CRISIS) | Q(engine=WRITTEN)
    return danger or any(one.decision in _HARD for one in talk) or turns.filter(hard).exists()


def _said(talk: Sequence[Message], turns: QuerySet[Turn], person: User) -> list[Said]:
    """What may be remembered of it, with where personal data stand: neither games nor questions to memory."""
    own = turns.exclude(engine__in=(SKILL, MEMORY)).order_by("-id")[:MOST]
    usual = {turn.message_id for turn in own if is_harmless(turn.trace)}
    fit = [one for one in talk if one.learned and one.decision == "allow" and not one.off_record]
    kept = [one for one in fit[-MOST:] if one.id in usual]
    told = told_by(person.id, [one.id for one in kept])
    zone = gate.zone_of(person)
    return [
        Said(
            id=one.id, text=one.body, at=one.at.astimezone(zone), told=told.get(one.id, ()),
            private=tuple((span.start, span.end) for span in personal_spans(one.body)),
        )
        for one in kept
    ]  # fmt: skip
