"""How an incident can end: data, with the words that staff choose by. A legal hold is not one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

OUTCOMES: Final[Mapping[str, str | Promise]] = {
    "talked_to": _("Somebody talked with them"),
    "handed_on": _("Handed on to somebody who can do more"),
    "reported": _("Reported to an authority outside this house"),
    "no_action": _("True, and nothing more to do"),
    "false_alarm": _("False alarm"),
}
REASON_SHORTEST, REASON_LONGEST = 10, 500
