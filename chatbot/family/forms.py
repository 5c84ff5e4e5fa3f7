"""What a guardian and a teen type here."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from allauth.account.adapter import get_adapter
from django import forms
from django.utils.translation import gettext_lazy as _


def _zones() -> list[tuple[str, str]]:
    """Places by name, as people know them; the abbreviations are left out."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class GuardianForm(forms.Form):
    """A parent's or carer's own account."""

    username = forms.CharField(
        label=_("User name"),
        min_length=3,
        max_length=150,
        help_text=_("Your teen sees it, so take one that they know you by."),
        widget=forms.TextInput({"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("8 characters or more. Three odd words in a row are easy to keep."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    email = forms.EmailField(
        label=_("E-mail, if you like"),
        required=False,
        help_text=_("Only for a note that there is something to look at. Never a word of a chat."),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )
    adult = forms.BooleanField(label=_("I'm an adult, and the parent or carer of the teen I'm going to link."))
    time_zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean_username(self) -> str:
        name: str = get_adapter().clean_username(self.cleaned_data["username"].strip())
        return name

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        return name if name in available_timezones() else "UTC"


class CodeForm(forms.Form):
    """A one-time code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        help_text=_("8 letters and digits, like ABCD-2345. Capitals or not, both are fine."),
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class AgreeForm(forms.Form):
    """The guardian's yes."""

    agree = forms.BooleanField(
        label=_("I've read this, and I agree that my teen chats with this companion."),
        error_messages={"required": _("Your yes is needed: tick the box, or go back.")},
    )


class LimitsForm(forms.Form):
    """What holds for one teen. The bounds are the gate's; times are in the teen's time zone."""

    quiet_from = forms.TimeField(
        label=_("Quiet hours begin"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    quiet_to = forms.TimeField(
        label=_("Quiet hours end"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    minutes = forms.IntegerField(label=_("Minutes a day"), min_value=0, max_value=24 * 60)
    memory_off = forms.BooleanField(
        label=_("Memory off: nothing new is remembered about them, and nothing old is used."), required=False
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=_zones, help_text=_("Quiet hours and days go by it. Your teen can't change it.")
    )

    def __init__(self, *args: Any, bounds: tuple[int, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        least, most = bounds
        here = self.initial.get("time_zone", "UTC")
        field = self.fields["time_zone"]
        if isinstance(field, forms.ChoiceField) and here not in dict(_zones()):
            field.choices = [(here, here), *_zones()]  # under an older name: saving other things doesn't change it
        self.fields["minutes"].help_text = _("%(least)d to %(most)d at this age.") % {"least": least, "most": most}
        self.fields["minutes"].widget.attrs.update({"inputmode": "numeric", "min": least, "max": most})


class MailForm(forms.Form):
    """Where a guardian wants the note to go."""

    email = forms.EmailField(
        label=_("E-mail for the note"), required=False, widget=forms.EmailInput({"autocomplete": "email"})
    )
