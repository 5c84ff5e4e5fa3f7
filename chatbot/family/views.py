"""The guardian's pages: whom they are linked to, one teen, and what can be set. Never a word of a chat."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chatbot.accounts import gate, guardianship
from chatbot.accounts import oversight as sight
from chatbot.accounts.erasure import erasure_ask_for, erasure_take_back
from chatbot.accounts.guardian_limits import LimitsRefused, Wished, limits_set
from chatbot.accounts.models import Guardianship, User
from chatbot.chat.live import person_look
from chatbot.core import clock
from chatbot.family.doors import guardians
from chatbot.family.forms import AgreeForm, LimitsForm, MailForm


@guardians
@require_safe
def index(request: HttpRequest, person: User) -> HttpResponse:
    """Everybody one is linked to, with what waits to be looked at."""
    now = clock.now()
    seen = [sight.shown_to_guardian(link, now=now) for link in guardianship.links_of(person) if _overseen(link)]
    context = {
        "seen": seen,
        "new": {view.teen_id for view in seen if any(alert.seen_at is None for alert in view.alerts)},
        "requests": guardianship.requests_for(person),
        "asked": guardianship.requests_by(person),
        "ended": guardianship.links_ended(person),
        "agree": AgreeForm(),
        "mail": MailForm(initial={"email": person.email}) if settings.EMAIL_URL else None,
        "zone": gate.zone_of(person),
    }
    return render(request, "family/index.html", context)


def _overseen(link: Guardianship) -> bool:
    try:
        gate.may_oversee(link.guardian, link.teen_id, now=clock.now())
    except gate.Refused:
        return False
    return True


@guardians
@require_safe
def teen(request: HttpRequest, person: User, teen_id: uuid.UUID) -> HttpResponse:
    """One teen: alerts, minutes, what holds, and what can be done."""
    now = clock.now()
    link = gate.may_oversee(person, teen_id, now=now)
    context = {"seen": sight.shown_to_guardian(link, now=now), "mine": True, "agree": AgreeForm()}
    return render(request, "family/teen.html", context)


@guardians
@require_POST
def alert_see(request: HttpRequest, person: User, alert_id: uuid.UUID) -> HttpResponse:
    """The guardian is on it."""
    teen_id = sight.alert_see(person, alert_id)
    messages.success(request, _("Noted. What to do stays here: open it any time."))
    return redirect("family:teen", teen_id=teen_id)


@guardians
@require_http_methods(["GET", "POST"])
def limits(request: HttpRequest, person: User, teen_id: uuid.UUID) -> HttpResponse:
    """Quiet hours, minutes, memory, games and other skills, the time zone. Told to open chats at once."""
    now = clock.now()
    link = gate.may_oversee(person, teen_id, now=now)
    band = gate.band_of(link.teen, now)
    holding = sight.seen_by_guardian(link, now=now).limits
    initial = {
        "quiet_from": holding.quiet_from,
        "quiet_to": holding.quiet_to,
        "minutes": holding.minutes,
        "memory_off": not holding.memory,
        "time_zone": holding.time_zone,
    }
    off = frozenset(holding.skills_off)
    form = LimitsForm(
        request.POST or None, bounds=gate.MINUTES[band], young=band == "13-15", skills_off=off, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        try:
            limits_set(person, teen_id, _wished(form))
        except LimitsRefused as refusal:
            form.add_error(None, refusal.sentence())
        else:
            person_look(teen_id)
            messages.success(request, _("Saved. It holds from now on; your teen sees it too."))
            return redirect("family:teen", teen_id=teen_id)
    context = {"form": form, "teen": link.teen}
    return render(request, "family/limits.html", context, status=400 if form.errors else 200)


def _wished(form: LimitsForm) -> Wished:
    given = form.cleaned_data
    return Wished(
        quiet_from=given["quiet_from"],
        quiet_to=given["quiet_to"],
        minutes=given["minutes"],
        memory_off=given["memory_off"],
        time_zone=given["time_zone"],
        skills_off=form.skills_off(),
    )


@guardians
@require_POST
def consent(request: HttpRequest, person: User, teen_id: uuid.UUID) -> HttpResponse:
    """Take the yes back, in one step; or say it again."""
    gate.may_oversee(person, teen_id, now=clock.now())
    if request.POST.get("give"):
        if AgreeForm(request.POST).is_valid():
            if guardianship.consent_renew(person, teen_id):
                messages.success(request, _("The chat is open again."))
            else:
                messages.success(request, _("Saved. The chat opens once every parent or carer has said yes again."))
        else:
            messages.warning(request, _("Your yes is needed: tick the box."))
    else:
        guardianship.consent_take_back(person, teen_id)
        messages.success(request, _("The chat is closed. Help in a crisis stays open to them."))
    person_look(teen_id)
    return redirect("family:teen", teen_id=teen_id)


@guardians
@require_POST
def delete(request: HttpRequest, person: User, teen_id: uuid.UUID) -> HttpResponse:
    """Ask that everything of the teen is deleted, or take that back (R30)."""
    if request.POST.get("take_back"):
        if erasure_take_back(guardian=person, teen_id=teen_id):
            messages.success(request, _("Taken back. Nothing is deleted."))
        else:
            messages.warning(request, _("That request isn't yours to take back. Nothing was changed."))
    else:
        erasure_ask_for(guardian=person, teen_id=teen_id)
        messages.success(request, _("Asked. Your teen sees it, and you can take it back."))
    return redirect("family:teen", teen_id=teen_id)


@guardians
@require_POST
def mail(request: HttpRequest, person: User) -> HttpResponse:
    """Where the note goes that there is something to look at."""
    form = MailForm(request.POST)
    if form.is_valid():
        guardianship.alert_mail_set(person, form.cleaned_data["email"])
        messages.success(request, _("Saved."))
    else:
        messages.warning(request, _("That isn't an e-mail address. Nothing was changed."))
    return redirect("family:index")
