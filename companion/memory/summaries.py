"""Talks that ended, as they are kept: a few of the person's own sentences each. Made by chat, which knows when a talk
ends; forgotten with what they were made of, and with what they name (`services`)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from chatbot.core.erasure import copies_drop
from chatbot.core.gone import gone_note
from chatbot.core.ids import new_id
from chatbot.core.locks import hold
from companion.memory.facts import Fact
from companion.memory.kept import fact_of, held
from companion.memory.models import Memory, Summary
from companion.memory.reconcile import topic_words, words_of
from companion.memory.talks import Picked

GONE = "summary"
MOST = 200  # of a person; the oldest go


class SummaryNotFound(Exception):
    """There is no such summary of this person."""


@dataclass(frozen=True)
class SummaryView:
    """A talk as its owner sees it: what they said in it, and from when until when it went."""

    id: uuid.UUID
    said: tuple[str, ...]
    since: datetime
    until: datetime


def told_by(owner_id: uuid.UUID, messages: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[Fact, ...]]:
    """What is remembered of each of these messages, by message."""
    found: dict[uuid.UUID, tuple[Fact, ...]] = {}
    for row in Memory.objects.filter(owner_id=owner_id, source__in=list(messages)):
        if row.source is not None:
            found[row.source] = (*found.get(row.source, ()), fact_of(row))
    return found


def summary_keep(*, owner_id: uuid.UUID, said: Sequence[Picked], since: datetime, until: datetime) -> None:
    """Keep a talk that ended. In the transaction that counts it as summed up; the oldest make room."""
    hold(held(owner_id))
    row = Summary(id=new_id(), owner_id=owner_id, since=since, until=until)
    row.said = [{"text": one.text, "source": str(one.source)} for one in said]
    row.save(force_insert=True)
    old = Summary.objects.filter(owner_id=owner_id).order_by("-until", "-id").values_list("id", flat=True)[MOST:]
    Summary.objects.filter(id__in=list(old)).delete()


def summary_list(*, owner_id: uuid.UUID) -> list[SummaryView]:
    """Every talk that is kept, the newest first."""
    return [_view(row) for row in _newest(owner_id)]


def summary_last(owner_id: uuid.UUID) -> Summary | None:
    """The last talk that is kept."""
    return _newest(owner_id).first()


def said_in(row: Summary) -> tuple[str, ...]:
    return tuple(one["text"] for one in row.said)


def _newest(owner_id: uuid.UUID) -> QuerySet[Summary]:
    return Summary.objects.filter(owner_id=owner_id).order_by("-until", "-id")


def _view(row: Summary) -> SummaryView:
    return SummaryView(row.id, said_in(row), row.since, row.until)


def summary_taken(row: Summary) -> dict[str, Any]:
    """A summary as it may be given back to `summaries_restore`."""
    called = None if row.called is None else row.called.isoformat()
    return {"said": row.said, "since": row.since.isoformat(), "until": row.until.isoformat(), "called": called}


def summaries_restore(owner_id: uuid.UUID, taken: Iterable[Mapping[str, Any]]) -> None:
    """Put back what was forgotten a moment ago, once. In the transaction that holds the person's memory."""
    known = [row.said for row in Summary.objects.filter(owner_id=owner_id)]
    for one in taken:
        if one["said"] not in known:
            row = Summary(id=new_id(), owner_id=owner_id, said=one["said"])
            row.since, row.until = (datetime.fromisoformat(one[key]) for key in ("since", "until"))
            row.called = None if one["called"] is None else datetime.fromisoformat(one["called"])
            row.save(force_insert=True)


def summary_forget(*, owner_id: uuid.UUID, summary_id: uuid.UUID) -> dict[str, Any]:
    """Delete one for good, and what it may be given back by. Raises SummaryNotFound."""
    with transaction.atomic():
        hold(held(owner_id))
        row = Summary.objects.filter(owner_id=owner_id, id=summary_id).first()
        if row is None:
            raise SummaryNotFound
        taken = summary_taken(row)
        _delete(owner_id, [row.id])
    return taken


def summaries_of(
    owner_id: uuid.UUID, *, sources: Collection[uuid.UUID] = (), topics: Collection[str] = ()
) -> list[Summary]:
    """Those that were made of one of these messages, or name one of these topics."""
    wanted = {str(source) for source in sources}
    names = [words for words in (topic_words(topic) for topic in topics) if words]
    found = []
    for row in Summary.objects.filter(owner_id=owner_id).order_by("id") if wanted or names else ():
        said = [frozenset(words_of(one["text"])) for one in row.said]
        named = any(words <= one for words in names for one in said)
        if named or not wanted.isdisjoint(one["source"] for one in row.said):
            found.append(row)
    return found


def summaries_forget(owner_id: uuid.UUID, *, sources: Collection[uuid.UUID] = (), topics: Collection[str] = ()) -> int:
    """Delete those for good. In the transaction that forgets the rest of it. How many."""
    return _delete(owner_id, [row.id for row in summaries_of(owner_id, sources=sources, topics=topics)])


def summaries_forget_all(owner_id: uuid.UUID) -> int:
    """Delete every one for good; opens none. In a transaction."""
    return _delete(owner_id, list(Summary.objects.filter(owner_id=owner_id).values_list("id", flat=True)))


def _delete(owner_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> int:
    if ids:
        gone_note(GONE, ids)
        copies_drop(owner_id)
    return Summary.objects.filter(id__in=ids).delete()[0]


def summary_count(owner_id: uuid.UUID) -> int:
    """How many there are. Opens none of them."""
    return Summary.objects.filter(owner_id=owner_id).count()


def summaries_expire(before: datetime) -> int:
    """Delete those of talks that began before then: their messages are gone as well. How many."""
    return Summary.objects.filter(since__lt=before).delete()[0]


def summaries_forget_again(ids: Collection[uuid.UUID]) -> int:
    """Delete those of these that are back, out of a backup. How many."""
    return Summary.objects.filter(id__in=ids).delete()[0]


def person_forget(owner_id: uuid.UUID) -> None:
    """Delete every one of the person's (erasure)."""
    Summary.objects.filter(owner_id=owner_id).delete()
