"""A house whose sign-ins lie in Django's own table, brought to the version that keeps whose they are, and back.

`python -m tests.service.sign_ins_of_before`: prints what is left of each.
"""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import django

BEFORE, AFTER = ("accounts", "0004_skills_off"), ("accounts", "0005_sign_ins")
MAYA = uuid.UUID("01a22025-89e0-705e-bfa5-cfc530c2856c")


def main() -> None:
    django.setup()
    from django.contrib.auth import SESSION_KEY
    from django.contrib.sessions.models import Session
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from chatbot.accounts.devices import devices_of
    from chatbot.accounts.models import SignIn
    from chatbot.accounts.sign_ins import SessionStore
    from chatbot.core import clock

    def migrated(to: tuple[str, str]) -> None:
        MigrationExecutor(connection).migrate([to])

    def kept(key: str, data: dict[str, Any], *, days: int = 1, text: str = "") -> None:
        ends = clock.now() + timedelta(days=days)
        Session.objects.create(session_key=key, session_data=text or SessionStore().encode(data), expire_date=ends)

    call_command("migrate", verbosity=0)
    migrated(BEFORE)
    kept("hers", {SESSION_KEY: str(MAYA), "device": "Firefox, Android"})
    kept("nobodys", {"a": 1})
    kept("odd", {SESSION_KEY: "not an id"})
    kept("over", {SESSION_KEY: str(MAYA)}, days=-1)
    kept("broken", {}, text="signed by another secret")
    migrated(AFTER)
    told = {
        "people": {row.session_key: str(row.person_id or "") for row in SignIn.objects.order_by("session_key")},
        "devices": [device.what for device in devices_of(MAYA, here=None)],
        "left": Session.objects.count(),
    }
    migrated(BEFORE)
    told["back"] = sorted(Session.objects.values_list("session_key", flat=True))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
