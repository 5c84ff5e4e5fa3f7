"""Answering a turn: its lease, and every write under its fence. Of all processes only who holds the lease writes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from chatbot.chat.models import (
    Author,
    Finish,
    Message,
    Sentence,
    Turn,
    TurnState,
)
from chatbot.core import clock
from chatbot.core.fields import sealed
from chatbot.core.ids import new_id
from chatbot.core.jobs import enqueue_after_commit
from chatbot.core.rows import only_row

WRITTEN, SKILL, MEMORY = "written", "skill", "memory"  # what answered, where no engine did
LEASE = timedelta(seconds=15)
ENGINE_LENGTH, LINE_ID_LENGTH = 40, 120  # as wide as their columns; an engine may be anybody's code


class LeaseLost(Exception):
    """Another process answers this turn now: stop writing."""


def turn_claim(turn_id: uuid.UUID, *, now: datetime) -> Turn | None:
    """Take the lease of a turn: the turn with the fence to write with, and its person with their limits. None when
    somebody else has it or an older turn is open.

    DANGER: each line stands on the one before. An older turn may close the account, and then it is done: the person is
    read after that. What is read of the turn is counted by the update, and nobody writes under a fence that was never
    given; where it was given before, whoever had it may have written until the update.
    """
    older = Turn.objects.filter(conversation__turns=turn_id, id__lt=turn_id)
    if older.exclude(state=TurnState.DONE).exists():
        return None
    rows = Turn.objects.filter(id=turn_id).select_related("conversation__person__time_limits")
    turn = only_row(rows)
    if turn is None or turn.state == TurnState.DONE or (turn.lease_until is not None and turn.lease_until >= now):
        return None
    as_read = Turn.objects.filter(id=turn_id, fence=turn.fence, state=turn.state, lease_until=turn.lease_until)
    claim = {"fence": turn.fence + 1, "lease_until": now + LEASE, "state": TurnState.ANSWERING}
    if as_read.update(**claim) != 1:
        return None
    if turn.fence > 0:
        return only_row(rows.filter(fence=turn.fence + 1, state=TurnState.ANSWERING))
    turn.fence, turn.lease_until, turn.state = 1, now + LEASE, TurnState.ANSWERING
    return turn


def turn_renew(turn_id: uuid.UUID, fence: int, *, now: datetime) -> bool:
    """Keep the lease. Returns whether the person asked to stop. Raises LeaseLost."""
    held = _held(turn_id, fence)
    if held.update(lease_until=now + LEASE) != 1:
        raise LeaseLost
    stop = held.values_list("stop", flat=True).first()
    if stop is None:  # it ended between the two
        raise LeaseLost
    return stop


def turn_release(turn_id: uuid.UUID, fence: int) -> None:
    """Give the lease back unfinished (the server is going down): the next process takes the turn up at once."""
    _held(turn_id, fence).update(lease_until=None, state=TurnState.WAITING)


def turn_abandon(turn_id: uuid.UUID, fence: int) -> None:
    """Close a turn that can't even be read, with nothing said: what comes after it must not wait for it for ever."""
    _held(turn_id, fence).update(lease_until=None, state=TurnState.DONE, finish=Finish.FAILED, done_at=clock.now())


def turn_next(turn_id: uuid.UUID, *, now: datetime) -> uuid.UUID | None:
    """The oldest turn of the same conversation that waits for somebody to answer it, once this one is done."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    same = Turn.objects.filter(conversation__turns=turn_id).exclude(state=TurnState.DONE)
    first = same.order_by("id").first()
    return first.id if first is not None and same.filter(free, id=first.id).exists() else None


def turns_lost(*, now: datetime, most: int = 200) -> list[uuid.UUID]:
    """Turns that are not done and whose lease nobody holds: the oldest of each conversation, at most so many. Those
    that were tried least come first, so that many broken ones keep nobody else waiting."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    open_turns = Turn.objects.exclude(state=TurnState.DONE)
    older = open_turns.filter(conversation_id=OuterRef("conversation_id"), id__lt=OuterRef("id"))
    rows = open_turns.filter(free, ~Exists(older)).order_by("fence", "id")
    return list(rows.values_list("id", flat=True)[:most])


