"""What a message tells: the patterns propose, the tagger reads the message with what they found, and what may never
be kept is left out again. Without the encoder the patterns stand alone, and so they do in a few plain words ("i hate
rain")."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from chatbot.core.encoder import TRUNK, EncoderError, encode
from companion.memory.dates import When, times_in
from companion.memory.extract import capital, ended_in, facts_in, is_keepable, is_private, is_silenced, parts_of
from companion.memory.facts import KINDS, NAMES, Fact
from companion.memory.tagger import marked, tagger
from companion.memory.text import flat
from companion.memory.tokens import Place, place_of, tokens_of
from companion.memory.told import ABOUT, Told, Window, told_in
from companion.types import Language

log = logging.getLogger(__name__)

# The chance above which a thing told is kept, and where the patterns found the same (training/remembering prints what
# each chance holds).
CUT, CUT_AGREED = 0.75, 0.4
FEW: Final = 5  # words of a part that says one thing plainly
ALWAYS: Final = ("boundary", "joke")  # said to the companion: to miss one is worse than to have one too many


@dataclass(frozen=True)
class Reading:
    """facts: what is told, in the order in which it is said. over: what was so and is no more. moved: the new day of a
    plan that was spoken of before. forget: what is to be forgotten; forget_last: what was said just now is."""

    facts: tuple[Fact, ...] = ()
    over: tuple[str, ...] = ()
    moved: tuple[date, ...] = ()
    forget: tuple[str, ...] = ()
    forget_last: bool = False


def read(text: str, language: Language, at: datetime | None = None) -> Reading:
    """`at`: when, in the person's own time; without it plans have no day."""
    text = unicodedata.normalize("NFC", text)
    if is_silenced(text, language):
        return Reading()
    plain, over = facts_in(text, language, at), ended_in(text, language)
    times = times_in(text, None if at is None else at.date(), language)
    try:
        told = _told(text, language, times, list(places_said(text, plain, over)))
    except EncoderError as error:
        log.error("memory_reads_by_patterns", extra={"reason": str(error)})
        return Reading(plain, over)
    read_so = _understood(text, language, told)
    if read_so.forget or read_so.forget_last:
        return read_so
    plainly = [fact for fact in plain if _is_plain(text, fact, language, read_so.facts)]
    return replace(read_so, facts=(*read_so.facts, *plainly))


def _is_plain(text: str, fact: Fact, language: Language, known: Sequence[Fact]) -> bool:
    """Whether patterns alone are enough for it, where the tagger found nothing of the kind."""
    if any(fact.kind == other.kind for other in known):
        return False
    place = place_of(text, fact.value or fact.who)
    few = place is not None and len(_part(text, place[0], language).split()) <= FEW
    return few or fact.kind in ALWAYS


def _told(text: str, language: Language, times: Sequence[When], said: Sequence[tuple[str, Place]]) -> list[Told]:
    """What is likely enough, in the order in which it is said."""
    encoded = encode([text], heads=(TRUNK,))[0]
    net = tagger()
    found: list[Told] = []
    for hidden, places in zip(encoded.hidden, encoded.places, strict=True):
        tokens = tokens_of(text, places, times, language)
        window = Window(text, language, tokens, net.tags(hidden, tokens, marked(places, said)), said)
        for told in told_in(window, times):
            new = not any(one.kind == told.kind and not one.span.apart(told.span) for one in found)
            agreed = (told.kind, (told.span.start, told.span.end)) in said
            if new and net.chance(told.seen) >= (CUT_AGREED if agreed else CUT):
                found.append(told)
    return sorted(found, key=lambda told: told.span.start)


def places_said(text: str, plain: Sequence[Fact], over: Sequence[str]) -> Iterator[tuple[str, Place]]:
    """Where in the text what the patterns found stands, by channel."""
    for fact in plain:
        value = place_of(text, fact.value) if fact.value else None
        if value is not None:
            yield fact.kind, value
        who = place_of(text, fact.who, near=value) if fact.who and fact.kind in ABOUT else None
        if who is not None:
            yield f"{fact.kind}.who", who
    for ended in over:
        place = place_of(text, ended)
        if place is not None:
            yield "over", place


def _understood(text: str, language: Language, told: Sequence[Told]) -> Reading:
    topics = tuple(one.value for one in told if one.kind == "forget")
    last = any(one.kind == "forget_last" for one in told)
    if topics or last:  # "forget that i love olives" must not teach olives anew
        return Reading(forget=topics, forget_last=last and not topics)
    # Beside something of 6.5 only names are kept: the rest may be about it, in words that no list knows.
    private = is_private(flat(text), language)
    facts = [(_fact(one), one.span.start) for one in told if one.kind in (NAMES if private else KINDS)]
    kept = (fact for fact, start in facts if is_keepable(fact, _part(text, start, language), language))
    over = tuple(one.value for one in told if one.kind == "over")
    moved = tuple(one.day for one in told if one.kind == "moved" and one.day is not None)
    return Reading(tuple(dict.fromkeys(kept)), over, moved)


def _fact(told: Told) -> Fact:
    kind = next(kind for kind in KINDS if kind == told.kind)
    return Fact(kind, capital(told.value) if kind in NAMES else told.value, told.who, told.day)


def _part(text: str, place: int, language: Language) -> str:
    """The part of the message in which something stands."""
    parts = ((start, end) for start, end, _ in parts_of(text, language))
    return next((text[start:end] for start, end in parts if start <= place < end), text)
