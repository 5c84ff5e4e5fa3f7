"""What every page may show."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from chatbot.accounts.models import Role, User

# Where each role is at home. Paths and not names: the panels stand above accounts.
HOMES = {Role.TEEN: "/chat/", Role.GUARDIAN: "/family/", Role.MODERATOR: "/review/", Role.OPERATOR: "/me/"}


def home_of(person: User) -> str:
    """Where somebody goes on to after signing in."""
    return next((path for role, path in HOMES.items() if role == person.role), "/")


def house(request: HttpRequest) -> dict[str, object]:
    """Who hosts this machine, as the operator wrote it, and where the person is at home in it."""
    user = getattr(request, "user", None)
    home = home_of(user) if isinstance(user, User) else ""
    return {"host_name": settings.OPERATOR_NAME, "demo": settings.DEBUG, "home": home}
