"""What a turn works with, read in one piece, and what it leaves behind, written in one piece."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.chat import services
from chatbot.chat.help_ready import may_talk
from chatbot.chat.learning import messages_let_go
from chatbot.chat.models import Author, Message, MessageState, Sentence, Turn
from chatbot.core import clock
from chatbot.core.crypto import CryptoError
from companion.memory import services as memory
from companion.memory.extract import facts_in
from companion.memory.services import MemoryReply
from companion.profile.services import Shape, companion_for
from companion.types import LANGUAGES, Band, Language, Line, Recalled
from moderation.incidents import services as incidents
from moderation.types import Exchanged, Screening, WatchState

log = structlog.get_logger()
HISTORY = 40
UNREADABLE_TRIES = 50  # about four minutes of looks over the rows
RECALLED = 6


@dataclass(frozen=True)
class Material:
    """One turn's message, its owner's circumstances, and what was said before."""

    turn_id: uuid.UUID
    message_id: uuid.UUID
    conversation_id: uuid.UUID
    owner_id: uuid.UUID
    text: str
    history: tuple[Line, ...]
    companion: Shape
    watch: WatchState
    language: Language
    band: Band
    country: str
    region: str
    plain: bool
    memory: bool
    hour: int
    said_already: int
    closed: gate.Refused | None = None
    planned: dict[str, Any] | None = None

    def exchanged(self) -> tuple[Exchanged, ...]:
        """The history as the safety layer reads it."""
        return tuple(Exchanged(line.who, line.text) for line in self.history[-12:])


def language_of(person: User) -> Language:
    """The person's language; English for one that the house doesn't speak."""
    return next((language for language in LANGUAGES if language == person.language), "en")


def turn_begin(turn_id: uuid.UUID, *, now: datetime) -> tuple[int, Material] | None:
    """Take the lease and read everything that the turn needs, in one visit: the fence and the material. None when
    somebody else has the turn."""
    fence = services.turn_claim(turn_id, now=now)
    if fence is None:
        return None
    try:
        # Only a turn that somebody had before can have said something already.
        return fence, material_read(turn_id, taken_up=fence > 1)
    except CryptoError:
        # Its own message doesn't open: a key that is away comes back, a broken row never does.
        give_up = services.turn_abandon if fence > UNREADABLE_TRIES else services.turn_release
        give_up(turn_id, fence)
        raise


def material_read(turn_id: uuid.UUID, *, taken_up: bool) -> Material:
    """Read everything a turn needs."""
    turn = Turn.objects.select_related("message", "conversation__person").get(id=turn_id)
    person = turn.conversation.person
    now = clock.now()
    plain, remembers, closed = _standing(person, turn.started_at, now)
    return Material(
        turn_id=turn.id,
        message_id=turn.message_id,
        conversation_id=turn.conversation_id,
        owner_id=person.id,
        text=turn.message.body,
        history=_history(turn),
        companion=companion_for(person.id),
        watch=incidents.watch_load(person.id),
        language=language_of(person),
        band=gate.band_of(person, now),
        country=person.country,
        region=person.region,
        plain=plain,
        memory=remembers,
        hour=now.astimezone(gate.zone_of(person)).hour,
        said_already=turn.sentences.count() if taken_up else 0,
        closed=closed,
        planned=turn.trace,
    )


def _standing(person: User, started_at: datetime, now: datetime) -> tuple[bool, bool, gate.Refused | None]:
    """Plain mode, memory, and why nobody but people's own words may answer: the gate said no when the message came, or
    says so since.

    Minutes and breaks don't close it: they may have run out with this very message.
    """
    try:
        given = may_talk(person, now=started_at)
    except gate.Refused as refusal:
        closed = None if isinstance(refusal, gate.LimitReached | gate.BreakOpen) else refusal
    else:
        return given.plain, given.memory, None
    try:
        plain = gate.may_enter(person, now=now)
    except gate.Refused:  # only a message in danger comes this far then: no engine, no memory
        plain = True
    return plain, gate.limits_of(person, now).memory and not plain, closed


def _history(turn: Turn) -> tuple[Line, ...]:
    rows = Message.objects.filter(
        conversation_id=turn.conversation_id, state=MessageState.CURRENT, id__lt=turn.message_id
    ).order_by("-id")
    messages = list(reversed(rows.only("owner_id", "author", "body", "turn_id")[:HISTORY]))
    said: dict[uuid.UUID, list[Sentence]] = {}
    turns = [row.turn_id for row in messages if row.author == Author.COMPANION and row.turn_id is not None]
    for piece in Sentence.objects.filter(turn_id__in=turns).order_by("turn_id", "seq"):
        said.setdefault(piece.turn_id, []).append(piece)
    lines: list[Line] = []
    for row in messages:
        try:
            if row.author == Author.USER:
                lines.append(Line("user", row.body))
            elif row.turn_id is not None:
                lines += [Line("companion", one.text, one.line_id or None) for one in said.get(row.turn_id, ())]
        except CryptoError as error:  # one broken row of the past is left out; it must not silence the conversation
            log.error("history_unreadable", message=str(row.id), error=type(error).__name__)
    return tuple(lines)


@dataclass(frozen=True)
class Known:
    """What memory has for a message: an answer where it was asked for one, else what fits, and the person's name."""

    answer: MemoryReply | None = None
    recalled: tuple[Recalled, ...] = ()
    name: str | None = None


def screening_store(material: Material, screening: Screening, vector: tuple[float, ...] | None, *, fence: int) -> Known:
    """Keep what was decided, then ask memory where it may be asked, in one visit. With a playbook it never is.
    Raises services.LeaseLost."""
    _screening_keep(material, screening, fence)
    if not material.memory or material.closed is not None or screening.decision.playbook is not None:
        return Known()
    owner_id, text, language = material.owner_id, material.text, screening.language
    answer = memory.memory_reply(owner_id=owner_id, text=text, language=language, seed=material.turn_id.int)
    if answer is not None:
        if answer.forgot_all:  # and once more: a job that was at it may have kept something since
            messages_let_go(owner_id)
            memory.memory_forget_all(owner_id=owner_id)
        return Known(answer)
    recalled = memory.memory_recall(owner_id=owner_id, text=text, vector=vector, language=language, limit=RECALLED)
    # A name that is said just now is greeted at once; it is learned after the turn.
    told = next((fact.value for fact in facts_in(text, language) if fact.kind == "name"), None)
    name = told or next((one.slots["name"] for one in recalled if one.kind == "name"), None)
    if name is None and len(recalled) == RECALLED:  # more is known than was recalled
        name = memory.memory_name(owner_id=owner_id)
    return Known(recalled=recalled, name=name)


def _screening_keep(material: Material, screening: Screening, fence: int) -> None:
    """On the message, in the watch, and as an incident where policy says so."""
    decision = screening.decision
    with transaction.atomic():
        services.turn_decide(turn_id=material.turn_id, fence=fence, action=decision.action)
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
