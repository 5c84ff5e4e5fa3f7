"""Authenticator apps for tests: set up without a page, and the codes that they show."""

from __future__ import annotations

import time
from datetime import datetime

from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client

from chatbot.accounts import second_factor
from chatbot.accounts.models import User
from chatbot.core import clock

PERIOD = 30


def app_give(person: User) -> str:
    """They have an app from now on. Its key."""
    key = generate_totp_secret()
    TOTP.activate(person, key)
    return key


def app_key(person: User) -> str:
    """The key of the app that they have."""
    (row,) = second_factor.apps_of(person)
    key: str = get_adapter().decrypt(row.data["secret"])
    return key


def code_now(key: str, *, steps: int = 0) -> str:
    """What the app shows now; `steps`: so many periods later."""
    left = PERIOD - time.time() % PERIOD
    if left < 2:  # so that it is still the one when it arrives
        time.sleep(left + 0.1)
    return format_hotp_value(hotp_value(key, int(time.time()) // PERIOD + steps))


def passed(client: Client, person: User, *, at: datetime | None = None) -> Client:
    """This signed-in browser gave a code just now (or then). Who has no app yet gets one."""
    if not second_factor.is_set(person):
        app_give(person)
    session = client.session
    session[second_factor.PASSED] = {"person": str(person.id), "at": (at or clock.now()).isoformat()}
    session.save()
    return client
