"""How a guardian and a teen find each other: an account, a code, what it means, and two times yes."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chatbot.accounts import gate, guardianship
from chatbot.accounts.forms import PROFILE_LANGUAGES
from chatbot.accounts.models import Role, User
from chatbot.accounts.views import refused
from chatbot.chat.live import person_look
from chatbot.core import clock, ratelimit
from chatbot.family.doors import families
from chatbot.family.forms import AgreeForm, CodeForm, GuardianForm

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
# A whole hall of parents may have one address. An account opens nothing by itself, and wrong codes are counted apart.
ACCOUNTS, ACCOUNTS_S = 200, 3600


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """A guardian's way in: signed out an account, signed in the code."""
    if not isinstance(request.user, User):
        return _account(request)
    return _code_of_teen(request)


def _account(request: HttpRequest) -> HttpResponse:
    form = GuardianForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if ratelimit.allowed(f"guardian:{_address(request)}", most=ACCOUNTS, per_s=ACCOUNTS_S):
            form.add_error(None, _("Too many new accounts from here. Wait an hour, then try again."))
        elif (guardian := _made(form)) is not None:
            login(request, guardian, backend=BACKEND)
            return redirect("accounts:recovery_code")
    return render(request, "family/account.html", {"form": form}, status=400 if form.errors else 200)


def _made(form: GuardianForm) -> User | None:
    """The new account; None, with the reason in the form, where the name or the password can't be used."""
    given = form.cleaned_data
    try:
        with transaction.atomic():
            return guardianship.guardian_make(
                username=given["username"],
                password=given["password"],
                email=given.get("email", ""),
                language=PROFILE_LANGUAGES.get(get_language() or "", "en"),
                time_zone=given["time_zone"],
            )
    except ValidationError as error:
        form.add_error("password", error)
    except IntegrityError:  # somebody else was a moment faster
        form.add_error("username", _("That name is taken. Try another."))
    return None


@families
def _code_of_teen(request: HttpRequest, person: User) -> HttpResponse:
    gate.may_guard(person)
    return _typed(request, person, template="family/join.html", here="family:join")


def _typed(request: HttpRequest, person: User, *, template: str, here: str) -> HttpResponse:
    """A code in two steps: whose it is and what it means, then yes. Each step looks the code up anew."""
    form, agreed = CodeForm(request.POST or None), AgreeForm(request.POST if "sure" in request.POST else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, template, _page(person, form=form), status=400 if form.errors else 200)
    try:
        code = guardianship.code_find(person, form.cleaned_data["code"], address=_address(request))
        if agreed.is_bound and (agreed.is_valid() or person.role == Role.TEEN):
            link = guardianship.link_ask(person, code)
            other = link.guardian if person.role == Role.TEEN else link.teen
            messages.success(request, _("Done. Now %(name)s has to say yes too.") % {"name": other.username})
            return redirect("family:code" if person.role == Role.TEEN else "family:index")
    except guardianship.CodeRefused as refusal:
        form.add_error("code", refusal.sentence())
        return render(request, template, _page(person, form=form), status=400)
    except guardianship.TooManyTries as refusal:
        form.add_error(None, refusal.sentence())
        return render(request, template, _page(person, form=form), status=429)
    context = {"other": code.maker, "typed": form.cleaned_data["code"], "agree": agreed, "here": here}
    return render(request, "family/meet.html", context, status=400 if agreed.errors else 200)


def _page(person: User, **more: Any) -> dict[str, Any]:
    """What stands on the page about codes and links, for both."""
    now = clock.now()
    links = guardianship.links_of(person)
    return {
        "requests": guardianship.requests_for(person),
        "asked": guardianship.requests_by(person),
        "links": links,
        "alone": any(gate.may_end(person, link, now=now) for link in links),
        "ended": guardianship.links_ended(person),
        "open_until": guardianship.code_open_until(person),
        "zone": gate.zone_of(person),
        "form": CodeForm(),
        **more,
    }


@families
@require_safe
def code(request: HttpRequest, person: User) -> HttpResponse:
    """Codes, requests and links. A teen gets here whether the chat is open or not."""
    return render(request, "family/code.html", _page(person))


@families
@require_POST
def code_make(request: HttpRequest, person: User) -> HttpResponse:
    """A fresh code, shown on this page only."""
    try:
        made = guardianship.code_make(person)
    except guardianship.TooManyTries as refusal:
        return refused(request, refusal)
    return render(request, "family/code.html", _page(person, made=made))


@families
@require_POST
def code_enter(request: HttpRequest, person: User) -> HttpResponse:
    """A teen types the code that their guardian made."""
    if person.role != Role.TEEN:
        return redirect("family:join")
    return _typed(request, person, template="family/code.html", here="family:code_enter")


@families
@require_POST
def answer(request: HttpRequest, person: User, link_id: uuid.UUID) -> HttpResponse:
    """Yes or no to a request. A guardian's yes needs the tick."""
    yes = request.POST.get("answer") == "yes"
    if yes and person.role == Role.GUARDIAN and not AgreeForm(request.POST).is_valid():
        messages.warning(request, _("Your yes is needed: tick the box, or say no."))
        return redirect("family:code")
    link = (guardianship.link_accept if yes else guardianship.link_decline)(person, link_id)
    person_look(link.teen_id)
    other = link.guardian if person.role == Role.TEEN else link.teen
    said = _("You're linked with %(name)s now.") if yes else _("You said no to %(name)s. Nothing is shared.")
    messages.success(request, said % {"name": other.username})
    return redirect("family:code" if person.role == Role.TEEN else "family:index")


@families
@require_POST
def link_end(request: HttpRequest, person: User, link_id: uuid.UUID) -> HttpResponse:
    """End a link, or ask for its end."""
    ended, teen_id = guardianship.link_end(person, link_id)
    person_look(teen_id)
    if ended:
        messages.success(request, _("The link has ended. What was set by it doesn't hold any more."))
    else:
        messages.success(request, _("Your parent or carer sees that you want to end it. Under 16 they confirm."))
    return redirect("family:code" if person.role == Role.TEEN else "family:index")
