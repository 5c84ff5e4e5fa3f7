"""What memory may come up with by itself: how a plan went whose day has passed, asked once; something said last time.

Whether this is the moment for it is for the caller to know. What was asked about is marked before it is said, so that a
crash asks nothing twice.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import re2
from django.db import transaction

from chatbot.core.locks import hold
from companion.memory.dates import day_in_words, times_in, when_in_words
from companion.memory.facts import Fact
from companion.memory.kept import current_of, held
from companion.memory.lexicon import lexicon
from companion.memory.models import Memory, MemoryState, Summary
from companion.memory.reconcile import PLAN_DAYS, bounded, ends_small, words_of
from companion.memory.summaries import summary_last
from companion.memory.talks import leans
from companion.memory.text import flat
from companion.types import Language
from companion.words import feeling_of, weighs
from companion.words import words_of as plain_words

Moment = Literal["hello", "idle", "after"]
RETURN = timedelta(hours=6)  # since the last talk, which was on another day
QUOTED = 90  # characters that are said back unasked
SHARE = 0.5  # of the words of a plan, for a message to be about it
ASKED = "asked"
_MARKS = re2.compile(r"[\"“”„«»{}]")


@dataclass(frozen=True)
class Callback:
    """A line that uses a memory unasked. thread: it asks how a plan went; else it is something of the last talk.
    theirs: the person's own words in it. of: the memory, or the message, that it speaks of."""

    id: uuid.UUID
    text: str
    thread: bool
    theirs: str
    of: uuid.UUID


def moment_in(text: str, language: Language) -> Moment:
    """Whether a message only greets, or has nothing to tell; else a line could only come after the reply."""
    words, bare = lexicon(language), _bare(text)
    if "?" in text:
        return "after"
    return "hello" if words.hello.search(bare) else "idle" if words.idle.search(bare) else "after"


def callback_due(
    *, owner_id: uuid.UUID, text: str, language: Language, seed: int, at: datetime, lately: Sequence[str] = ()
) -> Callback | None:
    """What there is to come back to with this message. `at`: now, in the person's own time. `lately`: what they said
    just before it; if that is how something went, it may be this very plan, in other words."""
    moment = moment_in(text, language)
    told = any(lexicon(language).past.search(_bare(line)) for line in lately)
    known = current_of(owner_id, at.date())
    boundaries = [fact for _, fact in known if fact.kind == "boundary"]
    for row, fact in () if told else known:
        is_open = _is_open(row, fact, at.date()) and not _is_about(text, fact)
        if is_open and _is_askable(fact, boundaries, language):
            name = "thread" if moment == "idle" else f"thread_{moment}"
            line = _line(name, language, seed, day=fact.day or at.date(), today=at.date(), what=fact.value)
            return Callback(row.id, line, thread=True, theirs=fact.value, of=row.id)
    if moment == "after":
        return None
    return _last_time(owner_id, boundaries, moment=moment, language=language, seed=seed, at=at)


def callback_take(*, owner_id: uuid.UUID, callback: Callback, at: datetime) -> bool:
    """Mark it as said, before it is. False where somebody was first, or it was forgotten meanwhile."""
    with transaction.atomic():
        hold(held(owner_id))
        if not callback.thread:
            return Summary.objects.filter(owner_id=owner_id, id=callback.id, called=None).update(called=at) == 1
        row = Memory.objects.filter(owner_id=owner_id, id=callback.id, state=MemoryState.CURRENT).first()
        if row is None or ASKED in row.fact:
            return False
        _asked(row, at)
        return True


def threads_told(*, owner_id: uuid.UUID, text: str, language: Language, said_at: datetime, source: uuid.UUID) -> None:
    """Mark plans whose end the person tells unasked: on a later day, or on the day itself as something that is over. In
    the transaction that learns from the message, `source`: "the match on saturday was great" plans no other one."""
    hold(held(owner_id))
    today, over = said_at.date(), bool(lexicon(language).past.search(_bare(text)))
    about = [(row, fact) for row, fact in current_of(owner_id, today) if fact.kind == "plan" and _is_about(text, fact)]
    ended = [pair for pair in about if _is_over(pair[1], today + timedelta(days=1)) and pair[0].source != source]
    for row, fact in ended:
        if ASKED not in row.fact and (over or fact.day != today):
            _asked(row, said_at)
    for row, _ in about if ended and over else ():
        if row.source == source:
            _asked(row, said_at)


