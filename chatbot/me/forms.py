"""Two small forms: where and in which language, and the password before everything goes."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _


def _zones() -> list[tuple[str, str]]:
    """Places by name, as people know them; the abbreviations are left out."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class PlaceForm(forms.Form):
    """The language to chat in, and the clock that quiet hours go by."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=_zones)


class DeleteForm(forms.Form):
    """The second tap."""

    password = forms.CharField(
        label=_("Your password"), strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
