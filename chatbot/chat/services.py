"""Everything that people change in conversations, messages and turns. What answers them writes by answering.py."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import IntegrityError, transaction

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.chat.models import (
    Author,
    Conversation,
    Message,
    MessageState,
    Reaction,
    Turn,
    TurnState,
)
from chatbot.core import clock
from chatbot.core.ids import new_id
from chatbot.core.jobs import enqueue_after_commit
from chatbot.core.locks import hold
from companion.memory.services import memory_forget_said
from companion.memory.summaries import summaries_expire, summaries_forget

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)


class NotYours(gate.Refused):
    """There is no such row for this person. The same answer whether it exists or not."""


class NotPossible(Exception):
    """The row is there, but this can't be done with it now (an older message edited, a turn that is done stopped)."""


@dataclass(frozen=True)
class Acceptance:
    """A stored message. `new` is False for a double send, which gets the first one's answer."""

    message_id: uuid.UUID
    turn_id: uuid.UUID
    conversation_id: uuid.UUID
    new: bool
    off_record: bool = False


class Record(StrEnum):
    """What a message asks to be, and what the house can give. UNLEARNED: off the record was asked for where nothing is
    remembered, so there is none; but should memory be on a moment later, that message is not learned from."""

    ON = "on"
    OFF = "off"
    UNLEARNED = "unlearned"


def conversation_open(*, person: User, conversation_id: uuid.UUID | None = None) -> Conversation:
    """The named conversation, or the running one, or a new one after a pause. Raises NotYours."""
    if conversation_id is not None:
        found = Conversation.objects.filter(id=conversation_id, person=person).first()
        if found is None:
            raise NotYours
        return found
    running = _running(person)
    if running is not None:
        return running
    with transaction.atomic():
        hold(f"conversations of {person.id}")  # two tabs that come at once begin one conversation
        return _running(person) or conversation_start(person=person)


def _running(person: User) -> Conversation | None:
    now = clock.now()
    last = Conversation.objects.filter(person=person).order_by("-last_at").first()
    if last is not None and now - last.last_at < IDLE and now - last.started_at < LONGEST:
        return last
    return None


def conversation_for_message(*, person: User, conversation_id: uuid.UUID | None) -> Conversation:
    """As `conversation_open`, but a named one is not read: `message_accept` finds out whether it is theirs."""
    if conversation_id is not None:
        return Conversation(id=conversation_id, person=person)
    return conversation_open(person=person)


def conversation_own(*, person: User, conversation_id: uuid.UUID | None) -> uuid.UUID | None:
    """The id, if it is that of the person's own conversation."""
    if conversation_id is None or not Conversation.objects.filter(id=conversation_id, person=person).exists():
        return None
    return conversation_id


def conversation_start(*, person: User) -> Conversation:
    """A new, empty conversation. The one before it is over, as a rule, and may be summed up."""
    now = clock.now()
    with transaction.atomic():
        begun = Conversation.objects.create(person=person, started_at=now, last_at=now)
        enqueue_after_commit("chat.sum", str(person.id))
    return begun


def conversation_fresh(*, person: User) -> Conversation:
    """One in which nothing was said yet: the latest, where it is still empty, so that others don't pile up."""
    with transaction.atomic():
        hold(f"conversations of {person.id}")
        latest = Conversation.objects.filter(person=person).first()
        return conversation_start(person=person) if latest is None or latest.messages.exists() else latest


def message_accept(
    *, person: User, conversation: Conversation, client_id: uuid.UUID, text: str, record: Record = Record.ON
) -> Acceptance:
    """Store a message and the turn that will answer it, in one transaction. A double send changes nothing.

    Raises NotYours where the conversation is not theirs, or has gone meanwhile.
    """
    gate.may_own(person, conversation.person_id)
    now = clock.now()
    try:
        with transaction.atomic():
            turn_id, message_id = _ids_after(_conversation_hold(conversation.id, person, now=now))
            message = Message(
                id=message_id, owner_id=person.id, conversation=conversation, author=Author.USER, body=text,
                client_id=client_id, turn_id=turn_id, at=now, off_record=record is Record.OFF,
                remembered_at=None if record is Record.ON else now,
            )  # fmt: skip
            message.save(force_insert=True)
            turn = _turn_insert(message, turn_id)
    except IntegrityError:  # the same client_id: a double send
        known = accepted_before(person, client_id)
        if known is None:
            raise
        return known
    return Acceptance(message.id, turn.id, conversation.id, new=True, off_record=message.off_record)


