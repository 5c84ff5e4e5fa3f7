"""The review panel as tests use it: an incident filed, a moderator signed in with both factors, a page's words."""

from __future__ import annotations

import re
import uuid

from django.test import Client

from chatbot.accounts.models import User
from moderation.incidents import services
from moderation.incidents.models import Incident
from moderation.types import Decision
from tests.contracts.cast import BACKEND
from tests.second_factor import passed

WORDS = "the tangerine notebook has it all, call me at 415-555-0134, im gay"
SECRET = "tangerine"
WHY = "Talked with them and their form tutor on the phone."


def filed(
    person: User, *, severity: int = 4, level: str | None = "L3", kind: str = "message", words: str | None = WORDS
) -> Incident:
    decision = Decision("crisis", severity, level, ("T01",), "suicide_L3", incident=True)  # type: ignore[arg-type]
    return services.incident_file(
        person_id=person.id, conversation_id=None, turn_id=uuid.uuid4(), decision=decision, excerpt=words,
        kind=kind, reason="wrong" if kind == "report" else "",  # type: ignore[arg-type]
    )  # fmt: skip


def panel(person: User) -> Client:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return passed(client, person)


def at(incident: Incident, step: str = "") -> str:
    return f"/review/{incident.id}/{step}"


def text(response: object) -> str:
    return re.sub(r"\s+", " ", response.content.decode())  # type: ignore[attr-defined]


def held(client: Client, incident: Incident) -> Incident:
    assert client.post(at(incident, "claim/")).status_code == 302
    return incident
