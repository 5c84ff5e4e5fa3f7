"""Where somebody is signed in. What is known about a device stands in its own sign-in and goes with it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account.signals import password_changed
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from chatbot.accounts.adapter import sign_out_tell
from chatbot.accounts.models import SignIn
from chatbot.core import clock
from chatbot.core.jobs import sweep

SINCE, SEEN, WHAT = "signed_in_at", "seen_at", "device"
# No finer than this: when somebody was here is nobody's business, an old device left open is.
SEEN_EVERY = timedelta(hours=1)
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("CrOS", "Chromebook"), ("Windows", "Windows"),
    ("Mac OS", "Mac"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True)
class Device:
    """One sign-in. `id` is a digest: the key itself would open the account. `what` is empty where nothing is known."""

    id: str
    what: str
    since: datetime | None
    seen: datetime | None
    here: bool


def _theirs(person_id: uuid.UUID, *, ended_too: bool = False) -> QuerySet[SignIn]:
    rows = SignIn.objects.filter(person_id=person_id)
    return rows if ended_too else rows.filter(expire_date__gt=clock.now())


def _id(key: str) -> str:
    return hashlib.sha256(f"device {key}".encode()).hexdigest()[:24]


def _moment(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def devices_of(person_id: uuid.UUID, *, here: str | None) -> list[Device]:
    """Where the person is signed in, this device first, then the latest seen. `here` is this sign-in's key."""
    found = [_device(row, here) for row in _theirs(person_id)]
    return sorted(found, key=lambda one: (not one.here, -(one.seen.timestamp() if one.seen else 0.0), one.id))


def _device(row: SignIn, here: str | None) -> Device:
    data = row.get_decoded()
    return Device(
        id=_id(row.session_key),
        what=str(data.get(WHAT, "")),
        since=_moment(data.get(SINCE)),
        seen=_moment(data.get(SEEN)),
        here=row.session_key == here,
    )


def device_end(person_id: uuid.UUID, device_id: str) -> bool:
    """Sign the person out on one device. False when there is no such device of theirs."""
    for row in _theirs(person_id):
        if _id(row.session_key) == device_id:
            row.delete()
            return True
    return False


def devices_end(person_id: uuid.UUID, *, but: str | None = None, ended_too: bool = False) -> int:
    """Sign the person out everywhere (but where the key is `but`). Number of sign-ins ended.

    ended_too: sign-ins that have run out as well; their rows still name the person until they are cleared.
    """
    ended, _ = _theirs(person_id, ended_too=ended_too).exclude(session_key=but or "").delete()
    return ended


@sweep("accounts.sign_ins", every_s=24 * 3600)
def ended_clear() -> int:
    """Delete sign-ins that have run out: their rows still name people and devices. Number deleted."""
    deleted, _ = SignIn.objects.filter(expire_date__lt=clock.now()).delete()
    return deleted


def described(agent: str) -> str:
    """A browser and a system in two words, from what the browser says of itself; empty for anything else."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return ", ".join(part for part in (browser, system) if part)


@receiver(user_logged_in, dispatch_uid="accounts.devices.signed_in")
def signed_in(sender: object, request: HttpRequest, **_: object) -> None:
    """Note when, and roughly with what, in the sign-in itself."""
    now = clock.now().isoformat()
    request.session[SINCE] = request.session[SEEN] = now
    request.session[WHAT] = described(request.META.get("HTTP_USER_AGENT", ""))


@receiver(password_changed, dispatch_uid="accounts.devices.password_changed")
def password_is_new(sender: object, request: HttpRequest, user: Any, **_: object) -> None:
    """A new password signs everybody else out at once, in open chats too, and not only at their next request."""
    devices_end(user.id, but=request.session.session_key)
    sign_out_tell(user.id)


class DeviceSeen:
    """Keeps, to the hour, when a signed-in device was last seen."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.answer(request)
        # Only where the page looked at the sign-in anyway: public pages stay free of cookies and cacheable.
        if request.session.accessed and SESSION_KEY in request.session:
            seen = _moment(request.session.get(SEEN))
            now = clock.now()
            if seen is None or now - seen >= SEEN_EVERY:
                request.session[SEEN] = now.isoformat()
        return response