def turn_decide(*, turn_id: uuid.UUID, message_id: uuid.UUID, fence: int, action: str) -> None:
    """Keep what was decided about a turn's message, so that recall and learning use only what was allowed.
    Raises LeaseLost: whoever has the turn now decides anew, and what follows from it is not kept twice."""
    with transaction.atomic(savepoint=False):
        # The update is the lock: until the transaction ends nobody else has the turn.
        if _held(turn_id, fence).update(lease_until=clock.now() + LEASE) != 1:
            raise LeaseLost
        Message.objects.filter(id=message_id).update(decision=action)


def turn_plan(*, turn_id: uuid.UUID, fence: int, trace: Mapping[str, Any]) -> None:
    """Keep what is about to be said, before any of it is. Raises LeaseLost."""
    with transaction.atomic():
        turn = _held(turn_id, fence).select_for_update().first()
        if turn is None:
            raise LeaseLost
        turn.trace = dict(trace)
        turn.save(update_fields=["trace"])


def sentence_add(
    *, turn_id: uuid.UUID, owner_id: uuid.UUID, fence: int, seq: int, text: str, line_id: str = "", whole: bool = False
) -> bool:
    """Store one passed piece of the reply (seq: from 1) and keep the lease. False, and nothing stored, when the person
    asked to stop (`whole`: it is said all the same). Raises LeaseLost."""
    with transaction.atomic():
        held = _held(turn_id, fence)
        open_to_it = held if whole else held.filter(stop=False)
        if open_to_it.update(lease_until=clock.now() + LEASE) != 1:
            if held.exists():
                return False
            raise LeaseLost
        row = Sentence(id=new_id(), owner_id=owner_id, turn_id=turn_id, seq=seq, text=text)
        row.line_id = line_id[:LINE_ID_LENGTH]
        row.save(force_insert=True)
    return True


def turn_finish(
    *,
    turn: Turn,
    finish: Finish,
    engine: str,
    trace: Mapping[str, Any],
    timings: Mapping[str, float],
    learn: bool,
    said: Sequence[str] | None = None,
    off_record: bool = False,
    unasked: bool = False,
) -> uuid.UUID | None:
    """Store the reply and close the turn; the reply's id (None when nothing was said). Raises LeaseLost.

    `turn`: as it was claimed. `said`: all its sentences, where the caller stored each; else they are read.
    `off_record`: whether the message was. `unasked`: whether memory came up by itself.
    """
    now = clock.now()
    with transaction.atomic():
        # The update is the lock, so it comes first: after it nobody adds a sentence.
        closed = _held(turn.id, turn.fence).update(
            state=TurnState.DONE, finish=finish, engine=engine[:ENGINE_LENGTH], done_at=now, lease_until=None,
            trace=sealed(turn, "trace", dict(trace)), timings=dict(timings), unasked=unasked,
        )  # fmt: skip
        if closed != 1:
            raise LeaseLost
        if said is None:
            said = [sentence.text for sentence in Sentence.objects.filter(turn_id=turn.id).order_by("seq")]
        reply: Message | None = None
        # What people wrote for hard moments, and a game, stay bubble by bubble; an engine's sentences are one text.
        joint = "\n" if engine in (WRITTEN, SKILL) else " "
        if said:
            reply = Message(
                id=new_id(after=max(turn.id, turn.message_id)), owner_id=turn.owner_id,
                conversation_id=turn.conversation_id, author=Author.COMPANION,
                body=joint.join(said), turn_id=turn.id, at=now, drawing=str(trace.get("drawing", "")),
                off_record=off_record,
            )  # fmt: skip
            reply.save(force_insert=True)
        if learn:
            enqueue_after_commit("chat.learn", str(turn.message_id))
    return reply.id if reply else None


def _held(turn_id: uuid.UUID, fence: int) -> QuerySet[Turn]:
    """The turn, while that fence counts."""
    return Turn.objects.filter(id=turn_id, fence=fence, state=TurnState.ANSWERING)
