"""What allauth asks the house: which names are fine, and where to go next."""

from __future__ import annotations

import time
import uuid

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chatbot.accounts.context import home_of
from chatbot.accounts.models import User
from chatbot.accounts.sign_up_rules import NAME_TAKEN, SIGN_IN_FAILED

# In the visit's own store: "leave quickly" was tapped, and the password was not given since.
LOCK = "locked"


def name_check(name: str) -> None:
    """Raises ValidationError for a name that is an insult. The check itself is the safety layer's, by setting."""
    if settings.NAME_SCREEN and not import_string(settings.NAME_SCREEN)(name):
        raise ValidationError(_("Let's find a kinder name than that one."))


def sign_out_tell(person_id: uuid.UUID) -> None:
    """Somebody's sign-in ended somewhere: open chats of theirs look again. Who listens stands above, so by setting."""
    if settings.SIGN_OUT_TELLS:
        import_string(settings.SIGN_OUT_TELLS)(person_id)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_taken": NAME_TAKEN,
        "username_blacklisted": NAME_TAKEN,
        "username_password_mismatch": SIGN_IN_FAILED,
        "too_many_login_attempts": gettext_lazy("Too many tries. Wait five minutes, then try again."),
        "rate_limited": gettext_lazy("Too many tries. Wait five minutes, then try again."),
    }

    def clean_username(self, username: str, shallow: bool = False) -> str:
        cleaned: str = super().clean_username(username, shallow=shallow)
        name_check(cleaned)
        return cleaned

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return home_of(request.user) if isinstance(request.user, User) else settings.LOGIN_REDIRECT_URL

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:recovery_code")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("me:index")

    def is_reauthentication_required(self, *, app: str, **kwargs: object) -> bool:
        """Not for five minutes after the password was given, at sign-in too: allauth counts only those times at which
        it was asked for again, so that whoever came to set up a second key gave it twice in a row."""
        required: bool = super().is_reauthentication_required(app=app, **kwargs)
        return required and not self._password_given_lately()

    def _password_given_lately(self) -> bool:
        given = get_authentication_records(self.request, self.request.user)
        since = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
        return any(one["method"] == "password" and one["at"] > since for one in given)

    def add_message(self, *args: object, **kwargs: object) -> None:
        """The pages say what happened themselves."""
