"""The overview, and where and in which language one is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.forms import PROFILE_LANGUAGES
from chatbot.accounts.models import Role, User
from chatbot.accounts.views import person_of
from chatbot.core import clock
from chatbot.me.forms import PlaceForm
from chatbot.me.looks import looks_of
from chatbot.me.overview import overview_of
from companion.profile.services import companion_for

# How much of what was done stands on the overview; all of it is a page further.
LATELY = 5


def _page(request: HttpRequest, person: User, form: PlaceForm, *, status: int = 200) -> HttpResponse:
    looks = looks_of(person.id)
    context: dict[str, Any] = {
        "me": overview_of(person, now=clock.now()),
        "looks": looks[:LATELY],
        "more": len(looks) > LATELY,
        "looked": [one for one in looks if one.private],
        "form": form,
        "companion": companion_for(person.id) if person.role == Role.TEEN else None,
        "days": settings.MESSAGE_DAYS,
        "zone": gate.zone_of(person),
    }
    return render(request, "me/index.html", context, status=status)


@never_cache
@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Who I am here, what holds, who sees what, and the way to the rest."""
    person = person_of(request)
    return _page(request, person, _place_form(person))


def _place_form(person: User, data: Any = None) -> PlaceForm:
    try:
        gate.may_move_clock(person, now=clock.now())
        held = False
    except gate.ClockHeld:
        held = True
    return PlaceForm(
        data, initial={"language": person.language.lower(), "time_zone": person.time_zone}, clock_held=held
    )


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def place(request: HttpRequest) -> HttpResponse:
    """Language and time zone. Whoever reloads the answer to a wrong form is shown the overview."""
    if request.method != "POST":
        return redirect("me:index")
    person = person_of(request)
    form = _place_form(person, request.POST)
    if form.is_valid():
        try:
            people.time_zone_set(person, form.cleaned_data["time_zone"])
        except people.TooSoon:
            form.add_error("time_zone", _("The time zone can change once a day. Try again tomorrow."))
    if not form.is_valid():
        return _page(request, person, form, status=400)
    code = form.cleaned_data["language"]
    person.language = PROFILE_LANGUAGES[code]
    people.person_language(person)
    with translation.override(code):
        messages.success(request, _("Saved."))
    response = redirect("me:index")
    # The footer's choice would win otherwise, and "my language" would seem not to work.
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, code, samesite="Lax", secure=request.is_secure())
    return response
