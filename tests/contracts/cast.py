"""Everybody of the cast at once, with something of Maya's to reach for, and everything that can be asked for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from chatbot.accounts import devices, oversight, services
from chatbot.accounts.models import AlertKind, Role, User
from chatbot.chat import answering, frames
from chatbot.chat import services as chat
from chatbot.chat.models import Finish
from chatbot.core import clock
from chatbot.core.choices import choice_set
from chatbot.widget.sites import site_add
from companion.memory import services as memory
from companion.memory.summaries import summary_keep, summary_list
from companion.memory.talks import Picked
from companion.play import services as play
from companion.skills.api import Made, Playing
from moderation.incidents.services import incident_file
from moderation.types import Decision
from tests.conftest import make_person, make_teen
from tests.second_factor import app_give, passed

TABLE = Path(__file__).with_name("matrix.txt")
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PASSWORD = "abraco-tests"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROLES = ("out", "maya", "stranger", "ana", "bruno", "rui", "olga")
# Maya's words: they stand on no page of anybody else.
SAID = "the aubergine rehearsal went sideways"
REPLIED = "Blame the aubergine, not the drummer."
TOLD = "i love unicycle hockey"
MADE = "The bassoon that swam home"
TAUGHT = "flurbish"
PRIVATE = ("aubergine", "unicycle", "bassoon", TAUGHT)


@dataclass(frozen=True)
class Cast:
    """People by name, and the ids of Maya's rows by the name that an address gives them."""

    people: Mapping[str, User]
    hers: Mapping[str, str]
    _signed_in: dict[str, Client] = field(default_factory=dict)

    def again(self, role: str, *, checks: bool = False) -> Client:
        """A new browser in a session that was begun once, for what is taken back: signing in costs more than most pages
        do."""
        if role not in self._signed_in:
            self._signed_in[role] = self.client(role)
        client = Client(enforce_csrf_checks=checks)
        client.cookies = deepcopy(self._signed_in[role].cookies)
        return client

    def client(self, role: str, *, checks: bool = False) -> Client:
        """A browser of that role, signed in unless it is `out`. checks: forms need their token, as in production."""
        client = Client(enforce_csrf_checks=checks)
        if role != "out":
            client.force_login(self.people[role], backend=BACKEND)
        if role == "rui":  # the moderator gave a code of his app; the operator has none yet
            passed(client, self.people[role])
        return client


def cast_make() -> Cast:
    """Everybody; Maya said something, was answered, is remembered, and is signed in on another device too."""
    clock.move_to(NOON)
    choice_set("regions", {"*": "allow"})
    maya, leo = make_teen("maya", age=15), make_teen("leo", age=17)
    people = {
        "maya": maya,
        "stranger": make_teen("stranger", age=16),
        "ana": make_person("ana", Role.GUARDIAN),
        "bruno": make_person("bruno", Role.GUARDIAN),
        "rui": make_person("rui", Role.MODERATOR),
        "olga": make_person("olga", Role.OPERATOR),
    }
    app_give(people["rui"])
    services.guardianship_start(teen=maya, guardian=people["ana"])
    services.guardianship_start(teen=leo, guardian=people["bruno"])
    return Cast(people, hers_make(maya))


def hers_make(maya: User) -> dict[str, str]:
    """Something of hers in every room. Its ids, by the names that addresses have for them."""
    conversation = chat.conversation_start(person=maya)
    said = chat.message_accept(person=maya, conversation=conversation, client_id=uuid.uuid4(), text=SAID)
    turn = answering.turn_claim(said.turn_id, now=clock.now())
    assert turn is not None
    answering.sentence_add(turn_id=said.turn_id, owner_id=maya.id, fence=turn.fence, seq=1, text=REPLIED)
    reply = answering.turn_finish(
        turn=turn, finish=Finish.COMPLETE, engine="scripted", trace={}, timings={}, learn=False
    )
    learned = memory.memory_learn(owner_id=maya.id, text=TOLD, language="en", said_at=clock.now(), source=None)
    play.play_keep(
        owner_id=maya.id, conversation_id=conversation.id, turn_id=said.turn_id, now=clock.now(), remembers=True,
        rows=[
            Playing("teach_word", kept={"words": [{"word": TAUGHT, "meaning": "a heavy bag", "used": "2026-11-23"}]}),
            Playing("mood_checkin", kept={"days": [{"day": "2026-11-23", "mood": "good"}]}),
        ],
        made=Made("story", MADE, "It could not read the map.\n\n- ask a gull\n\nThe gull could."),
    )  # fmt: skip
    with transaction.atomic():
        summary_keep(owner_id=maya.id, said=[Picked(TOLD, said.message_id)], since=clock.now(), until=clock.now())
    Client().force_login(maya, backend=BACKEND)
    flagged = incident_file(
        person_id=maya.id, conversation_id=conversation.id, turn_id=said.turn_id, excerpt=SAID, kind="message",
        decision=Decision("crisis", 4, "L3", ("T01",), "suicide_L3", incident=True),
    )  # fmt: skip
    link = maya.guardianships.get()
    oversight.alert_file(link, incident_id=flagged.id, kind=AlertKind.PERSON, held=False, at=clock.now())
    return {
        "teen_id": str(maya.id),
        "link_id": str(link.id),
        "alert_id": str(link.alerts.get().id),
        "incident_id": str(flagged.id),
        "conversation_id": str(conversation.id),
        "conversation": str(conversation.id),
        "own_message": str(said.message_id),
        "message_id": str(said.message_id),
        "message": str(reply),
        "turn": str(said.turn_id),
        "memory_id": str(learned[0].id),
        "summary_id": str(summary_list(owner_id=maya.id)[0].id),
        "keepsake_id": str(play.shelf_of(maya.id)[-1].id),
        "device_id": devices.devices_of(maya.id, here=None)[0].id,
        "secret": services.recovery_link_make(maya, reason="tests"),
        "code": services.recovery_code_make(maya),
        "public_key": site_add(name="Northside School", origins=["https://school.example"]).site.public_key,
        "rest": "nothing",
    }


def saved(value: str = "unicycle polo") -> dict[str, Any]:
    """A copy of Maya's with one memory in it."""
    row = {"kind": "like", "value": value, "since": "2026-11-20T12:00:00+00:00", "state": "current"}
    return {"exported_at": "2026-11-21T12:00:00+00:00", "account": {"user_name": "maya"}, "memory": [row]}


def addresses() -> list[str]:
    """Every address that the house answers at, as its pattern is written: `/me/memory/<uuid:memory_id>/`."""
    return [f"/{pattern}" for pattern in _walk(get_resolver().url_patterns)]


def _walk(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, here)
        elif not here.startswith("static/"):
            yield here


def frame_types() -> dict[str, Any]:
    """Every frame that a browser may send, by its type."""
    union = get_args(frames.ClientFrame)[0]
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(union)}


@cache
def table() -> dict[tuple[str, str], dict[str, str]]:
    """The rows of matrix.txt: (method, address or frame) to what each role gets."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        method, address, *cells = line.split()
        assert len(cells) == len(ROLES), f"matrix.txt: {method} {address} has {len(cells)} cells and not {len(ROLES)}"
        assert (method, address) not in rows, f"matrix.txt: {method} {address} stands there twice"
        rows[method, address] = dict(zip(ROLES, cells, strict=True))
    return rows
