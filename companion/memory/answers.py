"""What a message asks of the memory, and the answer: what is known and since when, or that it is forgotten."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chatbot.core import clock
from companion.memory.dates import day_in_words
from companion.memory.extract import groups_of
from companion.memory.facts import KINDS, Fact
from companion.memory.kept import current_of, just_said
from companion.memory.lexicon import Asked, lexicon, sentence
from companion.memory.models import Memory
from companion.memory.reading import read
from companion.memory.reconcile import meant, words_of
from companion.memory.services import (
    MemoryNotFound,
    memory_close,
    memory_forget,
    memory_forget_about,
    memory_forget_all,
    memory_forget_said,
)
from companion.memory.text import flat
from companion.memory.threads import last_said
from companion.types import Language

MOST_SAID = 4
MOST_IN_SUMMARY = 7
# "When is my test" asks what was told; "when is the next eclipse" doesn't.
_OWN = re.compile(r"\b(?:my|our|i|meus?|minhas?|tenho|mis?|tengo|mon|ma|mes|j'ai)\b", re.IGNORECASE)

Pair = tuple[Memory, Fact]


@dataclass(frozen=True)
class MemoryReply:
    """An answer out of memory, and the memories it used. `forgot_all`: everything was forgotten with it. `theirs`: the
    whole sentences of the person's that it says, which nobody else wrote; `said`: the messages that they are from."""

    text: str
    used: tuple[uuid.UUID, ...] = ()
    forgot_all: bool = False
    theirs: tuple[str, ...] = ()
    said: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True)
class _Question:
    """others: what else the same words may mean. loose: asked only if something known is meant."""

    about: Asked
    who: str
    value: str
    others: tuple[str, ...] = ()
    loose: bool = False


@dataclass(frozen=True)
class _Asker:
    """Whose memory it is, and how they are answered. at: now, in their own time. off_record: of this very message
    nothing is learned. spoken_of: see `memory_reply`."""

    owner_id: uuid.UUID
    language: Language
    seed: int
    at: datetime
    off_record: bool
    spoken_of: tuple[uuid.UUID, ...]

    def line(self, name: str) -> str:
        answers = lexicon(self.language).words.answers
        own = f"{name}_off_record"  # where the usual one asks for something to remember
        lines = answers[own if self.off_record and own in answers else name]
        return lines[self.seed % len(lines)]

    def sentence(self, fact: Fact) -> str:
        return sentence(fact, self.language, self.at.date())


def memory_asked(text: str, language: Language) -> Asked | None:
    """What the message asks memory for, or has it forget; None where it does neither. Reads nothing of anybody."""
    asked = _asked(text, language)
    return None if asked is None else asked.about


def memory_reply(
    *, owner_id: uuid.UUID, text: str, language: Language, seed: int, at: datetime | None = None,
    off_record: bool = False, spoken_of: Sequence[uuid.UUID] = (),
) -> MemoryReply | None:  # fmt: skip
    """Answer a question to memory, or do as asked and forget; None when the message is neither. `at`: now, in the
    person's own time. `off_record`: what is said just now changes nothing that is known but by a plain wish to forget
    it. `spoken_of`: the memories, and the messages said back, that the reply just before it spoke of."""
    asked = _asked(text, language)
    if asked is None:
        return None
    spoken = tuple(spoken_of) if len(spoken_of) <= MOST_SAID else ()  # "that" is none of a long list
    asker = _Asker(owner_id, language, seed, at or clock.now().astimezone(UTC), off_record, spoken)
    known = current_of(owner_id, asker.at.date())
    if asked.about == "everything":
        return _summary(asker, known)
    if asked.about == "last_time":
        return _last_time(asker, known)
    if asked.about in ("forget", "forget_last", "forget_all", "outdated"):
        return _done(asker, asked, known)
    fitting = _fitting(asked, known)
    if not fitting:
        own = asked.about != "plan" or not asked.value or _OWN.search(flat(text))
        return MemoryReply(asker.line("unknown")) if own else None
    return _told(asker, fitting[:MOST_SAID])


def _asked(text: str, language: Language) -> _Question | None:
    text = unicodedata.normalize("NFC", text)
    found = [
        _Question(about, groups.get("who", ""), groups.get("value", "").strip(" .!?"))
        for about, groups in _matches(text, language)
    ]
    if found:
        others = tuple(one.value for one in found[1:] if one.about == "forget" and one.value)
        return replace(found[0], others=others if found[0].about == "forget" else ())
    wish = _wish(text, language) if lexicon(language).forgetting.search(flat(text)) else None
    topics = tuple(_loose(text, language)) if "?" not in text else ()
    if wish is not None or not topics:
        return wish and replace(wish, others=topics if wish.value else ())
    return _Question("forget", "", topics[0], topics[1:], loose=True)


def _loose(text: str, language: Language) -> Iterator[str]:
    for pattern in lexicon(language).loose:
        match = pattern.search(flat(text))
        if match is not None:
            yield groups_of(match, text)["value"].strip(" .!?")


