"""Bringing memories back from one's own copy. The answer to the file is the page that says what came of it: a redirect
would have to keep the words of it somewhere."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.core import clock
from chatbot.me.importing import FILE_BYTES, NotTaken, Report, files_wait, import_read, import_take
from chatbot.me.memory import owned
from chatbot.me.overview import memory_state


@owned
@require_http_methods(["GET", "HEAD", "POST"])
def memory_import(request: HttpRequest, person: User) -> HttpResponse:
    """Choose a file; then what came in, what was here, and what was left out and why."""
    context: dict[str, Any] = {"state": memory_state(person, now=clock.now()), "most_bytes": FILE_BYTES}
    status = 200
    if request.method == "POST":
        try:
            context["report"] = _taken(request, person)
        except NotTaken as refusal:
            context["error"], status = refusal.sentence, refusal.status
        except gate.Refused as refusal:
            context["error"], status = refusal.sentence(), 403
    return render(request, "me/memory_import.html", context, status=status)


def _taken(request: HttpRequest, person: User) -> Report:
    """Raises NotTaken, gate.Refused."""
    now = clock.now()
    gate.may_keep(person, now=now)
    minutes = files_wait(person)
    if minutes:
        said = ngettext(
            "That's a lot of files in an hour. Try again in %(minutes)d minute.",
            "That's a lot of files in an hour. Try again in %(minutes)d minutes.",
            minutes,
        )
        raise NotTaken(said % {"minutes": minutes}, 429)
    file = request.FILES.get("file")
    if file is None:
        raise NotTaken(_("Choose a file first."))
    if (file.size or 0) > FILE_BYTES:
        raise NotTaken(_("That file is too big for a copy of memories. “Save as a file” makes a small one."), 413)
    return import_take(person, import_read(file.read(), person, now=now), now=now)
