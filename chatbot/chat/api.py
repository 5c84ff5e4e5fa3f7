"""/api/v1: the same services as behind the socket, for programs of the person themselves; `moderate` for staff.

Signed in by the same cookie as the pages; what changes something needs the page's CSRF token too. Every no is a
Problem: a code for programs and a sentence for people. A message in danger is never refused: its answer is the written
flow, in `notices`.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from asgiref.sync import async_to_sync
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Query
from ninja.errors import HttpError
from ninja.errors import ValidationError as Invalid

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.models import Role, User
from chatbot.chat import api_door as door
from chatbot.chat import dangers, frames, moderations, selectors, services, talk
from chatbot.chat.api_schemas import (
    BreakOut,
    ConversationOut,
    MemoryOut,
    MessagesOut,
    ModerateIn,
    ModerateOut,
    Page,
    Problem,
    ReportIn,
    ReportOut,
    SaidOut,
    SayIn,
    SentenceOut,
    TurnOut,
)
from chatbot.chat.limits import closed_notice
from chatbot.chat.material import language_of
from chatbot.chat.notices import crisis_notice, turn_notices
from chatbot.chat.report import message_report
from chatbot.core import clock
from chatbot.core.crypto import CryptoError
from chatbot.core.database import in_database
from chatbot.core.text import text_clean
from companion.memory.services import memory_list
from moderation import screen
from moderation.lines import lines_screen

LOOK_S = 0.1
# Declared once, so that the OpenAPI says every status that can come.
READS = dict.fromkeys((401, 403, 404, 422, 429, 503), Problem)
WRITES = {**READS, **dict.fromkeys((400, 409, 413, 415), Problem)}

api = NinjaAPI(
    title="Abraço",
    version="1",
    description="Read, say, stop and report, as the person signed in. How a reply is read: docs/api.md.",
    urls_namespace="api",
    docs_url=None,
    auth=door.SignedIn(),
    parser=door.Parser(),
)
api.add_router("/moderations", moderations.router)


def _person(request: HttpRequest) -> User:
    person = request.auth  # type: ignore[attr-defined]  # ninja puts who `auth` found there
    if not isinstance(person, User):
        raise gate.SignedOut
    return person


@api.get("/conversations", response={200: list[ConversationOut], **READS}, summary="My conversations, latest first")
def conversations(request: HttpRequest) -> Any:
    found = selectors.conversations_of(_person(request))
    return [ConversationOut(id=row.id, last_at=row.last_at, messages=row.count, opening=row.opening) for row in found]


@api.get(
    "/conversations/{conversation}/messages", response={200: MessagesOut, **READS}, summary="A page of one conversation"
)
def messages(request: HttpRequest, conversation: uuid.UUID, page: Query[Page]) -> Any:
    """Oldest first. `before` is the id of the oldest message of the page after it; `more` says whether there is one."""
    row = selectors.conversation_of(_person(request), conversation)
    found = selectors.conversation_messages(row, before=page.before, limit=page.limit + 1)
    return MessagesOut(messages=found[-page.limit :], more=len(found) > page.limit)


@api.post("/messages", response={200: SaidOut, **WRITES}, summary="Say something")
def say(request: HttpRequest, said: SayIn) -> Any:
    """Stored, then answered. `client_id` is made by the client: sent twice it is one message, and the same answer.

    The reply is read at `/turns/{turn}` by its sentences; with `wait` this answer waits for it, so many seconds at
    most. With `off_record` nothing of it is remembered, and it is still checked for danger; whether it counts stands in
    the answer (it doesn't where nothing is remembered anyway).
    `message` and `turn` are null when the words could not be kept, and `notices` then says what matters.
    """
    return async_to_sync(_say)(_person(request), said)


async def _say(person: User, said: SayIn) -> SaidOut:
    if len(said.text) > frames.MESSAGE_CHARS:
        long = text_clean(said.text)
        if await asyncio.to_thread(dangers.danger_in, long, person) is None:
            raise door.Refusal(422, "too_long", frames.too_long(), field="text")
        return SaidOut(notices=[crisis_notice(await dangers.danger_unkept(person, long))])
    try:
        text = frames.text_check(said.text)
    except ValueError:
        raise door.Refusal(422, "empty", frames.nothing_to_read(), field="text") from None
    taken = await talk.message_take(
        person=person, conversation_id=said.conversation, client_id=said.client_id, text=text,
        off_record=said.off_record,
    )  # fmt: skip
    notices = [] if taken.danger is None else [crisis_notice(taken.danger)]
    accepted = taken.acceptance
    if accepted is None:
        return SaidOut(notices=notices)
    talk.turn_start(accepted.turn_id)
    if taken.break_due:
        notices.append(closed_notice(gate.BreakOpen()))
    return SaidOut(
        conversation=accepted.conversation_id,
        message=accepted.message_id,
        turn=accepted.turn_id,
        off_record=accepted.off_record,
        reply=await _reply(accepted.turn_id, wait_s=said.wait) if said.wait else None,
        notices=notices,
    )


async def _reply(turn_id: uuid.UUID, *, wait_s: int) -> TurnOut:
    """The turn when it is done, or as it stands when the time is over."""
    end = clock.monotonic() + wait_s
    while True:
        found = await in_database(_turn, turn_id, 0)
        if found.done or clock.monotonic() >= end:
            return found
        await asyncio.sleep(LOOK_S)


def _turn(turn_id: uuid.UUID, after: int) -> TurnOut:
    progress = selectors.turn_progress(turn_id, after=after)
    if progress is None:
        raise services.NotYours
    return TurnOut.model_validate(
        {
            "turn": turn_id,
            "done": progress.done,
            "finish": progress.finish or None,
            "message": progress.message_id,
            "sentences": [SentenceOut(seq=seq, text=text) for seq, text in progress.sentences],
            "suggestions": list(progress.trace.get("chips", []))[:3] if progress.done else [],
            "drawing": progress.drawing if progress.done else None,
            "notices": turn_notices(progress.trace) if progress.done else [],
        }
    )


@api.get("/turns/{turn}", response={200: TurnOut, **READS}, summary="How far the answer to a message is")
def turn(request: HttpRequest, turn: uuid.UUID, after: door.Seq = 0) -> Any:
    """The sentences after that `seq`, and how it ended once it has. What was given once is never taken back."""
    selectors.turn_of(_person(request), turn)
    return _turn(turn, after)


@api.post("/turns/{turn}/stop", response={200: TurnOut, **WRITES}, summary="Stop the answer")
def turn_stop(request: HttpRequest, turn: uuid.UUID) -> Any:
    """Whoever answers hears it at the next sentence. A turn that is done stays as it is."""
    async_to_sync(talk.turn_stop)(person=_person(request), turn_id=turn)
    return _turn(turn, 0)


@api.post("/messages/{message}/report", response={200: ReportOut, **WRITES}, summary="Report a reply")
def report(request: HttpRequest, message: uuid.UUID, given: ReportIn) -> Any:
    """A person will look at it. Twice is one report."""
    message_report(person=_person(request), message_id=message, reason=given.reason)
    return ReportOut(reported=True)


@api.post("/break/end", response={200: BreakOut, **WRITES}, summary="Go on after a break")
def break_end(request: HttpRequest) -> Any:
    """By a tap of the person, as in the chat. `ended` is false when no break was open."""
    return BreakOut(ended=people.break_acknowledge(_person(request)))


@api.get("/memory", response={200: list[MemoryOut], **READS}, summary="What is remembered about me")
def memory(request: HttpRequest) -> Any:
    person = _person(request)
    at = clock.now().astimezone(gate.zone_of(person))
    return [
        MemoryOut(id=view.id, kind=view.kind, text=view.text, since=view.since, until=view.until)
        for view in memory_list(owner_id=person.id, language=language_of(person), at=at)
    ]


@api.post("/moderate", response={200: ModerateOut, **WRITES}, summary="Screen a text (moderators and operators)")
def moderate(request: HttpRequest, given: ModerateIn) -> Any:
    """What `manage.py moderate --jsonl` says of one line. Nothing is stored."""
    if _person(request).role not in (Role.MODERATOR, Role.OPERATOR):
        raise door.Refusal(403, "not_allowed", door.staff_only())
    line = given.model_dump_json(include={"id", "text", "lang", "history"}, exclude_none=True)
    answers = lines_screen([line], screen=screen.house(), band=given.band, side=given.side, now=clock.now())
    for answer, read in answers:
        if read:
            return ModerateOut.model_validate(json.loads(answer))
    raise door.Refusal(422, "bad_field", door.bad_field("text"), field="text")


# --- every no ---------------------------------------------------------------------------------------------------------


@api.exception_handler(gate.Refused)
def _refused(request: HttpRequest, refusal: gate.Refused) -> HttpResponse:
    return door.answer(door.refusal_of(refusal), request.path)


@api.exception_handler(door.Refusal)
def _refusal(request: HttpRequest, refusal: door.Refusal) -> HttpResponse:
    return door.answer(refusal, request.path)


@api.exception_handler(services.NotPossible)
def _not_possible(request: HttpRequest, error: services.NotPossible) -> HttpResponse:
    return door.answer(door.Refusal(409, "not_possible", door.too_late()), request.path)


@api.exception_handler(talk.NotStored)
def _not_stored(request: HttpRequest, error: talk.NotStored) -> HttpResponse:
    return door.answer(door.away(error.cause), request.path)


@api.exception_handler(DatabaseError)
@api.exception_handler(CryptoError)
def _away(request: HttpRequest, error: Exception) -> HttpResponse:
    return door.answer(door.away(error), request.path)


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    return door.answer(door.of_http(error), request.path)


@api.exception_handler(Invalid)
def _invalid(request: HttpRequest, error: Invalid) -> HttpResponse:
    return door.answer(door.of_invalid(error), request.path)
