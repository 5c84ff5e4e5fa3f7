"""Everything to take along: asked for with one tap, made by a job, fetched as a page or as data (R30)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from chatbot.accounts import gate
from chatbot.accounts.key_missing import key_sentence
from chatbot.accounts.views import person_of
from chatbot.core.database import in_database
from chatbot.core.keys import key_missing
from chatbot.me import exports
from chatbot.me.models import Export, ExportForm

TYPES = {ExportForm.PAGE: "text/html; charset=utf-8", ExportForm.DATA: "application/json; charset=utf-8"}
# It is saved and never shown here; should a browser show it all the same, it can't do anything, nor load anything.
FILE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " sandbox"
)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest) -> HttpResponse:
    """How it stands with the copy; a tap asks for one."""
    person = person_of(request)
    if request.method == "POST":
        try:
            exports.export_ask(person, language=get_language() or "en")
        except exports.NotNow as refusal:
            messages.warning(request, refusal.sentence)
        return redirect("me:export")
    missing = key_missing(person.id)
    context = {
        "export": exports.export_of(person), "zone": gate.zone_of(person), "most": exports.MOST_A_DAY,
        "locked": "" if missing is None else key_sentence(missing),
    }  # fmt: skip
    return render(request, "me/export.html", context)


@never_cache
@login_required
@require_safe
def export_file(request: HttpRequest, form: ExportForm) -> HttpResponseBase:
    """The person's own copy, opened stretch by stretch while it is sent. 404 where none is ready."""
    person = person_of(request)
    missing = key_missing(person.id)
    if missing is not None:  # said as a page, and not in the middle of a file
        raise missing
    found = exports.export_fetch(person)
    if found is None:
        raise Http404
    # Under ASGI a plain iterator would be read to its end, and held, before the first byte goes out.
    body = _later(found, form) if isinstance(request, ASGIRequest) else _now(found, form)
    response = StreamingHttpResponse(body, content_type=TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="abraco.{form.value}"'
    response["Content-Security-Policy"] = FILE_POLICY
    return response


def _now(export: Export, form: ExportForm) -> Iterator[str]:
    for seq in count():
        piece = exports.piece_of(export, form, seq)
        if piece is None:
            return
        yield piece


async def _later(export: Export, form: ExportForm) -> AsyncIterator[str]:
    for seq in count():
        piece = await in_database(exports.piece_of, export, form, seq)
        if piece is None:
            return
        yield piece
