"""Sign-up, recovery. The age screen is neutral: it asks month and year, and nothing on it hints at a limit (R18)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from chatbot.accounts import bands, services
from chatbot.accounts.countries import REGIONS, country_choices, region_choices
from chatbot.accounts.models import User
from chatbot.core import clock

PROFILE_LANGUAGES = {"en": "en", "pt-br": "pt-BR", "es": "es", "fr": "fr"}


def zone_choices(here: str = "UTC") -> list[tuple[str, str]]:
    """Time zones by the names that people know. `here`: the one that is set, which stays even under an older name, so
    that saving other things doesn't change it."""
    names = clock.zones_current()
    own = [] if here == "UTC" or here in names or here not in clock.zones() else [here]
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in (*own, *names))]


class SignupForm(forms.Form):
    """What sign-up asks beside a user name and a password (allauth adds those two)."""

    birth_month = forms.IntegerField(label=_("Month you were born"), min_value=1, max_value=12)
    birth_year = forms.IntegerField(label=_("Year you were born"), min_value=1900, max_value=2200)
    country = forms.ChoiceField(label=_("Where you live"), choices=country_choices)
    region = forms.ChoiceField(label=_("Which part"), choices=region_choices, required=False)
    language = forms.ChoiceField(label=_("Language to chat in"), choices=settings.LANGUAGES, initial=get_language)
    time_zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    age: bands.AgeBand | None = None
    too_young = False

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"]
        if settings.SIGNUP_SCREEN and not import_string(settings.SIGNUP_SCREEN)(country):
            raise forms.ValidationError(
                _(
                    "Whoever runs this place hasn't checked the helplines for your country yet. "
                    "Till then the chat is shut."
                )
            )
        return country

    def clean_region(self) -> str:
        region: str = self.cleaned_data["region"]
        if region and not region.startswith(self.data.get("country", "") + "-"):
            raise forms.ValidationError(_("That part isn't in the country you chose."))
        return region if region in REGIONS else ""

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        return name if name in clock.zones() else "UTC"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        month, year = cleaned.pop("birth_month", None), cleaned.pop("birth_year", None)
        if month is not None and year is not None:
            try:
                self.age = bands.band_from_birth(month=month, year=year, today=clock.now().date())
            except bands.ImpossibleMonth:
                self.add_error("birth_year", _("That month doesn't exist yet, or is too long ago. Check the year?"))
            except bands.TooYoung:
                self.too_young = True
                raise forms.ValidationError("") from None
        return cleaned

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth once the account is there."""
        if self.age is None:  # a form that was never cleaned must not make an account without a band
            raise services.RecoveryFailed
        services.person_place(
            user,
            age=self.age,
            country=self.cleaned_data["country"],
            region=self.cleaned_data["region"],
            time_zone=self.cleaned_data["time_zone"],
            language=PROFILE_LANGUAGES[self.cleaned_data["language"]],
        ).save()


class RecoveryForm(forms.Form):
    """Back in by the code that was shown at sign-up."""

    username = forms.CharField(label=_("User name"), max_length=150)
    code = forms.CharField(label=_("Recovery code"), max_length=40, widget=forms.TextInput({"autocomplete": "off"}))
    password = forms.CharField(label=_("New password"), widget=forms.PasswordInput({"autocomplete": "new-password"}))

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class NewPasswordForm(forms.Form):
    """Back in by the operator's one-use link."""

    password = forms.CharField(label=_("New password"), widget=forms.PasswordInput({"autocomplete": "new-password"}))

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class UnlockForm(forms.Form):
    """The password once more, after "leave quickly"."""

    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
