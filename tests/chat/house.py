"""What the chat's tests share: an engine with a script, a message through the door, the gate closed, no database."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from asgiref.sync import sync_to_async
from django.db import connections

from chatbot.accounts import services as people
from chatbot.accounts.models import User
from chatbot.chat import answering, engine, services, talk
from chatbot.chat.models import Conversation, Finish, Message, Turn, TurnState
from chatbot.chat.turn import turn_run
from chatbot.core import clock
from chatbot.core.choices import choice_set
from chatbot.core.database import database_close, in_database
from companion.engines.scripted import ScriptedEngine

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
GATES = ("quiet", "limit", "break", "stopped", "region", "consent", "locked", "deal")
# Gates that let words in danger be stored: they are about time, not about who may be here.
ABOUT_TIME = ("quiet", "limit", "break", "stopped", "deal")
DANGERS = {
    "L1": "i wish i was dead",
    "L2": "i want to kill myself and im not joking",
    "L3": "im going to kill myself",
    "L4": "i just took all my pills",
    "abuse": "my stepdad hits me every night and i'm scared to go home",
}


def says(*script: object) -> ScriptedEngine:
    scripted = ScriptedEngine(list(script))  # type: ignore[arg-type]  # the tests write scripts of all kinds
    engine.engine_use(scripted)
    return scripted


async def take(person: User, text: str, client_id: uuid.UUID | None = None, *, off_record: bool = False) -> talk.Taken:
    return await talk.message_take(
        person=person, conversation_id=None, client_id=client_id or uuid.uuid4(), text=text, off_record=off_record
    )


async def answered(person: User, text: str, *, off_record: bool = False) -> tuple[Turn, str]:
    taken = await take(person, text, off_record=off_record)
    assert taken.acceptance is not None
    assert await turn_run(taken.acceptance.turn_id)
    turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
    reply = await Message.objects.filter(turn_id=turn.id, author="companion").alast()
    return turn, await in_database(lambda: reply.body if reply else "")


async def danger_answered(person: User) -> services.Acceptance:
    """A danger that comes now, once it was answered."""
    taken = await take(person, DANGERS["L2"])
    assert taken.acceptance is not None
    talk.turn_start(taken.acceptance.turn_id)
    await until(taken.acceptance, lambda turn: turn.state == TurnState.DONE)
    return taken.acceptance


async def until(acceptance: services.Acceptance | None, holds: Callable[[Turn], bool]) -> None:
    """Look at the turn's row until it is so."""
    assert acceptance is not None
    for _ in range(500):
        if await in_database(lambda: holds(Turn.objects.select_related("message").get(id=acceptance.turn_id))):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the turn never came that far")


def close_gate(person: User, closed: str) -> None:
    match closed:
        case "quiet":
            clock.move_to(NOON + timedelta(hours=11))
        case "limit":
            people._usage_add(person, day=NOON.date(), seconds=3600)
        case "break":
            people.usage_record(person, now=NOON)
            person.presence.break_open = True
            person.presence.save()
        case "stopped":
            choice_set("replies_stopped", True)
        case "region":
            choice_set("regions", {"*": "block"})
        case "consent":
            person.country, person.region = "IN", ""
            person.save()
        case "locked":
            people.person_lock(person, reason="test")
        case "deal":
            person.deal_confirmed_at = None
            person.save()


@asynccontextmanager
async def database_away() -> AsyncIterator[None]:
    """No new visit reaches the database, as when its disk or its server is gone."""
    holder = connections.settings["default"]
    name = holder["NAME"]
    holder["NAME"] = "/nowhere/abraco.sqlite3"
    await asyncio.to_thread(database_close)
    await sync_to_async(connections.close_all)()  # the thread of Django's own sync code keeps its connection else
    try:
        yield
    finally:
        holder["NAME"] = name
        await asyncio.to_thread(database_close)


def accept(
    person: User, conversation: Conversation, text: str = "hi", client_id: uuid.UUID | None = None
) -> services.Acceptance:
    """A message, stored: nobody answers it by itself."""
    return services.message_accept(
        person=person, conversation=conversation, client_id=client_id or uuid.uuid4(), text=text
    )


def answer_empty(accepted: services.Acceptance, *, learn: bool = False) -> None:
    """The turn ends with nothing said. `learn`: what it was about may be learned from."""
    turn = answering.turn_claim(accepted.turn_id, now=clock.now())
    assert turn is not None
    if learn:
        answering.turn_decide(
            turn_id=accepted.turn_id, message_id=accepted.message_id, fence=turn.fence, action="allow"
        )
    answering.turn_finish(
        turn=turn, finish=Finish.COMPLETE, engine="scripted", trace={}, timings={},
        learn=learn,
    )  # fmt: skip
