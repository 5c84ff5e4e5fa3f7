"""What a turn works with, read in one piece, and what it leaves behind, written in one piece."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.accounts.standing import limits_loaded
from chatbot.chat import answering
from chatbot.chat.help_ready import may_be_answered
from chatbot.chat.history import before_read, played_off, spoken_before
from chatbot.chat.learning import messages_learn_waiting, messages_let_go
from chatbot.chat.models import Turn
from chatbot.chat.summing import forgetting_begins, talks_sum_waiting
from chatbot.core import clock
from chatbot.core.crypto import CryptoError
from companion.memory import services as memory
from companion.memory.answers import MemoryReply, memory_asked, memory_reply
from companion.memory.extract import told_in
from companion.play import services as play
from companion.profile.services import Shape, companion_for
from companion.skills.api import Playing
from companion.types import LANGUAGES, Band, Language, Line, Recalled, Told
from moderation.incidents import services as incidents
from moderation.types import Exchanged, Screening, WatchState

UNREADABLE_TRIES = 50  # about four minutes of looks over the rows
RECALLED = 6


@dataclass(frozen=True)
class Material:
    """One turn's message, its owner's circumstances, and what was said before.

    `history` is what the safety layer reads, all of it; `usable` what the companion may still use of it; `passed` the
    answers to these words that another one was asked for. `played`: the games that go on off the record.
    """

    turn_id: uuid.UUID
    message_id: uuid.UUID
    conversation_id: uuid.UUID
    owner_id: uuid.UUID
    text: str
    history: tuple[Line, ...]
    usable: tuple[Line, ...]
    companion: Shape
    watch: WatchState
    language: Language
    band: Band
    country: str
    region: str
    plain: bool
    memory: bool
    local: datetime
    said_already: int
    off_record: bool
    played: tuple[Playing, ...]
    skills_off: frozenset[str] = frozenset()
    closed: gate.Refused | None = None
    planned: dict[str, Any] | None = None
    passed: tuple[tuple[Line, ...], ...] = ()

    def exchanged(self) -> tuple[Exchanged, ...]:
        """What came before the message, as the safety layer reads it."""
        return tuple(Exchanged(line.who, line.text) for line in self.history[-12:])

    def answered(self) -> tuple[Exchanged, ...]:
        """What a reply follows: the message that it answers is the last line."""
        return (*self.exchanged(), Exchanged("user", self.text))


def language_of(person: User) -> Language:
    """The person's language; English for one that the house doesn't speak."""
    return next((language for language in LANGUAGES if language == person.language), "en")


def turn_begin(turn_id: uuid.UUID, *, now: datetime) -> tuple[Turn, Material] | None:
    """Take the lease and read everything that the turn needs, in one visit: the turn with its fence, and the material.
    None when somebody else has the turn."""
    turn = answering.turn_claim(turn_id, now=now)
    if turn is None:
        return None
    try:
        return turn, material_read(turn)
    except CryptoError:
        # Its own message doesn't open: a key that is away comes back, a broken row never does.
        give_up = answering.turn_abandon if turn.fence > UNREADABLE_TRIES else answering.turn_release
        give_up(turn_id, turn.fence)
        raise


def material_read(turn: Turn) -> Material:
    """Read everything that a turn needs which was just claimed."""
    person = turn.conversation.person
    now = clock.now()
    terms, closed = _standing(person, turn.started_at, now)
    before = before_read(turn)
    return Material(
        turn_id=turn.id,
        message_id=turn.message_id,
        conversation_id=turn.conversation_id,
        owner_id=person.id,
        text=before.text,
        history=before.history,
        usable=before.usable,
        passed=before.passed,
        off_record=before.off_record,
        played=played_off(turn, now=now) if before.off_record else (),
        companion=companion_for(person.id),
        watch=incidents.watch_load(person.id),
        language=language_of(person),
        band=gate.band_of(person, now),
        country=person.country,
        region=person.region,
        plain=terms.plain,
        memory=terms.memory,
        local=now.astimezone(gate.zone_of(person)),
        # Only a turn that somebody had before can have said something already.
        said_already=turn.sentences.count() if turn.fence > 1 else 0,
        skills_off=terms.skills_off,
        closed=closed,
        planned=turn.trace,
    )


def _standing(person: User, started_at: datetime, now: datetime) -> tuple[gate.Terms, gate.Refused | None]:
    """The terms on which the person is answered, and why nobody but people's own words may answer: the gate said no
    when the message came, or says so since.

    Minutes and breaks don't close it: they may have run out with this very message.
    """
    limits = limits_loaded(person)
    try:
        return may_be_answered(person, limits, now=started_at), None
    except gate.Refused as refusal:
        closed = refusal
    try:
        plain = gate.may_enter(person, now=now)
    except gate.Refused:  # only a message in danger comes this far then: no engine, no memory
        plain = True
    own = gate.limits_from(person, limits, now)
    return gate.Terms(gate.band_of(person, now), plain, own.memory and not plain, own.skills_off), closed


@dataclass(frozen=True)
class Known:
    """What memory has for a message: an answer where it was asked for one, else what fits, and the person's name.
    `told`: the names that the message itself tells, whatever memory keeps. `playing`: what they play, by skill."""

    answer: MemoryReply | None = None
    recalled: tuple[Recalled, ...] = ()
    name: str | None = None
    told: tuple[Told, ...] = ()
    playing: Mapping[str, Playing] = field(default_factory=dict)


def screening_store(material: Material, screening: Screening, vector: tuple[float, ...] | None, *, fence: int) -> Known:
    """Keep what was decided, then ask memory where it may be asked, in one visit. With a playbook it never is.
    Raises answering.LeaseLost."""
    _screening_keep(material, screening, fence)
    if material.closed is not None or screening.decision.playbook is not None:
        return Known()
    owner_id, text, language = material.owner_id, material.text, screening.language
    told = told_in(text, language)
    playing = {row.skill: row for row in material.played} if material.off_record else play.play_read(
        owner_id=owner_id, conversation_id=material.conversation_id, turn_id=material.turn_id, now=clock.now(),
        remembers=material.memory,
    )  # fmt: skip
    if not material.memory:
        return Known(told=told, playing=playing)
    asked = memory_asked(text, language)
    if asked is not None and asked.startswith("forget"):
        forgetting_begins(owner_id, material.language)
    elif asked is not None:
        messages_learn_waiting(owner_id, material.language)
        talks_sum_waiting(owner_id, material.language)
    spoken = spoken_before(material.conversation_id, material.turn_id) if asked in ("forget", "outdated") else ()
    answer = memory_reply(
        owner_id=owner_id, text=text, language=language, seed=material.turn_id.int, at=material.local,
        off_record=material.off_record, spoken_of=spoken,
    )  # fmt: skip
    if answer is not None:
        if answer.forgot_all:  # and once more: a job that was at it may have kept something since
            messages_let_go(owner_id)
            memory.memory_forget_all(owner_id=owner_id)
            play.play_forget(owner_id)
        return Known(answer)
    recalled = memory.memory_recall(
        owner_id=owner_id, text=text, vector=vector, language=language, limit=RECALLED, today=material.local.date()
    )
    # A name that is said just now is greeted at once; it is learned after the turn.
    named = next((one.value for one in told if one.kind == "name"), None)
    name = named or next((one.slots["name"] for one in recalled if one.kind == "name"), None)
    if name is None and len(recalled) >= RECALLED:  # more is known than was recalled
        name = memory.memory_name(owner_id=owner_id)
    return Known(recalled=recalled, name=name, told=told, playing=playing)


def _screening_keep(material: Material, screening: Screening, fence: int) -> None:
    """On the message, in the watch, and as an incident where policy says so."""
    decision = screening.decision
    with transaction.atomic():
        answering.turn_decide(
            turn_id=material.turn_id, message_id=material.message_id, fence=fence, action=decision.action
        )
        if screening.watch != material.watch:
            incidents.watch_store(material.owner_id, screening.watch, before=material.watch)
        if decision.incident:
            incidents.incident_file(
                person_id=material.owner_id,
                conversation_id=material.conversation_id,
                turn_id=material.turn_id,
                decision=decision,
                excerpt=material.text,
                kind="message",
            )
