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

from chatbot.core.encoder import TRUNK, EncoderError
from chatbot.core.encoder.multilingual import multilingual
from companion.memory.changes import NOTHING, Changes, changes_in, is_others
from companion.memory.dates import times_in
from companion.memory.extract import (
    capital,
    ended_in,
    facts_in,
    groups_of,
    is_keepable,
    is_private,
    is_silenced,
    parts_of,
    sentence_places,
)
from companion.memory.facts import KINDS, NAMES, Fact
from companion.memory.lexicon import WISHES as WISHED
from companion.memory.lexicon import lexicon
from companion.memory.reconcile import meant
from companion.memory.tagger import marked, tagger
from companion.memory.text import flat
from companion.memory.tokens import Place, place_of, tokens_of
from companion.memory.told import ABOUT, WISHES, Told, Window, told_in
from companion.types import Language

log = logging.getLogger(__name__)

# The chance above which a thing told is kept, where the patterns found the same, and above which a wish is granted
# (training/remembering prints what each chance holds).
CUT, CUT_AGREED, CUT_WISH = 0.7, 0.4, 0.5
PERHAPS: Final = 0.25  # what is likelier than this counts where it changes something known
PIECE: Final = 400  # characters that are read at once, but for a longer sentence
FEW: Final = 5  # words of a part that says one thing plainly
FORGETTING: Final = ("forget", "forget_last")
ONE_WORD: Final = (*NAMES, "plan", "year")  # what patterns alone may put in the place of something known
ALWAYS: Final = ("boundary", "joke")  # said to the companion: to miss one is worse than to have one too many


@dataclass(frozen=True)
class Reading:
    """facts: what is told, in the order in which it is said. over: what was so and is no more. moved: the new day of a
    plan that was spoken of before. forget: what is to be forgotten; forget_last: what was said just now is. perhaps,
    perhaps_over, perhaps_moved: what is too unlikely to be believed by itself, as `changes` are: patterns alone."""

    facts: tuple[Fact, ...] = ()
    over: tuple[str, ...] = ()
    moved: tuple[date, ...] = ()
    forget: tuple[str, ...] = ()
    forget_last: bool = False
    perhaps: tuple[Fact, ...] = ()
    perhaps_over: tuple[str, ...] = ()
    perhaps_moved: tuple[date, ...] = ()
    changes: Changes = NOTHING


def read(text: str, language: Language, at: datetime | None = None) -> Reading:
    """`at`: when, in the person's own time; without it plans have no day."""
    text = unicodedata.normalize("NFC", text)
    if is_silenced(text, language):
        topics, rest = wished(text, language)
        after = read(rest, language, at) if rest else Reading()
        return Reading(tuple(fact for fact in after.facts if not any(meant(topic, fact) for topic in topics)))
    today = None if at is None else at.date()
    plain, over, changes = facts_in(text, language, at), ended_in(text, language), changes_in(text, language, today)
    try:
        told = _told(text, language, today, list(places_said(text, plain, over)))
    except EncoderError as error:
        log.error("memory_reads_by_patterns", extra={"reason": str(error)})
        return Reading(plain, over, changes=changes)
    read_so = _understood(text, language, [one for one, sure in told if sure])
    if read_so.forget or read_so.forget_last:
        return read_so
    plainly = [fact for fact in plain if _is_plain(text, fact, language, read_so.facts)]
    doubtful = [one for one, sure in told if not sure and one.kind not in FORGETTING]
    half = _understood(text, language, [one for one in doubtful if not is_others(text, one.span.start, language)])
    facts = tuple(fact for fact in (*read_so.facts, *plainly) if not _is_cue(fact, changes))
    perhaps = dict.fromkeys((*half.facts, *(fact for fact in plain if fact.kind in ONE_WORD and fact not in facts)))
    return replace(
        read_so, facts=facts, perhaps=tuple(perhaps), perhaps_over=half.over, perhaps_moved=half.moved, changes=changes
    )


def wished(text: str, language: Language) -> tuple[tuple[str, ...], str]:
    """What is to be forgotten by the words of a message, and the sentences after those that say so."""
    words, bare = lexicon(language), flat(text)
    found = [match for about, pattern in words.ask if about in WISHED and (match := pattern.search(bare))]
    last = max((match.end() for match in found), default=len(text))
    end = next((end for _, end, _ in sentence_places(text) if last <= end + 1), len(text))
    topics = tuple(groups_of(match, text).get("value", "") for match in found)
    silent = words.not_a_message.search(bare) or not found
    return tuple(filter(None, topics)), "" if silent else text[end:].lstrip(" .!?…,;")


