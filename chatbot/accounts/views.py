"""Sign-up's two extra pages, recovery, the deal. Thin: the rules are in services and gate."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView as AllauthLoginView
from allauth.account.views import LogoutView as AllauthLogoutView
from allauth.account.views import PasswordChangeView as AllauthPasswordChangeView
from allauth.account.views import SignupView as AllauthSignupView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from chatbot.accounts import gate, services
from chatbot.accounts.adapter import LOCK, sign_out_tell
from chatbot.accounts.forms import NewPasswordForm, RecoveryForm, UnlockForm
from chatbot.accounts.models import User
from chatbot.core import clock, ratelimit
from chatbot.core.choices import choice

LATER_COOKIE = "later"
LATER_SECONDS = 24 * 3600
# Tells the page's own script that the password was given; holds nothing, lives a minute.
UNLOCKED_COOKIE = "unlocked"
TRIES, TRIES_S = 5, 300
# For what each try costs to compute; a recovery code of 79 bits is not guessed.
TRIES_AN_ADDRESS = 150


def _in_our_words(form: Any, **words: tuple[str, str]) -> Any:
    """Label and hint of allauth's fields, no placeholder that would stand in for a label, no capital that a phone puts
    before a name."""
    for name, (label, hint) in words.items():
        if name in form.fields:
            form.fields[name].label, form.fields[name].help_text = label, hint
            form.fields[name].widget.attrs.pop("placeholder", None)
            form.fields[name].widget.attrs.update(autocapitalize="none", spellcheck="false")
    return form


@method_decorator(never_cache, name="dispatch")
class SignupView(AllauthSignupView):  # type: ignore[misc]  # allauth ships no types
    """allauth's sign-up behind the age screen: under 13 nothing is kept but a cookie that blocks a second try (R18)."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if LATER_COOKIE in request.COOKIES:
            return under_age(request)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_form(self, form_class: Any = None) -> Any:
        return _in_our_words(
            super().get_form(form_class),
            username=(_("User name"), _("A nickname is best. Not your full name.")),
            password1=(_("Password"), _("8 characters or more. Three odd words in a row are easy to keep.")),
        )

    def form_invalid(self, form: object) -> HttpResponse:
        if getattr(form, "too_young", False):
            return under_age(self.request)
        response: HttpResponse = super().form_invalid(form)
        return response


class SignInView(AllauthLoginView):  # type: ignore[misc]  # allauth ships no types
    """allauth's sign-in, with the house's words on it."""

    def get_form(self, form_class: Any = None) -> Any:
        return _in_our_words(
            super().get_form(form_class),
            login=(_("User name"), ""),
            password=(_("Password"), ""),
            remember=(_("Stay signed in on this device"), ""),
        )


class PasswordView(AllauthPasswordChangeView):  # type: ignore[misc]  # allauth ships no types
    """allauth's change of password; every other device is signed out, and its open chats close."""

    def get_form(self, form_class: Any = None) -> Any:
        return _in_our_words(
            super().get_form(form_class),
            oldpassword=(_("The password you have now"), ""),
            password1=(_("New password"), _("8 characters or more. Three odd words in a row are easy to keep.")),
            password2=(_("New password, once more"), ""),
        )

    def form_valid(self, form: object) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        person = person_of(self.request)
        services.sessions_end(person, but=self.request.session.session_key)
        sign_out_tell(person.id)
        messages.success(self.request, _("Your password is changed, and you're signed out everywhere else."))
        return response


class SignOutView(AllauthLogoutView):  # type: ignore[misc]  # allauth ships no types
    """allauth's sign-out; open chats of the person, in other tabs too, close at once."""

    def post(self, *args: object, **kwargs: object) -> HttpResponse:
        person = self.request.user
        response: HttpResponse = super().post(*args, **kwargs)
        if isinstance(person, User):
            sign_out_tell(person.id)
        return response


def under_age(request: HttpRequest) -> HttpResponse:
    """The kind no, and the cookie. No account, no log line, no name."""
    response = render(request, "accounts/under_age.html", status=403)
    response.set_cookie(
        LATER_COOKIE, "1", max_age=LATER_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
    )
    return response


def person_of(request: HttpRequest) -> User:
    """The person signed in. Only for views behind `login_required`."""
    if not isinstance(request.user, User):
        raise TypeError("this view needs somebody signed in")
    return request.user


def refused(request: HttpRequest, refusal: gate.Refused) -> HttpResponse:
    """The page for a no, with the gate's sentence."""
    return render(request, "403.html", {"sentence": refusal.sentence(), "code": refusal.code}, status=403)