def _matches(text: str, language: Language) -> Iterator[tuple[Asked, dict[str, str]]]:
    bare = flat(text)
    for about, pattern in lexicon(language).ask:
        match = pattern.search(bare)
        if match is not None:
            yield about, groups_of(match, text)


def _wish(text: str, language: Language) -> _Question | None:
    """What is to be forgotten, where no pattern knows the words: only then is the message read once more."""
    told = read(text, language)
    if told.forget_last:
        return _Question("forget", "", "")
    return _Question("forget", "", told.forget[0]) if told.forget else None


def _fitting(asked: _Question, known: Sequence[Pair]) -> list[Pair]:
    kinds = ("like", "favourite") if asked.about == "like" else (asked.about,)
    pairs = [pair for pair in known if pair[1].kind in kinds]
    if asked.who:
        pairs = [pair for pair in pairs if not pair[1].who or _same_who(asked.who, pair[1].who)]
    if asked.value:
        pairs = [pair for pair in pairs if set(words_of(asked.value)) & set(words_of(pair[1].value))]
    if asked.about in ("pet", "person"):  # named first: that is what is asked for
        pairs.sort(key=lambda pair: not pair[1].value)
    return pairs


def _same_who(asked: str, known: str) -> bool:
    mine, other = set(words_of(asked)), set(words_of(known))
    return mine <= other or other <= mine


def _told(asker: _Asker, pairs: Sequence[Pair]) -> MemoryReply:
    """What is known, and, of a single thing, how: the person said so, on that day."""
    said = [asker.sentence(fact) for _, fact in pairs]
    if len(pairs) == 1:
        since = pairs[0][0].since.astimezone(asker.at.tzinfo).date()
        said.append(asker.line("known").format(date=day_in_words(since, asker.language, weekday=False)))
    return MemoryReply(" ".join(said), tuple(row.id for row, _ in pairs))


def _summary(asker: _Asker, known: Sequence[Pair]) -> MemoryReply:
    if not known:
        return MemoryReply(asker.line("nothing_yet"))
    ordered = sorted(known, key=lambda pair: KINDS.index(pair[1].kind))[:MOST_IN_SUMMARY]
    said = " ".join(asker.sentence(fact) for _, fact in ordered)
    return MemoryReply(
        f"{asker.line('summary')} {said} {asker.line('summary_end')}", tuple(row.id for row, _ in ordered)
    )


def _last_time(asker: _Asker, known: Sequence[Pair]) -> MemoryReply:
    boundaries = [fact for _, fact in known if fact.kind == "boundary"]
    found = last_said(asker.owner_id, boundaries, asker.language, asker.seed, asker.at)
    if found is None:
        return MemoryReply(asker.line("last_said_none"))
    text, theirs, said = found
    return MemoryReply(text, theirs=theirs, said=said)


def _done(asker: _Asker, asked: _Question, known: Sequence[Pair]) -> MemoryReply | None:
    if asked.about == "forget_all":
        memory_forget_all(owner_id=asker.owner_id)
        return MemoryReply(asker.line("forgot_all"), forgot_all=True)
    if asked.about == "outdated":
        return None if asker.off_record else _outdated(asker, known)
    return _forget(asker, asked, known)


def _forget(asker: _Asker, asked: _Question, known: Sequence[Pair]) -> MemoryReply | None:
    """All that is about the topic; without one, what the companion came up with just before, or told when it was asked;
    else all of the message that told the last thing, if that was just now."""
    if asked.loose and not any(meant(asked.value, fact) for _, fact in known):
        return None
    if asked.value:
        topics = (asked.value, *asked.others)  # the first that means anything
        count = next(filter(None, (memory_forget_about(owner_id=asker.owner_id, topic=one) for one in topics)), 0)
    elif asker.spoken_of and asked.about == "forget":  # not where they say that it is their own words
        count = sum(_forgotten(asker.owner_id, one) for one in asker.spoken_of)
    elif asker.off_record:  # what was said last, and of that nothing was kept
        count = 0
    else:
        count = sum(_forgotten(asker.owner_id, row.id) for row in just_said(asker.owner_id, asker.at))
    return MemoryReply(asker.line("forgot" if count else "nothing_to_forget"))


def _forgotten(owner_id: uuid.UUID, one: uuid.UUID) -> int:
    """Forget a memory, or all that a message told. How many things went."""
    with suppress(MemoryNotFound):  # forgotten meanwhile, with what it was replaced by, or none
        memory_forget(owner_id=owner_id, memory_id=one)
        return 1
    return memory_forget_said(owner_id=owner_id, source=one)


def _outdated(asker: _Asker, known: Sequence[Pair]) -> MemoryReply | None:
    """ "That's not true anymore": what the companion said just before, if it was one thing, or they themselves, is
    history."""
    meant = set(asker.spoken_of) or {row.id for row in just_said(asker.owner_id, asker.at)}
    pairs = [pair for pair in known if pair[0].id in meant]
    if not pairs or len(asker.spoken_of) > 1:
        return None
    row, fact = pairs[-1]
    try:
        memory_close(owner_id=asker.owner_id, memory_id=row.id, at=asker.at)
    except MemoryNotFound:
        return None
    return MemoryReply(asker.line("outdated").format(what=asker.sentence(fact)))
