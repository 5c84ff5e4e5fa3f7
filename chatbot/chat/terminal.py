"""The companion in a terminal: the same way in as the socket's, one turn at a time."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from chatbot.accounts import bands, gate
from chatbot.accounts import services as people
from chatbot.accounts.models import User
from chatbot.chat import frames, selectors, services, talk
from chatbot.chat.material import language_of
from chatbot.chat.models import Turn
from chatbot.chat.notices import break_notice, crisis_notice, refusal_notice
from chatbot.chat.turn import turn_run
from chatbot.core import clock, crypto, jobs, keys
from chatbot.core.choices import choice_set
from chatbot.core.database import database_close, in_database
from chatbot.settings import sqlite_at
from companion.memory.services import MemoryView, memory_list

BAND_AGES = {"13-15": 15, "16-17": 17, "18+": 25}


class BadLine(Exception):
    """An input line that can't be read; the sentence says why."""


@dataclass(frozen=True)
class Newcomer:
    """Who a throw-away person is."""

    band: str = "13-15"
    language: str = "en"
    country: str = "US-CA"


@contextmanager
def throw_away_database() -> Iterator[None]:
    """A database of its own in a temporary folder, with a key of its own; nothing is left behind."""
    with TemporaryDirectory(prefix="abraco-") as folder, jobs.drained_only():
        before = dict(connections.settings["default"])
        kept_key, kept_list = settings.MASTER_KEY, settings.GONE_FILE
        database_close()
        connections.close_all()
        another = connections["default"].vendor != "sqlite"
        _database_swap({**before, **sqlite_at(str(Path(folder) / "fresh.sqlite3"))}, another=another)
        settings.MASTER_KEY = crypto.encode_key(crypto.new_key())
        settings.GONE_FILE = str(Path(folder) / "gone.list")
        keys.forget_cached()
        try:
            call_command("migrate", verbosity=0)
            choice_set("regions", {"*": "allow"})
            yield
        finally:
            database_close()
            connections.close_all()
            settings.MASTER_KEY, settings.GONE_FILE = kept_key, kept_list
            keys.forget_cached()
            _database_swap(before, another=another)


def _database_swap(to: dict[str, Any], *, another: bool) -> None:
    """another: of another kind than the house's own, so that the connection has to be one of another class."""
    for holder in (connections.settings["default"], connections["default"].settings_dict):
        holder.clear()
        holder.update(to)
    if another:
        del connections["default"]


def newcomer_make(newcomer: Newcomer, *, gates: bool) -> User:
    """A throw-away person: consent and guardian given; without `gates` no quiet hours, limits or breaks."""
    today = clock.now().date()
    age = bands.band_from_birth(month=1, year=today.year - BAND_AGES[newcomer.band] - 1, today=today)
    country, _, part = newcomer.country.partition("-")
    person = people.person_make_throw_away(
        age=bands.AgeBand(age.band, age.until),
        country=country,
        region=newcomer.country if part else "",
        language=newcomer.language,
    )
    if not gates:
        people.limits_lift(person)
    return person