def _conversation_hold(conversation_id: uuid.UUID, person: User, *, now: datetime) -> uuid.UUID:
    """Be the only one who adds to this conversation until the transaction ends. The newest id in it.

    DANGER: followers and claims go by the order of ids. Without this, of two processes the later one could commit
    first, or have the smaller id, and a turn would be overlooked or answered before its time. Raises NotYours.
    """
    rows = Conversation.objects.filter(id=conversation_id, person=person)
    # The update is the lock, so it comes first: what is read after it was committed by whoever held it before.
    if rows.update(last_at=now) != 1:
        raise NotYours
    turns, messages = (
        table.objects.filter(conversation_id=conversation_id).order_by().values_list("id", flat=True)
        for table in (Turn, Message)
    )
    newest: uuid.UUID | None = turns.union(messages, all=True).order_by("-id").first()
    return conversation_id if newest is None else max(newest, conversation_id)


def _ids_after(newest: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID]:
    """Of a new turn, and of its message."""
    turn_id = new_id(after=newest)
    return turn_id, new_id(after=turn_id)


def accepted_before(person: User, client_id: uuid.UUID) -> Acceptance | None:
    """What a message with this client_id was answered with, if it came before."""
    rows = Message.objects.filter(owner_id=person.id, client_id=client_id).order_by()
    known = next(iter(rows.values_list("id", "conversation_id", "off_record")), None)
    if known is None:
        return None
    turn_id = Turn.objects.filter(message_id=known[0]).order_by("id").values_list("id", flat=True).first()
    return None if turn_id is None else Acceptance(known[0], turn_id, known[1], new=False, off_record=known[2])


def _turn_add(message: Message, *, newest: uuid.UUID, again: int = 0) -> Turn:
    """One more turn for a message that has one already. In a conversation that is held."""
    turn = _turn_insert(message, new_id(after=newest), again=again)
    Message.objects.filter(id=message.id).update(turn_id=turn.id)
    return turn


def _turn_insert(message: Message, turn_id: uuid.UUID, *, again: int = 0) -> Turn:
    turn = Turn(
        id=turn_id, owner_id=message.owner_id, conversation_id=message.conversation_id, message=message,
        started_at=clock.now(), again=again,
    )  # fmt: skip
    turn.save(force_insert=True)
    return turn


def _own_turn(person: User, turn_id: uuid.UUID) -> Turn:
    turn = Turn.objects.filter(id=turn_id, owner_id=person.id).select_related("message").first()
    if turn is None:
        raise NotYours
    return turn


def _own_message(person: User, message_id: uuid.UUID) -> Message:
    message = Message.objects.filter(id=message_id, owner_id=person.id).first()
    if message is None:
        raise NotYours
    return message


def turn_stop(*, person: User, turn_id: uuid.UUID) -> uuid.UUID:
    """Ask whoever answers this turn to stop; they read it at each sentence. The conversation's id."""
    turn = _own_turn(person, turn_id)
    Turn.objects.filter(id=turn.id).exclude(state=TurnState.DONE).update(stop=True)
    return turn.conversation_id


def turns_hurry(acceptance: Acceptance) -> list[uuid.UUID]:
    """Ask those who answer older messages of the conversation to stop: somebody in danger does not wait for them."""
    older = Turn.objects.filter(conversation_id=acceptance.conversation_id, id__lt=acceptance.turn_id)
    waiting = list(older.exclude(state=TurnState.DONE).values_list("id", flat=True))
    Turn.objects.filter(id__in=waiting).update(stop=True)
    return waiting


