"""What a user name and a password have to be, in words that say what to do."""

from __future__ import annotations

from django.contrib.auth import password_validation
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.validators import MaxLengthValidator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

NAME_LENGTH = 150
USER_NAME = [
    UnicodeUsernameValidator(message=gettext_lazy("Letters, numbers and . _ - + @ only: no spaces, no emoji.")),
    MaxLengthValidator(NAME_LENGTH),
]
NAME_TAKEN: Promise | str = gettext_lazy("Somebody has that name already. Add a number, or think of an odder one.")
SIGN_IN_FAILED: Promise | str = gettext_lazy(
    "That name and that password don't go together. Have another look at both; capital letters count in the password."
)


class LongEnough(password_validation.MinimumLengthValidator):
    def get_error_message(self) -> str:
        return ngettext(
            "A bit short: it takes %(min_length)d character or more.",
            "A bit short: it takes %(min_length)d characters or more.",
            self.min_length,
        ) % {"min_length": self.min_length}


class NotCommon(password_validation.CommonPasswordValidator):
    def get_error_message(self) -> str:
        return _("Too many people use that one, so it's the first that gets guessed. Try three odd words.")


class NotOnlyNumbers(password_validation.NumericPasswordValidator):
    def get_error_message(self) -> str:
        return _("Only numbers are quick to guess. Put some letters in.")


class NotTheName(password_validation.UserAttributeSimilarityValidator):
    def get_error_message(self) -> str:
        return _("That's too close to your user name. Pick something that has nothing to do with it.")
