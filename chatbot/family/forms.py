"""What a guardian and a teen type here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chatbot.accounts.forms import zone_choices
from chatbot.accounts.guardian_limits import STAY_ON
from chatbot.chat.skill_list import Listed, skills_listed
from chatbot.core import clock


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.EMAIL_URL:  # nothing would ever be sent there
            del self.fields["email"]

    def clean_username(self) -> str:
        name: str = get_adapter().clean_username(self.cleaned_data["username"].strip())
        return name

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        return name if name in clock.zones() else "UTC"


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


@dataclass(frozen=True)
class SkillRow:
    """One skill of the fieldset: whether its box is ticked, and why it can't be changed here, if it can't."""

    skill: Listed
    ticked: bool
    stays_on: bool
    off_here: bool


class SkillsField(forms.MultipleChoiceField):
    """Names of skills that a guardian may switch."""

    default_error_messages = {
        "invalid_choice": _("There is no game or skill of that name to switch here. Nothing was changed."),
        "invalid_list": _("There is no game or skill of that name to switch here. Nothing was changed."),
    }

    def __init__(self) -> None:
        super().__init__(required=False, choices=_switchable)


def _switchable() -> list[tuple[str, str]]:
    return [(skill.name, skill.title) for skill in skills_listed() if skill.name not in STAY_ON]


class LimitsForm(forms.Form):
    """What holds for one teen. The bounds are the gate's; times are in the teen's time zone.

    Skills have a box each that says "on". `skills_shown` names those that had a box: one that came into the house since
    is not switched off by having none.
    """

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
        label=_("Time zone"),
        choices=zone_choices,
        help_text=_("Quiet hours and days go by it. Your teen can't change it."),
    )
    skills_on = SkillsField()
    skills_shown = SkillsField()

    def __init__(
        self, *args: Any, bounds: tuple[int, int], young: bool, skills_off: frozenset[str], **kwargs: Any
    ) -> None:
        """young: quiet hours have to be set. skills_off: those that are off for this teen so far."""
        super().__init__(*args, **kwargs)
        self._skills_off, self.young = skills_off, young
        least, most = bounds
        field = self.fields["time_zone"]
        if isinstance(field, forms.ChoiceField):
            field.choices = zone_choices(self.initial.get("time_zone", "UTC"))
        self.fields["minutes"].help_text = _("%(least)d to %(most)d at this age.") % {"least": least, "most": most}
        self.fields["minutes"].widget.attrs.update({"inputmode": "numeric", "min": least, "max": most})

    def skill_rows(self) -> Iterator[SkillRow]:
        """The fieldset, as it was sent or as it stands. Help comes last."""
        rows = sorted(skills_listed(), key=lambda skill: skill.name in STAY_ON)
        sent = self["skills_on"].data if self.is_bound and self["skills_shown"].data else None
        for skill in rows:
            stays, off_here = skill.name in STAY_ON, skill.name in settings.SKILLS_OFF
            on = skill.name not in self._skills_off if sent is None else skill.name in sent
            yield SkillRow(skill, not off_here and (stays or on), stays, off_here)

    def skills_off_now(self) -> int:
        """How many the guardian has switched off, as the fieldset stands."""
        return sum(not (row.ticked or row.off_here) for row in self.skill_rows())

    def skills_off(self) -> frozenset[str]:
        """Which are to be off. Of a valid form."""
        shown, on = (frozenset(self.cleaned_data[name]) for name in ("skills_shown", "skills_on"))
        return (self._skills_off - shown) | (shown - on)


class MailForm(forms.Form):
    """Where a guardian wants the note to go."""

    email = forms.EmailField(
        label=_("E-mail for the note"), required=False, widget=forms.EmailInput({"autocomplete": "email"})
    )
