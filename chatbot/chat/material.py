"""What a turn works with, read in one piece, and what it leaves behind, written in one piece."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.chat import services
from chatbot.chat.models import Author, Message, MessageState, Sentence, Turn
from chatbot.core import clock
from companion.profile.services import Shape, companion_for
from companion.types import LANGUAGES, Band, Language, Line
from moderation.incidents import services as incidents
from moderation.types import Exchanged, Screening, WatchState

HISTORY = 40


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

    def exchanged(self) -> tuple[Exchanged, ...]:
        """The history as the safety layer reads it."""
        return tuple(Exchanged(line.who, line.text) for line in self.history[-12:])


def language_of(person: User) -> Language:
    """The person's language; English for one that the house doesn't speak."""
    return next((language for language in LANGUAGES if language == person.language), "en")


def material_read(turn_id: uuid.UUID) -> Material:
    """Read everything a turn needs, in one visit to the database."""
    turn = Turn.objects.select_related("message", "conversation__person").get(id=turn_id)
    person = turn.conversation.person
    now = clock.now()
    try:
        plain = gate.may_enter(person, now=now)
    except gate.Refused:  # only a message in danger comes this far then: no engine, no memory
        plain = True
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
        memory=gate.limits_of(person, now).memory and not plain,
        hour=now.astimezone(gate.zone_of(person)).hour,
        said_already=turn.sentences.count(),
    )


def _history(turn: Turn) -> tuple[Line, ...]:
    rows = Message.objects.filter(
        conversation_id=turn.conversation_id, state=MessageState.CURRENT, id__lt=turn.message_id
    ).order_by("-id")[:HISTORY]
    lines: list[Line] = []
    for row in reversed(list(rows)):
        if row.author == Author.USER:
            lines.append(Line("user", row.body))
        elif row.turn_id is not None:
            lines.extend(
                Line("companion", piece.text, piece.line_id or None)
                for piece in Sentence.objects.filter(turn_id=row.turn_id).order_by("seq")
            )
    return tuple(lines)


def screening_store(material: Material, screening: Screening) -> None:
    """Keep what the safety layer decided: on the message, in the watch, and as an incident where policy says so."""
    decision = screening.decision
    with transaction.atomic():
        services.message_decide(message_id=material.message_id, action=decision.action)
        incidents.watch_store(material.owner_id, screening.watch)
        if decision.incident:
            incidents.incident_file(
                person_id=material.owner_id,
                conversation_id=material.conversation_id,
                turn_id=material.turn_id,
                decision=decision,
                excerpt=material.text,
                kind="message",
            )
