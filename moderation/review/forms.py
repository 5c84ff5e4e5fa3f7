"""What a moderator writes: why. It is about somebody, so it is sealed with their key, and short."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from moderation.incidents.outcomes import OUTCOMES, REASON_LONGEST, REASON_SHORTEST

Words = Any  # text that waits for its language: the type of it is the framework's own


def _reason(label: Words, hint: Words) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        min_length=REASON_SHORTEST,
        max_length=REASON_LONGEST,
        widget=forms.Textarea({"rows": 3}),
        error_messages={
            "required": _("Say why, in a sentence or two."),
            "min_length": _("A little more: a sentence that a colleague understands in a year."),
        },
    )


class DecideForm(forms.Form):
    outcome = forms.ChoiceField(label=_("What came of it"), choices=[("", _("Choose")), *OUTCOMES.items()])
    reason = _reason(_("Why"), _("What you did, and why that was right. Without names and without their words."))


class ReleaseForm(forms.Form):
    reason = _reason(_("Why you give it back"), _("For whoever takes it next."))
    second_look = forms.BooleanField(label=_("Somebody else should look at this"), required=False)


class HomeForm(forms.Form):
    reason = _reason(_("How you know that home is safe"), _("Who said so, and when."))
