"""Signed-in devices, and the way out for good."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chatbot.accounts import erasure, gate
from chatbot.accounts import services as people
from chatbot.accounts.adapter import sign_out_tell
from chatbot.accounts.devices import device_end as end_one
from chatbot.accounts.devices import devices_of
from chatbot.accounts.views import person_of
from chatbot.core import ratelimit
from chatbot.me.forms import DeleteForm

TRIES, TRIES_S = 5, 300


@never_cache
@login_required
@require_safe
def devices(request: HttpRequest) -> HttpResponse:
    """Where one is signed in."""
    person = person_of(request)
    found = devices_of(person.id, here=request.session.session_key)
    context = {"devices": found, "others": sum(not one.here for one in found), "zone": gate.zone_of(person)}
    return render(request, "me/devices.html", context)


@never_cache
@login_required
@require_POST
def device_end(request: HttpRequest, device_id: str) -> HttpResponse:
    """Sign out on one device; its open chats close at once."""
    person = person_of(request)
    if not end_one(person.id, device_id):
        raise Http404
    sign_out_tell(person.id)
    messages.success(request, _("Signed out there."))
    return redirect("me:devices")


@never_cache
@login_required
@require_POST
def others_end(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    person = person_of(request)
    ended = people.sessions_end(person, but=request.session.session_key)
    sign_out_tell(person.id)
    said = ngettext("Signed out on %(count)d other device.", "Signed out on %(count)d other devices.", ended)
    messages.success(request, said % {"count": ended})
    return redirect("me:devices")


@never_cache
@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Everything goes: the link here is one tap, the password and the button the other. No plea, no waiting.

    Somebody who has no password types their user name.
    """
    person = person_of(request)
    try:
        gate.may_erase(person, person.id)
    except gate.Refused:
        sentence = _("Accounts of people who run this place are deleted by its operator, not here.")
        return render(request, "403.html", {"sentence": sentence, "code": "not_allowed"}, status=403)
    form = DeleteForm(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        if ratelimit.allowed(f"delete:{person.id}", most=TRIES, per_s=TRIES_S):
            form.add_error(None, _("Too many tries. Wait five minutes, then try again."))
        elif form.right():
            person_id = person.id
            erasure.erasure_ask(actor=person, person=person)
            logout(request)
            erasure.erasure_run(person_id)
            return render(request, "me/gone.html")
    return render(request, "me/delete.html", {"form": form}, status=400 if form.errors else 200)
