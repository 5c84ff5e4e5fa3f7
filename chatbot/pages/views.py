"""The pages that everybody may see: landing, help, leave, about, safety, the offline worker, and what went wrong."""

from __future__ import annotations

import contextlib
from datetime import date
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.staticfiles import finders
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_GET, require_safe

from chatbot.accounts.adapter import LOCK, sign_out_tell
from chatbot.accounts.countries import country_choices
from chatbot.accounts.forms import PROFILE_LANGUAGES
from chatbot.accounts.models import User
from chatbot.core.choices import choice
from chatbot.pages.lines import country_help, country_known
from companion.types import LANGUAGES, Language
from moderation.crisis.texts import TextsError, texts_of
from moderation.policy import policy_shipped

# The day on which the protocol that /safety describes was last changed in substance.
PROTOCOL_DATE = date(2026, 11, 25)
COUNTRY_COOKIE = "help_country"
COUNTRY_SECONDS = 365 * 24 * 3600


def language_now() -> Language:
    """The language of the page, as the safety layer names it."""
    return next((name for name in LANGUAGES if name == PROFILE_LANGUAGES.get(get_language() or "")), "en")


def _country(request: HttpRequest) -> str:
    """Asked for by name, else the person's own, else what was chosen on this device before. Never guessed."""
    asked = request.GET.get("country")
    if asked is not None:
        return country_known(asked)
    own = request.user.country if isinstance(request.user, User) else ""
    return country_known(own or request.COOKIES.get(COUNTRY_COOKIE, ""))


def _with_lines(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    asked, code = request.GET.get("country"), _country(request)
    response = render(
        request,
        template,
        {
            **context,
            "here": country_help(code, language_now()),
            "countries": country_choices(),
            "unknown": bool(asked) and asked != "ZZ" and not code,
        },
    )
    if asked is not None and code:
        response.set_cookie(COUNTRY_COOKIE, code, max_age=COUNTRY_SECONDS, samesite="Lax", secure=request.is_secure())
    return response


def _who_looks() -> dict[str, str]:
    """Who is told about danger, and when staff look, as the operator chose; empty while the database is away."""
    try:
        return {"duty_contact": choice("duty_contact", ""), "staff_hours": choice("staff_hours", "")}
    except DatabaseError:
        return {"duty_contact": "", "staff_hours": ""}


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """What it is and for whom."""
    return render(request, "pages/landing.html")


@require_safe
@never_cache
def help_now(request: HttpRequest) -> HttpResponse:
    """Emergency numbers and helplines of a country: signed out too, and without JavaScript."""
    return _with_lines(request, "pages/help.html", {})


@require_safe
@never_cache
def leave(request: HttpRequest) -> HttpResponse:
    """A page that says nothing about where one was. Whoever is signed in finds a lock when they come back."""
    if isinstance(request.user, User):
        request.session[LOCK] = True
        with contextlib.suppress(UpdateError):  # signed out meanwhile
            request.session.save()  # before open chats are told: they look whether the lock is there
        sign_out_tell(request.user.id)
    return render(request, "pages/leave.html")


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Transparency: who hosts, which engine, what is kept for how long, what staff see."""
    return render(
        request,
        "pages/about.html",
        {
            "engine": settings.ENGINE.rstrip("_"),
            "engine_model": settings.ENGINE_MODEL,
            "message_days": settings.MESSAGE_DAYS,
            **_who_looks(),
        },
    )


@require_safe
def safety(request: HttpRequest) -> HttpResponse:
    """The crisis protocol in plain words, with its version and date (R10)."""
    return _with_lines(
        request,
        "pages/safety.html",
        {
            "policy_version": policy_shipped().version,
            "protocol_date": PROTOCOL_DATE,
            "reviewed_on": _reviewed_on(language_now()),
            **_who_looks(),
        },
    )


def _reviewed_on(language: Language) -> date | None:
    """When the crisis texts of that language were reviewed; None where nobody has signed them yet."""
    try:
        return texts_of(language).reviewed_on
    except TextsError:
        return None


@cache
def _worker_source() -> str:
    found = finders.find("sw.js")
    if not isinstance(found, str):
        raise FileNotFoundError("sw.js is missing from chatbot/static")
    return Path(found).read_text(encoding="utf-8")


@require_GET
@cache_control(no_cache=True)
def worker(request: HttpRequest) -> HttpResponse:
    """The offline worker, from the root: a worker may only watch over addresses below its own."""
    return HttpResponse(_worker_source(), content_type="text/javascript; charset=utf-8")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, the same whether a thing is missing or somebody else's."""
    return render(request, "404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403"""
    return render(request, "403.html", status=403)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that lay open too long, or came from another site. `reason` is for developers: not shown."""
    return render(request, "403_csrf.html", status=403)
