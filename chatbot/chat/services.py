"""Everything that changes conversations, messages and turns."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.chat.models import (
    Author,
    Conversation,
    Finish,
    Message,
    MessageState,
    Reaction,
    Sentence,
    Turn,
    TurnState,
)
from chatbot.core import clock
from chatbot.core.ids import new_id
from chatbot.core.jobs import enqueue_after_commit
from chatbot.core.locks import hold

WRITTEN = "written"
LEASE = timedelta(seconds=15)
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
ENGINE_LENGTH, LINE_ID_LENGTH = 40, 120  # as wide as their columns; an engine may be anybody's code


class NotYours(gate.Refused):
    """There is no such row for this person. The same answer whether it exists or not."""


class NotPossible(Exception):
    """The row is there, but this can't be done with it now (an older message edited, a turn that is done stopped)."""


class LeaseLost(Exception):
    """Another process answers this turn now: stop writing."""


@dataclass(frozen=True)
class Acceptance:
    """A stored message. `new` is False for a double send, which gets the first one's answer."""

    message_id: uuid.UUID
    turn_id: uuid.UUID
    conversation_id: uuid.UUID
    new: bool


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
    """A new, empty conversation."""
    now = clock.now()
    return Conversation.objects.create(person=person, started_at=now, last_at=now)


def message_accept(*, person: User, conversation: Conversation, client_id: uuid.UUID, text: str) -> Acceptance:
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
                client_id=client_id, turn_id=turn_id, at=now,
            )  # fmt: skip
            message.save(force_insert=True)
            turn = _turn_insert(message, turn_id)
    except IntegrityError:  # the same client_id: a double send
        known = accepted_before(person, client_id)
        if known is None:
            raise
        return known
    return Acceptance(message.id, turn.id, conversation.id, new=True)


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
    message = Message.objects.filter(owner_id=person.id, client_id=client_id).first()
    if message is None:
        return None
    turn = message.turns.order_by("id").first()
    return None if turn is None else Acceptance(message.id, turn.id, message.conversation_id, new=False)


def _turn_add(message: Message, *, newest: uuid.UUID) -> Turn:
    """One more turn for a message that has one already. In a conversation that is held."""
    turn = _turn_insert(message, new_id(after=newest))
    Message.objects.filter(id=message.id).update(turn_id=turn.id)
    return turn