def _is_cue(fact: Fact, changes: Changes) -> bool:
    """Whether what says that a plan moved was taken for one: "in the end it's sunday"."""
    return fact.kind == "plan" and fact.day in changes.moved and any(flat(fact.value) in it for it in changes.it)


def _is_plain(text: str, fact: Fact, language: Language, known: Sequence[Fact]) -> bool:
    """Whether patterns alone are enough for it, where the tagger found nothing of the kind."""
    if any(fact.kind == other.kind for other in known):
        return False
    place = place_of(text, fact.value or fact.who)
    few = place is not None and len(_part(text, place[0], language).split()) <= FEW
    return few or fact.kind in ALWAYS


def _told(
    text: str, language: Language, today: date | None, said: Sequence[tuple[str, Place]]
) -> list[tuple[Told, bool]]:
    """What is likely enough, in the order in which it is said, and whether it is by itself."""
    net, found = tagger(), list[tuple[Told, bool]]()
    pieces = list(_pieces(text))
    for (start, end), encoded in zip(
        pieces, multilingual().encode([text[a:b] for a, b in pieces], heads=(TRUNK,)), strict=True
    ):
        piece = text[start:end]
        here = [(channel, (a - start, b - start)) for channel, (a, b) in said if start <= a and b <= end]
        times = times_in(piece, today, language)
        for hidden, places in zip(encoded.hidden, encoded.places, strict=True):
            tokens = tokens_of(piece, places, times, language)
            window = Window(piece, language, tokens, net.tags(hidden, tokens, marked(places, here)), here)
            for told in told_in(window, times):
                span = replace(told.span, start=told.span.start + start, end=told.span.end + start)
                new = not any(one.kind == told.kind and not one.span.apart(span) for one, _ in found)
                agreed = (told.kind, (told.span.start, told.span.end)) in here
                chance = net.chance(told.seen)
                if new and chance >= PERHAPS:
                    cut = CUT_AGREED if agreed else CUT_WISH if told.kind in WISHES else CUT
                    found.append((replace(told, span=span), chance >= cut))
    return found


def _pieces(text: str) -> Iterator[Place]:
    """A long message by some sentences at a time: the net learnt from short ones, and in pages it hears little."""
    ends = [end for _, end, _ in sentence_places(text)]
    start = 0
    for at, end in enumerate(ends):
        last = at + 1 == len(ends)
        if last or ends[at + 1] - start > PIECE:
            yield start, len(text) if last else end
            start = end
    if not ends:
        yield 0, len(text)


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
    if topics or last:  # "forget that i love olives" must not teach olives anew; what is said after it may
        rest = _understood(text, language, list(_after_wishes(text, told)))
        kept_apart = tuple(fact for fact in rest.facts if not any(meant(topic, fact) for topic in topics))
        return Reading(kept_apart, forget=topics, forget_last=last and not topics)
    # Beside something of 6.5 only names are kept: the rest may be about it, in words that no list knows.
    private = is_private(flat(text), language)
    facts = [(_fact(one), one.span.start) for one in told if one.kind in (NAMES if private else KINDS)]
    kept = (fact for fact, start in facts if is_keepable(fact, _part(text, start, language), language))
    over = tuple(one.value for one in told if one.kind == "over")
    days = ((one.day, one.span.start) for one in told if one.kind == "moved")
    moved = tuple(day for day, start in days if day is not None and not is_others(text, start, language))
    return Reading(tuple(dict.fromkeys(kept)), over, moved)


def _after_wishes(text: str, told: Sequence[Told]) -> Iterator[Told]:
    """What is told in sentences after those that want something forgotten: what stands before them may be just that."""
    ends = [end for _, end, _ in sentence_places(text)]
    last = max(one.span.start for one in told if one.kind in FORGETTING)
    after = next((end for end in ends if last < end), len(text))
    return (one for one in told if one.kind in KINDS and one.span.start >= after)


def _fact(told: Told) -> Fact:
    kind = next(kind for kind in KINDS if kind == told.kind)
    return Fact(kind, capital(told.value) if kind in NAMES else told.value, told.who, told.day)


def _part(text: str, place: int, language: Language) -> str:
    """The part of the message in which something stands."""
    parts = ((start, end) for start, end, _ in parts_of(text, language))
    return next((text[start:end] for start, end in parts if start <= place < end), text)