def turn_again(*, person: User, turn_id: uuid.UUID) -> Acceptance:
    """Another answer to the same message: the last one of its conversation, unless it is known to have no other."""
    with transaction.atomic():  # the look and the write in one: of two taps in two tabs one is first
        held = _conversation_hold(_own_turn(person, turn_id).conversation_id, person, now=clock.now())
        turn = _own_turn(person, turn_id)
        newest = Turn.objects.filter(conversation_id=turn.conversation_id).order_by("-id").first()
        if turn.state != TurnState.DONE or newest is None or newest.id != turn.id or turn.is_last:
            raise NotPossible
        _replies_replace(turn.message)
        added = _turn_add(turn.message, newest=held, again=turn.again + 1)
    return Acceptance(turn.message_id, added.id, turn.conversation_id, new=True, off_record=turn.message.off_record)


def message_edit(*, person: User, message_id: uuid.UUID, text: str, record: Record = Record.ON) -> Acceptance:
    """Correct the person's own last message; what answered it is marked as replaced and answered anew.

    What was off the record stays so; and what goes off it with the correction is forgotten, if it was learned before.
    """
    with transaction.atomic():  # as in turn_again
        held = _conversation_hold(_own_message(person, message_id).conversation_id, person, now=clock.now())
        message = _own_message(person, message_id)
        own = Message.objects.filter(conversation_id=message.conversation_id, author=Author.USER)
        last = own.order_by("-id").first()
        if last is None or last.id != message.id or message.turns.exclude(state=TurnState.DONE).exists():
            raise NotPossible
        _replies_replace(message)
        was_off, message.off_record = message.off_record, message.off_record or record is Record.OFF
        learned = record is Record.ON and not message.off_record
        message.body, message.decision, message.remembered_at = text, "", None if learned else clock.now()
        message.learned = False
        message.save(update_fields=["body", "decision", "remembered_at", "learned", "off_record"])
        if message.off_record and not was_off:
            memory_forget_said(owner_id=person.id, source=message.id)
        else:  # a talk is summed up in the words that stand
            summaries_forget(person.id, sources=[message.id])
        turn = _turn_add(message, newest=held)
    return Acceptance(message.id, turn.id, message.conversation_id, new=True, off_record=message.off_record)


def _replies_replace(message: Message) -> None:
    turns = message.turns.values_list("id", flat=True)
    Message.objects.filter(turn_id__in=list(turns), author=Author.COMPANION).update(state=MessageState.REPLACED)


def message_react(*, person: User, message_id: uuid.UUID, emoji: str) -> None:
    """Put, change or (with an empty emoji) take back a reaction on a reply."""
    message = _own_message(person, message_id)
    if message.author != Author.COMPANION:
        raise NotPossible
    if emoji:
        Reaction.objects.update_or_create(message=message, defaults={"emoji": emoji, "at": clock.now()})
    else:
        Reaction.objects.filter(message=message).delete()


def message_for_report(*, person: User, message_id: uuid.UUID) -> Message:
    """The reply that the person reports. Raises NotYours, NotPossible for their own message."""
    message = _own_message(person, message_id)
    if message.author != Author.COMPANION:
        raise NotPossible
    return message


def message_conversation_own(*, person: User, message_id: uuid.UUID) -> uuid.UUID | None:
    """The conversation of the person's own message; None where there is no such message of theirs."""
    rows = Message.objects.filter(id=message_id, owner_id=person.id)
    return rows.values_list("conversation_id", flat=True).first()


def messages_expire(*, days: int) -> int:
    """Delete conversations whose last message is older than that (R29), and summaries of such talks. Number of messages
    deleted."""
    before = clock.now() - timedelta(days=days)
    old = Message.objects.filter(at__lt=before)
    count = old.count()
    summaries_expire(before)
    Turn.objects.filter(message__in=old).delete()
    old.delete()
    Conversation.objects.filter(messages__isnull=True, last_at__lt=before).delete()
    return count
