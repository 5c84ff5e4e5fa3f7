"""A code of the app works once, by the database: allauth remembers used ones in the cache, which may be flushed."""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator

from chatbot.accounts.second_factor import PERIOD_S, code_spend


class _Once:
    """After allauth found the code right."""

    authenticator: Authenticator

    def clean_code(self) -> str:
        step = int(time.time()) // PERIOD_S
        code: str = super().clean_code()  # type: ignore[misc]  # a mixin
        if self.authenticator.type == Authenticator.Type.TOTP and not code_spend(self.authenticator, step):
            refusal: Any = get_adapter().validation_error("incorrect_code")
            raise refusal
        return code


class CodeForm(_Once, AuthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """At sign-in."""


class CodeAgainForm(_Once, ReauthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """While signed in."""
