"""What was just forgotten, for the ten seconds in which it may come back. Only the browser that tapped has it.

It comes with the answer to the tap as a cookie, sealed with its owner's key, and goes by itself: so the page after it
can be read again, nothing has to be kept or swept here, and without the key nobody reads it.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from chatbot.accounts.models import User
from chatbot.core import crypto, keys

COOKIE = "undo"
SECONDS = 10
_SALT = "me.memory.undo"


def _bound(person: User) -> bytes:
    return f"{_SALT}:{person.id}".encode()


def undo_give(response: HttpResponse, person: User, taken: dict[str, Any]) -> None:
    """Let this answer hold it."""
    key = keys.data_key(person.id, make=True)
    sealed = crypto.seal(key, json.dumps(taken, ensure_ascii=False).encode("utf-8"), bound_to=_bound(person))
    response.set_signed_cookie(
        COOKIE, base64.urlsafe_b64encode(sealed).decode("ascii"), salt=_SALT, max_age=SECONDS,
        path=reverse("me:memory"), secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Strict",
    )  # fmt: skip


def undo_take(request: HttpRequest, person: User) -> dict[str, Any] | None:
    """What this browser may still give back; None when it is too late, or when it is not this person's."""
    try:
        held = request.get_signed_cookie(COOKIE, salt=_SALT, max_age=SECONDS)
        sealed = base64.urlsafe_b64decode(held or "")
        taken = json.loads(crypto.unseal(keys.data_key(person.id), sealed, bound_to=_bound(person)))
    except (KeyError, ValueError, signing.BadSignature, crypto.CryptoError):
        return None
    return dict(taken)


def undo_end(response: HttpResponse) -> None:
    """It was given back, or what was to be is gone with everything else."""
    response.delete_cookie(COOKIE, path=reverse("me:memory"), samesite="Strict")
