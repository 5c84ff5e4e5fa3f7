"""The widget's addresses. None of them knows anybody by a cookie: a site's signed word, then a ticket."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from chatbot.accounts import gate
from chatbot.chat.sign_in import TicketRefused
from chatbot.core import ratelimit
from chatbot.core.choices import choice
from chatbot.widget import frame as inside
from chatbot.widget import services, sites
from chatbot.widget.identity import IdentityRefused
from chatbot.widget.loader import loader as loader_made
from chatbot.widget.models import Site
from companion.profile.services import COLOURS

BODY_BYTES = 8 * 1024
# Identities that don't count, from one address: many, since a school has one address for everybody.
TRIES, TRIES_S = 120, 60
YEAR_S = 365 * 24 * 3600


@require_safe
def loader(request: HttpRequest) -> HttpResponse:
    """The script. With ?v= and its hash it may be kept for ever; without, it is asked for again after five minutes."""
    made = loader_made()
    kept = YEAR_S if request.GET.get("v") == made.integrity else 300
    known = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    if made.tag in known:
        response: HttpResponse = HttpResponseNotModified()
    else:
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(made.packed if packed else made.text, content_type="text/javascript; charset=utf-8")
        if packed:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = made.tag
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = f"public, max-age={kept}" + (", immutable" if kept == YEAR_S else "")
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@gzip_page
@require_safe
@cache_control(no_cache=True)
def frame(request: HttpRequest, public_key: str) -> HttpResponse:
    """The page inside the frame, the same for everybody on that site: who it is for comes later, by a ticket."""
    site = sites.site_by_key(public_key)
    if site is None:
        raise Http404
    theme, accent = request.GET.get("theme", ""), request.GET.get("accent", "")
    with translation.override(services.language_for(site, _wanted(request)).lower()):
        context = {
            "site": site,
            "shell": inside.shell(site),
            "theme": theme if theme in inside.THEMES else "",
            "accent": accent if accent in COLOURS else site.accent,
            "told": choice("duty_contact", ""),
            "staff_hours": choice("staff_hours", ""),
            "days": settings.MESSAGE_DAYS,
        }
        response = render(request, "widget/frame.html", context)
    # DANGER: this one page may stand in others' pages, and only in those that the operator named.
    response._csp_replace = {"frame-ancestors": _ancestors(site)}  # type: ignore[attr-defined]  # as csp's decorators do
    response.xframe_options_exempt = True
    return response


def _wanted(request: HttpRequest) -> str:
    return request.GET.get("lang", "")[:16] or translation.get_language_from_request(request)


def _ancestors(site: Site) -> list[str]:
    return [origin for origin in site.origins if origin != sites.WEBVIEW] or [NONE]


@csrf_exempt
@never_cache
@require_POST
def ticket(request: HttpRequest) -> HttpResponse:
    """A site's signed word for a ticket. Asked for by the frame's own page and nobody else."""
    given, refused = _asked(request, "site", "origin", "identity")
    if refused is not None:
        return refused
    site = sites.site_by_key(given["site"])
    if site is None:
        return _no(404, "no_site", _("This site isn't allowed to show Abraço (ask its owner)."))
    wanted = services.language_for(site, given["lang"][:16])
    with translation.override(wanted.lower()):
        return _admitted(request, site, given)


def _admitted(request: HttpRequest, site: Site, given: dict[str, str]) -> HttpResponse:
    zone = given["zone"] if services.zone_known(given["zone"]) else ""
    try:
        admission = services.visitor_admit(site, token=given["identity"], origin=given["origin"], device_zone=zone)
    except IdentityRefused as refusal:
        wait = ratelimit.allowed(f"identity:{request.META.get('REMOTE_ADDR', '')}", most=TRIES, per_s=TRIES_S)
        return _no(429 if wait else 403, refusal.code, refusal.sentence(), owner=refusal.owner)
    except services.TooManyTickets as refusal:
        return _no(429, "too_fast", refusal.sentence(), retry_after=refusal.wait_s)
    except services.NoChat as refusal:
        with translation.override(refusal.person.language.lower()):
            return _no(403, refusal.code, refusal.sentence(), help=inside.card_of(refusal.person))
    with translation.override(admission.person.language.lower()):
        boot = inside.boot_of(admission.person, conversation=admission.conversation)
        return JsonResponse({"ticket": admission.ticket, "boot": boot})


@csrf_exempt
@never_cache
@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Delete everything about the visitor, on a fresh ticket: their site has just vouched for them again."""
    given, refused = _asked(request, "site", "origin", "ticket")
    if refused is not None:
        return refused
    try:
        services.visitor_erase(ticket=given["ticket"], site=given["site"], origin=given["origin"])
    except TicketRefused as refusal:
        return _no(403, "bad_ticket", refusal.sentence)
    except gate.Refused as refusal:
        return _no(403, refusal.code, refusal.sentence())
    return JsonResponse({"deleted": True})


def _asked(request: HttpRequest, *needed: str) -> tuple[dict[str, str], HttpResponse | None]:
    """The fields of a body from the frame's own page; or the answer to anybody else."""
    # DANGER: the stand-in for the form's token. Browsers write these two headers, pages can't.
    if not _from_here(request) or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return {}, _no(403, "not_the_frame", _("Only the chat's own frame asks here."))
    if len(request.body) > BODY_BYTES:
        return {}, _no(413, "too_large", _("That's more than an identity needs."))
    try:
        data: Any = json.loads(request.body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or not all(isinstance(data.get(name), str) for name in needed):
        return {}, _no(400, "bad_request", _("Some fields are missing: {names}.").format(names=", ".join(needed)))
    more = {name: data[name] if isinstance(data.get(name), str) else "" for name in ("zone", "lang")}
    return {**more, **{name: data[name] for name in needed}}, None


def _from_here(request: HttpRequest) -> bool:
    try:
        return urlsplit(request.headers.get("Origin", "")).netloc == request.get_host()
    except ValueError:  # not an address at all
        return False


def _no(status: int, code: str, message: str, **more: object) -> HttpResponse:
    return JsonResponse({"code": code, "message": message, **more}, status=status)