def last_said(
    owner_id: uuid.UUID, boundaries: Sequence[Fact], language: Language, seed: int, at: datetime
) -> tuple[str, tuple[str, ...], tuple[uuid.UUID, ...]] | None:
    """The last talk in its owner's own words, and when that was; with these words, and the messages that they are from.
    None where nothing is kept of one."""
    row = summary_last(owner_id)
    said = [] if row is None else [one for one in row.said if not _is_bounded(one["text"], boundaries)]
    if row is None or not said:
        return None
    quoted = lexicon(language).words.sentences["said"]
    text = " ".join(quoted.format(value=one["text"]) for one in said)
    line = _line("last_said", language, seed, day=row.until.astimezone(at.tzinfo).date(), today=at.date(), said=text)
    return line, tuple(one["text"] for one in said), tuple(uuid.UUID(one["source"]) for one in said)


def _last_time(
    owner_id: uuid.UUID, boundaries: Sequence[Fact], *, moment: Moment, language: Language, seed: int, at: datetime
) -> Callback | None:
    """Once for each talk, on a later day: something light that it held, and that no day has made old."""
    row = summary_last(owner_id)
    if row is None or row.called is not None or at - row.until < RETURN:
        return None
    day = row.until.astimezone(at.tzinfo).date()
    said = [one for one in row.said if _is_light(one["text"], language) and not _is_bounded(one["text"], boundaries)]
    if not said or day >= at.date():
        return None
    name, one = "last_time_hello" if moment == "hello" else "last_time", said[seed % len(said)]
    text = _line(name, language, seed, day=day, today=at.date(), said=one["text"])
    return Callback(row.id, text, thread=False, theirs=one["text"], of=uuid.UUID(one["source"]))


def _is_open(row: Memory, fact: Fact, today: date) -> bool:
    """A plan that is over and was not asked about."""
    return fact.kind == "plan" and ASKED not in row.fact and _is_over(fact, today)


def _is_over(fact: Fact, today: date) -> bool:
    """Its day has passed, not long ago."""
    return fact.day is not None and fact.day < today <= fact.day + timedelta(days=PLAN_DAYS)


def _is_askable(fact: Fact, boundaries: Sequence[Fact], language: Language) -> bool:
    """Nothing that hurts, or that its owner asked to leave alone; and no half of a sentence."""
    words = plain_words(fact.value, language)
    hurts = weighs(words, language) or _MARKS.search(fact.value)
    return not hurts and not ends_small(fact.value) and not bounded(fact, boundaries)


def _is_about(text: str, fact: Fact) -> bool:
    words = set(words_of(fact.value))
    return len(words & set(words_of(text))) >= SHARE * len(words)


def _is_light(text: str, language: Language) -> bool:
    words = plain_words(text, language)
    hurts = feeling_of(words, language) < 0 or weighs(words, language)
    return len(text) <= QUOTED and not hurts and not leans(text, language) and not times_in(text, None, language)


def _bare(text: str) -> str:
    return flat(unicodedata.normalize("NFC", text))


def _is_bounded(text: str, boundaries: Sequence[Fact]) -> bool:
    return bounded(Fact("like", text), boundaries)


def _asked(row: Memory, at: datetime) -> None:
    row.fact = {**row.fact, ASKED: at.isoformat()}
    row.save(update_fields=["fact"])


def _line(name: str, language: Language, seed: int, *, day: date, today: date, **words: str) -> str:
    lines = lexicon(language).words.answers[name]
    when = when_in_words(day, today, language)
    return lines[seed % len(lines)].format(
        when=when, When=when[:1].upper() + when[1:], day=day_in_words(day, language, weekday=False), **words
    )
