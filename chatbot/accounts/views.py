"""Sign-up's two extra pages, recovery, the deal. Thin: the rules are in services and gate."""

from __future__ import annotations

from allauth.account.views import SignupView as AllauthSignupView
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from chatbot.accounts import services
from chatbot.accounts.forms import NewPasswordForm, RecoveryForm
from chatbot.accounts.models import Role, User
from chatbot.core import ratelimit

LATER_COOKIE = "later"
LATER_SECONDS = 24 * 3600


@method_decorator(never_cache, name="dispatch")
class SignupView(AllauthSignupView):  # type: ignore[misc]  # allauth ships no types
    """allauth's sign-up behind the age screen: under 13 nothing is kept but a cookie that blocks a second try (R18)."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if LATER_COOKIE in request.COOKIES:
            return under_age(request)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def form_invalid(self, form: object) -> HttpResponse:
        if getattr(form, "too_young", False):
            return under_age(self.request)
        response: HttpResponse = super().form_invalid(form)
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


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def recovery_code(request: HttpRequest) -> HttpResponse:
    """Show a recovery code once: after sign-up, or when the person asks for a new one."""
    person = person_of(request)
    if request.method == "GET" and person.recovery_digest:
        return render(request, "accounts/recovery_code.html", {"code": None})
    return render(request, "accounts/recovery_code.html", {"code": services.recovery_code_make(person)})


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def recover(request: HttpRequest) -> HttpResponse:
    """Back in without e-mail: user name, recovery code, new password."""
    form = RecoveryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        # By address, not by name: nobody may lock somebody else out by guessing at their name.
        wait = ratelimit.allowed(f"recover:{request.META.get('REMOTE_ADDR', '')}", most=5, per_s=300)
        if wait:
            form.add_error(None, _("Too many tries. Wait five minutes, then try again."))
        else:
            try:
                _person, code = services.password_recover(
                    username=form.cleaned_data["username"],
                    code=form.cleaned_data["code"],
                    password=form.cleaned_data["password"],
                )
            except services.RecoveryFailed:
                form.add_error(None, _("That name and code don't belong together. Check both and try again."))
            else:
                return render(request, "accounts/recovery_code.html", {"code": code, "recovered": True})
    return render(request, "accounts/recover.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def recover_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Back in by the operator's one-use link."""
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _person, code = services.recovery_link_use(secret=secret, password=form.cleaned_data["password"])
        except services.RecoveryFailed:
            form.add_error(None, _("This link was used already, or is too old. Ask for a new one."))
        else:
            return render(request, "accounts/recovery_code.html", {"code": code, "recovered": True})
    return render(request, "accounts/recover.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def deal(request: HttpRequest) -> HttpResponse:
    """The deal, before anything is confided: read once, confirmed by a tap."""
    person = person_of(request)
    if person.role != Role.TEEN:
        return redirect(settings.LOGIN_REDIRECT_URL)
    if request.method == "POST":
        services.deal_confirm(person)
        return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "accounts/deal.html")
