"""The second factor's pages: allauth's own behind the house's gate, and only those that a house needs."""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from chatbot.accounts import gate, second_factor
from chatbot.accounts.context import home_of
from chatbot.accounts.views import person_of, refused
from chatbot.core.audit import audit_record

_CLOSED = (never_cache, sensitive_post_parameters())


class _StaffOnly:
    """Nobody else needs a second factor here, and so nobody else can lock themself out with one."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            gate.may_have_second_factor(person_of(request))
        except gate.Refused as error:
            return refused(request, error)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # a mixin
        return response


class _CodeGiven(_StaffOnly):
    """DANGER: recovery codes open what the app opens. The password alone must not make them where there is an app."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            second_factor.may_review(request, person_of(request))
        except gate.SecondFactorUnset:
            return redirect("mfa_activate_totp")
        except gate.SecondFactorStale:
            return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': request.path})}")
        except gate.Refused as error:
            return refused(request, error)
        return super().dispatch(request, *args, **kwargs)


def _code_in_our_words(form: Any, label: str) -> Any:
    if form is not None and "code" in form.fields:
        field = form.fields["code"]
        field.label = label
        field.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
    return form


@method_decorator([login_required, *_CLOSED], name="dispatch")
class SetUpView(_StaffOnly, ActivateTOTPView):  # type: ignore[misc]  # allauth ships no types
    """The key as a picture and as letters, and a first code that shows that the app has it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and second_factor.is_set(person_of(request)):
            return redirect("mfa_view_recovery_codes")
        return super().dispatch(request, *args, **kwargs)

    def get_form(self, form_class: Any = None) -> Any:
        return _code_in_our_words(super().get_form(form_class), _("The code that your app shows"))

    def form_valid(self, form: Any) -> HttpResponse:
        person = person_of(self.request)
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            audit_record(actor="self", subject=person.id, action="second_factor_set")
        second_factor.passed_note(self.request, person)
        # The code that set it up signs nobody in a second time.
        for row in second_factor.apps_of(person):
            second_factor.code_spend(row, int(time.time()) // second_factor.PERIOD_S)
        return response

    def get_success_url(self) -> str:
        return reverse("mfa_view_recovery_codes")


@method_decorator([login_required, *_CLOSED], name="dispatch")
class CodesView(_CodeGiven, ViewRecoveryCodesView):  # type: ignore[misc]  # allauth ships no types
    """Recovery codes, shown once."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "go_on": home_of(person_of(self.request))}


@method_decorator([login_required, *_CLOSED], name="dispatch")
class NewCodesView(_CodeGiven, GenerateRecoveryCodesView):  # type: ignore[misc]  # allauth ships no types
    """New recovery codes; the old ones stop working."""

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            audit_record(actor="self", subject=person_of(self.request).id, action="second_factor_codes_made")
        return response


@method_decorator(_CLOSED, name="dispatch")
class CodeView(AuthenticateView):  # type: ignore[misc]  # allauth ships no types
    """The code at sign-in, after the password."""

    def _build_forms(self) -> Any:
        posted = super()._build_forms()
        _code_in_our_words(self.auth_form, _("Code"))
        return posted

    def form_invalid(self, form: object) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        response.status_code = 400
        return response


@method_decorator([login_required, *_CLOSED], name="dispatch")
class CodeAgainView(_StaffOnly, ReauthenticateView):  # type: ignore[misc]  # allauth ships no types
    """The code once more: twelve hours have passed, or this sign-in is older than the second factor."""

    def get_form(self, form_class: Any = None) -> Any:
        return _code_in_our_words(super().get_form(form_class), _("Code"))