@dataclass
class Terminal:
    """One person at the keyboard."""

    newcomer: Newcomer
    person: User
    gates: bool = False
    conversations: dict[int, uuid.UUID] = field(default_factory=dict)
    session: int = 0

    async def line(self, text: str) -> dict[str, Any] | list[dict[str, Any]]:
        """One input line of JSON, and what to print for it. Raises BadLine."""
        given = _object(text)
        await self._prepare(given)
        if given.get("memory"):
            return [memory_row(view) for view in await in_database(self._memories)]
        if "text" in given:
            return await self.say(given["text"], off_record=given.get("off_record", False))
        if "reset" in given or "ack" in given:
            return empty_answer()
        raise BadLine("there is no text in this line")

    async def _prepare(self, given: dict[str, Any]) -> None:
        """What a line changes before anything is said."""
        if given.get("reset"):
            await in_database(self._reset)
        if "at" in given:
            self._move(given["at"])
        if "lang" in given:
            await in_database(self._speak, given["lang"])
        if "session" in given:
            if not isinstance(given["session"], int):
                raise BadLine("session is a number")
            self.session = given["session"]
        if given.get("ack") == "break":
            await in_database(people.break_acknowledge, self.person)

    def _reset(self) -> None:
        self.person = newcomer_make(self.newcomer, gates=self.gates)
        self.conversations.clear()

    def _speak(self, language: object) -> None:
        if language not in ("en", "pt-BR", "es", "fr"):
            raise BadLine("lang is en, pt-BR, es or fr")
        if self.person.language != language:
            self.person.language = str(language)
            people.person_language(self.person)

    def _move(self, at: object) -> None:
        try:
            moment = datetime.fromisoformat(str(at))
        except ValueError:
            raise BadLine("at is an ISO 8601 time") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=clock.now().tzinfo)
        if moment < clock.now():
            raise BadLine("at moves the clock forward only")
        clock.move_to(moment)

    def _memories(self) -> list[MemoryView]:
        return memory_list(owner_id=self.person.id, language=language_of(self.person))

    async def say(self, text: object, *, off_record: object = False) -> dict[str, Any]:
        """One whole turn."""
        if not isinstance(text, str):
            raise BadLine("text is a string")
        if not isinstance(off_record, bool):
            raise BadLine("off_record is true or false")
        try:
            text = frames.text_check(text)
        except ValueError as error:
            raise BadLine(str(error)) from None
        if len(text) > frames.MESSAGE_CHARS:
            raise BadLine(f"a message has at most {frames.MESSAGE_CHARS} characters")
        conversation_id = await in_database(self._conversation)
        try:
            taken = await talk.message_take(
                person=self.person, conversation_id=conversation_id, client_id=uuid.uuid4(), text=text, paced=False,
                off_record=off_record,
            )  # fmt: skip
        except gate.Refused as refusal:
            notice = break_notice() if isinstance(refusal, gate.BreakOpen) else refusal_notice(refusal)
            return {**empty_answer(), "finish": "refused", "notices": [notice.kind]}
        if taken.acceptance is None:
            answer = crisis_notice(taken.danger) if taken.danger else None
            return {
                **empty_answer(), "reply": answer.body if answer else "", "finish": "crisis", "action": "crisis",
                "notices": ["crisis_card"],
            }  # fmt: skip
        await turn_run(taken.acceptance.turn_id)
        await asyncio.to_thread(jobs.drain)
        answered = await in_database(turn_answer, taken.acceptance.turn_id)
        if taken.break_due:
            answered["notices"].append("break")
        return answered

    def _conversation(self) -> uuid.UUID:
        known = self.conversations.get(self.session)
        if known is None:
            known = services.conversation_start(person=self.person).id
            self.conversations[self.session] = known
        return known


def _object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise BadLine("this line is not JSON") from None
    if not isinstance(given, dict):
        raise BadLine("a line is an object")
    return given


def empty_answer() -> dict[str, Any]:
    """An answer line with nothing said."""
    return {
        "reply": "", "finish": "", "action": "allow", "categories": [], "severity": 0, "level": None, "playbook": None,
        "notices": [], "skill": None, "memories_used": [], "engine": "", "ms": {},
    }  # fmt: skip


def turn_answer(turn_id: uuid.UUID) -> dict[str, Any]:
    """What `chat --jsonl` prints of a turn."""
    turn = Turn.objects.get(id=turn_id)
    trace = turn.trace or {}
    decision = trace.get("decision", {})
    return {
        **empty_answer(),
        "reply": selectors.reply_of(turn_id),
        "finish": turn.finish,
        **{key: decision[key] for key in ("action", "categories", "severity", "level", "playbook") if key in decision},
        "notices": ["crisis_card"] if "card" in trace else [],
        "skill": trace.get("skill") or None,
        "memories_used": trace.get("memories", []),
        "engine": turn.engine,
        "ms": {part: turn.timings.get(part, 0.0) for part in ("moderation", "recall", "first_token", "total")},
    }


def memory_row(view: MemoryView) -> dict[str, Any]:
    """What `memory --json` prints of a memory, and what stands of it in its owner's file, which can be read back."""
    more = {
        "who": view.who or None,
        "day": None if view.day is None else view.day.isoformat(),
        "last": None if view.last == view.since else view.last.isoformat(),
        "until": None if view.until is None else view.until.isoformat(),
    }
    return {
        "kind": view.kind,
        "text": view.text,
        "value": view.value,
        "since": view.since.isoformat(),
        "source": str(view.source) if view.source else None,
        "state": view.state,
        **{name: value for name, value in more.items() if value is not None},
    }
