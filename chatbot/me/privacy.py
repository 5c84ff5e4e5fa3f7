"""Who sees what, what holds, and what a parent or carer sees: plain words, with the switches beside them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.accounts.views import person_of
from chatbot.core import clock
from chatbot.core.choices import choice
from chatbot.me.looks import looks_of
from chatbot.me.memory import owned
from chatbot.me.mirror import asked_by, asked_of, mirrors_of
from chatbot.me.overview import ROW, days_of, overview_of


@never_cache
@login_required
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Who sees what, what is kept and for how long, what never is, and the way to switch things off."""
    person = person_of(request)
    looks = looks_of(person.id)
    context = {
        "me": overview_of(person, now=clock.now()),
        "looks": looks,
        "looked": sum(one.private for one in looks),
        "days": settings.MESSAGE_DAYS,
        "staff_hours": choice("staff_hours", ""),
        "duty_contact": choice("duty_contact", ""),
        "zone": gate.zone_of(person),
    }
    return render(request, "me/privacy.html", context)


@owned
@require_safe
def limits(request: HttpRequest, person: User) -> HttpResponse:
    """What holds today, who set it, and the minutes of the last days."""
    now = clock.now()
    days = days_of(person, now=now)
    context = {"me": overview_of(person, now=now), "days": days, "height": ROW * len(days)}
    return render(request, "me/limits.html", context)


@owned
@require_safe
def guardian(request: HttpRequest, person: User) -> HttpResponse:
    """Exactly what a parent or carer sees, drawn by the same template from the same rows (R31)."""
    context = {
        "mirrors": mirrors_of(person, now=clock.now()),
        "asked_of": asked_of(person),
        "asked_by": asked_by(person),
        "zone": gate.zone_of(person),
    }
    return render(request, "me/guardian.html", context)