@never_cache
@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def recovery_code(request: HttpRequest) -> HttpResponse:
    """Show a recovery code once: after sign-up, or when the person asks for a new one and gives the password."""
    person = person_of(request)
    if person.recovery_digest:
        # DANGER: a code takes the account over, so a device that was left open must not give one away.
        form = UnlockForm(request.POST if request.method == "POST" else None)
        if request.method == "GET" or not _password_given(person, form):
            status = 400 if form.errors else 200
            return render(request, "accounts/recovery_code.html", {"code": None, "form": form}, status=status)
    return render(request, "accounts/recovery_code.html", {"code": services.recovery_code_make(person)})


def _password_given(person: User, form: UnlockForm) -> bool:
    """Whether the form holds the person's password; where not, it says why. Guessing is slowed, for all its pages."""
    if not form.is_valid():
        return False
    if ratelimit.allowed(f"unlock:{person.id}", most=TRIES, per_s=TRIES_S):
        form.add_error(None, _("Too many tries. Wait five minutes, then try again."))
    elif not person.check_password(form.cleaned_data["password"]):
        form.add_error("password", _("That isn't the password of this account. Try again?"))
    return not form.errors


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def recover(request: HttpRequest) -> HttpResponse:
    """Back in without e-mail: user name, recovery code, new password."""
    form = RecoveryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        counted = _recovery_counted(request, form.cleaned_data["username"])
        if any(ratelimit.allowed(key, most=most, per_s=TRIES_S) for key, most in counted):
            form.add_error(None, _("Too many tries. Wait five minutes, then try again."))
        else:
            try:
                person, code = services.password_recover(
                    username=form.cleaned_data["username"],
                    code=form.cleaned_data["code"],
                    password=form.cleaned_data["password"],
                )
            except services.RecoveryFailed:
                form.add_error(None, _("That name and code don't belong together. Check both and try again."))
            else:
                for key, _most in counted:
                    ratelimit.uncount(key, per_s=TRIES_S)
                sign_out_tell(person.id)
                return render(request, "accounts/recovery_code.html", {"code": code, "recovered": True})
    return render(request, "accounts/recover.html", {"form": form}, status=400 if form.errors else 200)


def _recovery_counted(request: HttpRequest, username: str) -> list[tuple[str, int]]:
    """What a wrong try at recovery counts for, and how many may be, in the order in which they are asked.

    DANGER: a whole school may have one address, so it has a high limit, and a name that was refused counts no more for
    it. Never by name alone: nobody may lock somebody out from elsewhere. Names that nobody has count like others.
    """
    address = request.META.get("REMOTE_ADDR", "")
    return [
        (f"recover:{address}:{services.recovery_name_digest(username)}", TRIES),
        (f"recover:{address}", TRIES_AN_ADDRESS),
    ]


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def recover_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Back in by the operator's one-use link."""
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person, code = services.recovery_link_use(secret=secret, password=form.cleaned_data["password"])
        except services.RecoveryFailed:
            form.add_error(None, _("This link was used already, or is too old. Ask for a new one."))
        else:
            sign_out_tell(person.id)
            return render(request, "accounts/recovery_code.html", {"code": code, "recovered": True})
    return render(request, "accounts/recover.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def deal(request: HttpRequest) -> HttpResponse:
    """The deal, before anything is confided: read once, confirmed by a tap."""
    person = person_of(request)
    try:
        gate.may_enter(person, now=clock.now())
    except gate.Refused:
        # The chat's own page says why, and shows help.
        return redirect(settings.LOGIN_REDIRECT_URL)
    if request.method == "POST":
        services.deal_confirm(person)
        return redirect(settings.LOGIN_REDIRECT_URL)
    told = {"told": choice("duty_contact", ""), "staff_hours": choice("staff_hours", "")}
    return render(request, "accounts/deal.html", {**told, "confirmed": person.deal_confirmed_at is not None})


def _next(request: HttpRequest) -> str:
    """Where to go on to: a path of this house, else the chat."""
    path = request.POST.get("next") or request.GET.get("next") or ""
    fine = url_has_allowed_host_and_scheme(path, allowed_hosts=None) and path.startswith("/")
    return path if fine else settings.LOGIN_REDIRECT_URL


@never_cache
@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def unlock(request: HttpRequest) -> HttpResponse:
    """After "leave quickly": the password opens the pages on this device again."""
    person = person_of(request)
    form = UnlockForm(request.POST or None)
    if request.method == "POST" and _password_given(person, form):
        request.session.pop(LOCK, None)
        response = redirect(_next(request))
        response.set_cookie(UNLOCKED_COOKIE, "1", max_age=60, samesite="Lax", secure=request.is_secure())
        return response
    context = {"form": form, "next": _next(request)}
    return render(request, "accounts/unlock.html", context, status=400 if form.errors else 200)
