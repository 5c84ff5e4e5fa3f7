"""Who sits at a socket: somebody signed in on this site, or a visitor with a ticket from somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user
from django.http import HttpRequest
from django.utils.module_loading import import_string

from chatbot.accounts.adapter import LOCK
from chatbot.accounts.models import User


class SignIn(Protocol):
    """A way in that was taken. Asked again before each frame, since a socket outlives what opened it."""

    def person_now(self) -> User | None:
        """Who it lets in now, read afresh; None once it lets nobody in."""


class TicketRefused(Exception):
    """The ticket opens nothing. `foreign`: it is real, but was made for another site or origin."""

    def __init__(self, sentence: str, *, foreign: bool = False) -> None:
        super().__init__(sentence)
        self.sentence, self.foreign = sentence, foreign


class BySession:
    """The cookie's session: gone after a sign-out anywhere, locked after "leave quickly"."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def person_now(self) -> User | None:
        session = self._session
        if session is None:
            return None
        fresh = type(session._wrapped if hasattr(session, "_wrapped") else session)(session.session_key)
        if SESSION_KEY not in fresh:
            return None
        request = HttpRequest()
        request.session = fresh
        user = get_user(request)
        return user if isinstance(user, User) and not fresh.get(LOCK) else None


def by_ticket(*, ticket: str, site: str, origin: str) -> SignIn:
    """Spend a ticket. Raises TicketRefused. Who makes tickets stands above the chat, so by setting."""
    redeem = cast("Callable[..., SignIn]", import_string(settings.TICKET_SCREEN))
    return redeem(ticket=ticket, site=site, origin=origin)
