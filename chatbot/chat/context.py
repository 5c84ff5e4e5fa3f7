"""What every page may show of somebody's companion."""

from __future__ import annotations

from django.http import HttpRequest

from companion.profile.services import Shape

LOOKS = "looks"  # in the visit's own store: a colour and a character, so that no page asks the database for them


def looks_keep(request: HttpRequest, companion: Shape) -> None:
    """So that all pages of this visit look as the chat does."""
    chosen = {"colour": companion.colour, "persona": companion.persona}
    if request.session.get(LOOKS) != chosen:
        request.session[LOOKS] = chosen


def looks(request: HttpRequest) -> dict[str, object]:
    """The colour and the character that were seen last; nothing for whoever has no companion."""
    session, user = getattr(request, "session", None), getattr(request, "user", None)
    if session is None or user is None or not user.is_authenticated or LOOKS not in session:
        return {}
    return {"companion": session[LOOKS], "accent": session[LOOKS].get("colour", "")}
