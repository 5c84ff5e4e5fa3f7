"""Two small forms: where and in which language, and the password before everything goes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chatbot.accounts.forms import zone_choices
from chatbot.accounts.models import User


class PlaceForm(forms.Form):
    """The language to chat in, and the clock that quiet hours go by."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)

    def __init__(self, *args: Any, clock_held: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["time_zone"]
        if isinstance(field, forms.ChoiceField):
            field.choices = zone_choices(self.initial.get("time_zone", "UTC"))
        if clock_held:  # what is sent for a disabled field is not looked at: the clock stays
            self.fields["time_zone"].disabled = True
            self.fields["time_zone"].help_text = _("Your limits go by it, so your parent or carer sets it.")


class DeleteForm(forms.Form):
    """The second tap. Somebody without a password, whom nothing asks for one, types the name instead."""

    password = forms.CharField(
        label=_("Your password"), strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
    username = forms.CharField(label=_("Your user name"), widget=forms.TextInput({"autocomplete": "off"}))

    def __init__(self, data: Any = None, *, person: User) -> None:
        super().__init__(data)
        self.person = person
        del self.fields["username" if person.has_usable_password() else "password"]

    def right(self) -> bool:
        """Whether what was typed is this account's. Otherwise the field says so."""
        if self.person.has_usable_password():
            if self.person.check_password(self.cleaned_data["password"]):
                return True
            self.add_error("password", _("That isn't the password of this account. Nothing was deleted."))
        else:
            if self.cleaned_data["username"].casefold() == self.person.username.casefold():
                return True
            self.add_error("username", _("That isn't the user name of this account. Nothing was deleted."))
        return False