def _turn_insert(message: Message, turn_id: uuid.UUID) -> Turn:
    turn = Turn(
        id=turn_id, owner_id=message.owner_id, conversation_id=message.conversation_id, message=message,
        started_at=clock.now(),
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


def turn_next(turn_id: uuid.UUID, *, now: datetime) -> uuid.UUID | None:
    """The oldest turn of the same conversation that waits for somebody to answer it, once this one is done."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    same = Turn.objects.filter(conversation__turns=turn_id).exclude(state=TurnState.DONE)
    first = same.order_by("id").first()
    return first.id if first is not None and same.filter(free, id=first.id).exists() else None


def turn_again(*, person: User, turn_id: uuid.UUID) -> Acceptance:
    """Another answer to the same message: the last one of its conversation only."""
    with transaction.atomic():  # the look and the write in one: of two taps in two tabs one is first
        held = _conversation_hold(_own_turn(person, turn_id).conversation_id, person, now=clock.now())
        turn = _own_turn(person, turn_id)
        newest = Turn.objects.filter(conversation_id=turn.conversation_id).order_by("-id").first()
        if turn.state != TurnState.DONE or newest is None or newest.id != turn.id:
            raise NotPossible
        _replies_replace(turn.message)
        added = _turn_add(turn.message, newest=held)
    return Acceptance(turn.message_id, added.id, turn.conversation_id, new=True)


def message_edit(*, person: User, message_id: uuid.UUID, text: str) -> Acceptance:
    """Correct the person's own last message; what answered it is marked as replaced and answered anew."""
    with transaction.atomic():  # as in turn_again
        held = _conversation_hold(_own_message(person, message_id).conversation_id, person, now=clock.now())
        message = _own_message(person, message_id)
        own = Message.objects.filter(conversation_id=message.conversation_id, author=Author.USER)
        last = own.order_by("-id").first()
        if last is None or last.id != message.id or message.turns.exclude(state=TurnState.DONE).exists():
            raise NotPossible
        _replies_replace(message)
        message.body, message.decision, message.remembered_at = text, "", None
        message.save(update_fields=["body", "decision", "remembered_at"])
        turn = _turn_add(message, newest=held)
    return Acceptance(message.id, turn.id, message.conversation_id, new=True)


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


def turn_claim(turn_id: uuid.UUID, *, now: datetime) -> int | None:
    """Take the lease of a turn: the fence to write with, or None when somebody else has it or an older turn is open."""
    open_turns = Turn.objects.exclude(state=TurnState.DONE)
    fence = open_turns.filter(id=turn_id).values_list("fence", flat=True).first()
    if fence is None:
        return None
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    older = open_turns.filter(conversation_id=OuterRef("conversation_id"), id__lt=turn_id)
    claimed = open_turns.filter(free, ~Exists(older), id=turn_id, fence=fence).update(
        fence=F("fence") + 1, lease_until=now + LEASE, state=TurnState.ANSWERING
    )
    return fence + 1 if claimed == 1 else None


def turn_renew(turn_id: uuid.UUID, fence: int, *, now: datetime) -> bool:
    """Keep the lease. Returns whether the person asked to stop. Raises LeaseLost."""
    held = Turn.objects.filter(id=turn_id, fence=fence, state=TurnState.ANSWERING)
    if held.update(lease_until=now + LEASE) != 1:
        raise LeaseLost
    stop = held.values_list("stop", flat=True).first()
    if stop is None:  # it ended between the two
        raise LeaseLost
    return stop


def turn_release(turn_id: uuid.UUID, fence: int) -> None:
    """Give the lease back unfinished (the server is going down): the next process takes the turn up at once."""
    Turn.objects.filter(id=turn_id, fence=fence, state=TurnState.ANSWERING).update(
        lease_until=None, state=TurnState.WAITING
    )


def turn_abandon(turn_id: uuid.UUID, fence: int) -> None:
    """Close a turn that can't even be read, with nothing said: what comes after it must not wait for it for ever."""
    Turn.objects.filter(id=turn_id, fence=fence, state=TurnState.ANSWERING).update(
        lease_until=None, state=TurnState.DONE, finish=Finish.FAILED, done_at=clock.now()
    )


def sentence_add(
    *, turn_id: uuid.UUID, owner_id: uuid.UUID, fence: int, seq: int, text: str, line_id: str = "", whole: bool = False
) -> bool:
    """Store one passed piece of the reply (seq: from 1) and keep the lease. False, and nothing stored, when the person
    asked to stop (`whole`: it is said all the same). Raises LeaseLost."""
    with transaction.atomic():
        held = Turn.objects.filter(id=turn_id, fence=fence, state=TurnState.ANSWERING)
        open_to_it = held if whole else held.filter(stop=False)
        if open_to_it.update(lease_until=clock.now() + LEASE) != 1:
            if held.exists():
                return False
            raise LeaseLost
        row = Sentence(id=new_id(), owner_id=owner_id, turn_id=turn_id, seq=seq, text=text)
        row.line_id = line_id[:LINE_ID_LENGTH]
        row.save(force_insert=True)
    return True


def turn_plan(*, turn_id: uuid.UUID, fence: int, trace: Mapping[str, Any]) -> None:
    """Keep what is about to be said, before any of it is. Raises LeaseLost."""
    with transaction.atomic():
        turn = Turn.objects.select_for_update().filter(id=turn_id, fence=fence, state=TurnState.ANSWERING).first()
        if turn is None:
            raise LeaseLost
        turn.trace = dict(trace)
        turn.save(update_fields=["trace"])


def turn_decide(*, turn_id: uuid.UUID, fence: int, action: str) -> None:
    """Keep what was decided about a turn's message, so that recall and learning use only what was allowed.
    Raises LeaseLost: whoever has the turn now decides anew, and what follows from it is not kept twice."""
    held = Turn.objects.filter(id=turn_id, fence=fence, state=TurnState.ANSWERING)
    if Message.objects.filter(id__in=held.values("message_id")).update(decision=action) != 1:
        raise LeaseLost


def turn_finish(
    *,
    turn_id: uuid.UUID,
    fence: int,
    finish: Finish,
    engine: str,
    trace: Mapping[str, Any],
    timings: Mapping[str, float],
    learn: bool,
) -> uuid.UUID | None:
    """Store the reply and close the turn; the reply's id (None when nothing was said). Raises LeaseLost."""
    now = clock.now()
    with transaction.atomic():
        turn = Turn.objects.select_for_update().filter(id=turn_id, fence=fence, state=TurnState.ANSWERING).first()
        if turn is None:
            raise LeaseLost
        sentences = list(turn.sentences.all())
        reply: Message | None = None
        # What people wrote for hard moments stays bubble by bubble; an engine's sentences are one text.
        joint = "\n" if engine == WRITTEN else " "
        if sentences:
            reply = Message(
                id=new_id(after=max(turn.id, turn.message_id)), owner_id=turn.owner_id,
                conversation_id=turn.conversation_id, author=Author.COMPANION,
                body=joint.join(sentence.text for sentence in sentences), turn_id=turn.id, at=now,
            )  # fmt: skip
            reply.save(force_insert=True)
        turn.state, turn.finish, turn.engine, turn.done_at = TurnState.DONE, finish, engine[:ENGINE_LENGTH], now
        turn.trace, turn.timings, turn.lease_until = dict(trace), dict(timings), None
        turn.save(update_fields=["state", "finish", "engine", "done_at", "trace", "timings", "lease_until"])
        if learn:
            enqueue_after_commit("chat.learn", str(turn.message_id))
    return reply.id if reply else None


def messages_expire(*, days: int) -> int:
    """Delete conversations whose last message is older than that (R29). Number of messages deleted."""
    old = Message.objects.filter(at__lt=clock.now() - timedelta(days=days))
    count = old.count()
    Turn.objects.filter(message__in=old).delete()
    old.delete()
    Conversation.objects.filter(messages__isnull=True, last_at__lt=clock.now() - timedelta(days=days)).delete()
    return count


def turns_lost(*, now: datetime, most: int = 200) -> list[uuid.UUID]:
    """Turns that are not done and whose lease nobody holds: the oldest of each conversation, at most so many. Those
    that were tried least come first, so that many broken ones keep nobody else waiting."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    open_turns = Turn.objects.exclude(state=TurnState.DONE)
    older = open_turns.filter(conversation_id=OuterRef("conversation_id"), id__lt=OuterRef("id"))
    rows = open_turns.filter(free, ~Exists(older)).order_by("fence", "id")
    return list(rows.values_list("id", flat=True)[:most])
