"""Between a request and its page: the language that the person chose, the lock left by "leave quickly", a key that is
missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve, reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import urlencode

from chatbot.accounts import gate
from chatbot.accounts.adapter import LOCK
from chatbot.accounts.key_missing import CODE, key_sentence
from chatbot.accounts.models import Role, User
from chatbot.core.keys import KeyMissing

log = structlog.get_logger()
Answer = Callable[[HttpRequest], HttpResponse]
# What stays open while the visit is locked: help and the other public pages, the way out, the ways back in.
# The API says itself that it is locked, in its own words. The widget knows nobody by cookie.
OPEN_APPS = frozenset({"pages", "ninja", "widget"})
OPEN_VIEWS = frozenset({
    "accounts:unlock", "accounts:recover", "accounts:recover_link", "account_login", "account_logout",
    "set_language", "health", "ready",
})  # fmt: skip


class PersonPlace:
    """The pages speak the language that the person chose, or chose later in the footer, and tell their time."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            person = request.user if isinstance(request.user, User) else None
        except DatabaseError as error:
            log.error("database_away", error=type(error).__name__)
            return self._without_database(request)
        if person is None:
            return self.answer(request)
        with timezone.override(gate.zone_of(person)):
            return self._in_language(request, person.language.lower())

    def _without_database(self, request: HttpRequest) -> HttpResponse:
        """Help and the other public pages, as for somebody signed out; for the rest, a page that says so."""
        if resolve(request.path_info).app_name not in OPEN_APPS:
            return render(None, "500.html", status=503)
        kept, request.session = request.session, SessionStore()
        request.user = AnonymousUser()
        try:
            return self.answer(request)
        finally:
            # DANGER: with the empty store still there, Django would take the cookie away and sign the person out.
            request.session = kept

    def _in_language(self, request: HttpRequest, chosen: str) -> HttpResponse:
        if settings.LANGUAGE_COOKIE_NAME in request.COOKIES or chosen not in dict(settings.LANGUAGES):
            return self.answer(request)
        translation.activate(chosen)
        request.LANGUAGE_CODE = chosen
        response = self.answer(request)
        response.headers["Content-Language"] = chosen
        patch_vary_headers(response, ["Cookie"])
        return response


class LeftQuickly:
    """After "leave quickly" nothing private is served on that device until the password is given."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request)

    def process_view(
        self, request: HttpRequest, view: Any, view_args: tuple[Any, ...], view_kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.app_name in OPEN_APPS or match.view_name in OPEN_VIEWS:
            return None
        if not request.user.is_authenticated or not request.session.get(LOCK):
            return None
        here = request.get_full_path() if request.method == "GET" else settings.LOGIN_REDIRECT_URL
        return redirect(f"{reverse('accounts:unlock')}?{urlencode({'next': here})}")


class KeyMissingPage:
    """A page that can't open what is the person's own says so, and who can do something. Only a teen's page shows what
    is sealed with the key of whoever looks."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        person = request.user
        if not isinstance(error, KeyMissing) or not isinstance(person, User) or person.role != Role.TEEN:
            return None
        log.error("key_missing", error=type(error).__name__)
        context = {"sentence": key_sentence(error), "code": CODE}
        response = render(request, "key_missing.html", context, status=503)
        add_never_cache_headers(response)
        return response
