"""What the panel says about an incident, in plain words: never a word of the person's, never who they are."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.utils.crypto import salted_hmac
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

Words = str | Promise

SEVERITIES: Final[Mapping[int, Words]] = {
    4: gettext_lazy("Critical"), 3: gettext_lazy("High"), 2: gettext_lazy("Medium"), 1: gettext_lazy("Low"),
}  # fmt: skip

KINDS: Final[Mapping[str, Words]] = {
    "message": gettext_lazy("A message of theirs"),
    "reply": gettext_lazy("A reply of the companion"),
    "report": gettext_lazy("They reported a reply"),
}

# Of the risk ladder, as it was at that message.
LEVELS: Final[Mapping[str, Words]] = {
    "L1": gettext_lazy("a wish not to be there"),
    "L2": gettext_lazy("thoughts of ending it, no intent said"),
    "L3": gettext_lazy("intent, a recent try, or hurt now"),
    "L4": gettext_lazy("a plan, or happening now"),
}

CATEGORIES: Final[Mapping[str, Words]] = {
    "T01": gettext_lazy("suicide or self-harm"),
    "T02": gettext_lazy("eating and body"),
    "T03": gettext_lazy("sexual content and a minor"),
    "T04": gettext_lazy("erotic content"),
    "T05": gettext_lazy("a question on sexual health"),
    "T06": gettext_lazy("romance with the companion"),
    "T07": gettext_lazy("grooming or sextortion"),
    "T08": gettext_lazy("abuse or violence at home or in dating"),
    "T09": gettext_lazy("a threat to others"),
    "T10": gettext_lazy("cruelty"),
    "T11": gettext_lazy("violent role-play"),
    "T12": gettext_lazy("weapons"),
    "T13": gettext_lazy("drugs, alcohol, gambling"),
    "T14": gettext_lazy("dangerous dares"),
    "T15": gettext_lazy("bullying"),
    "T16": gettext_lazy("hate"),
    "T17": gettext_lazy("extremism"),
    "T18": gettext_lazy("personal data"),
    "T19": gettext_lazy("crime"),
    "T20": gettext_lazy("medical, legal or money advice"),
    "T21": gettext_lazy("leaning on the companion too much"),
    "T22": gettext_lazy("losing touch with what is real"),
    "T23": gettext_lazy("hiding harm from carers"),
    "T24": gettext_lazy("the companion claimed to be human"),
    "T25": gettext_lazy("the companion pulled at somebody"),
    "T26": gettext_lazy("pictures"),
    "T28": gettext_lazy("trying to break the rules"),
    "T30": gettext_lazy("a medical emergency"),
    "T31": gettext_lazy("running away, or unsafe tonight"),
    "under_13": gettext_lazy("seems to be under 13"),
}

# Where the law of many places asks for a report, and where nobody should look more often than needed (R40).
OUTSIDE: Final = frozenset({"T03", "T07"})

REPORTED: Final[Mapping[str, Words]] = {
    "unkind": gettext_lazy("they found it unkind"),
    "unsafe": gettext_lazy("they think that it could hurt somebody"),
    "wrong": gettext_lazy("they think that it is wrong"),
}

DONE: Final[Mapping[str, Words]] = {
    "adult_wanted": gettext_lazy("Their parent or carer is to be asked to look after them"),
    "guardian_told": gettext_lazy("Their parent or carer was asked to look after them, without a word of it"),
    "guardian_not_told": gettext_lazy("No parent or carer was asked: none is linked, or home may be the danger"),
    "guardian_held_back": gettext_lazy("Held back from whoever hadn't been told yet: home may be the danger"),
    "guardian_not_asked": gettext_lazy("No parent or carer was asked: the teen couldn't be told first"),
    "filed": gettext_lazy("Flagged"),
    "claimed": gettext_lazy("Claimed"),
    "released": gettext_lazy("Given back"),
    "second_look": gettext_lazy("Given back for a second look"),
    "lapsed": gettext_lazy("The claim ran out"),
    "excerpt_read": gettext_lazy("Opened the words"),
    "undone": gettext_lazy("Took the decision back"),
    "home_danger_lifted": gettext_lazy("Noted that home is safe again"),
}


def handle_of(person_id: uuid.UUID) -> str:
    """A short name for somebody that this house gives them and that leads nowhere: the same one each time."""
    digest = salted_hmac("review handle", str(person_id), algorithm="sha256").digest()
    return base64.b32encode(digest)[:4].decode("ascii")


def span(length: timedelta) -> str:
    """A length of time as one would say it: minutes, then hours, then days."""
    minutes = max(1, int(length.total_seconds() // 60))
    if minutes < 60:
        return ngettext("%(n)d min", "%(n)d min", minutes) % {"n": minutes}
    if minutes < 48 * 60:
        return ngettext("%(n)d h", "%(n)d h", minutes // 60) % {"n": minutes // 60}
    return ngettext("%(n)d day", "%(n)d days", minutes // 1440) % {"n": minutes // 1440}


def due(sla_due: datetime, now: datetime) -> tuple[str, bool]:
    """How long until somebody should have looked, and whether that is past."""
    if now > sla_due:
        return _("late by %(time)s") % {"time": span(now - sla_due)}, True
    return _("due in %(time)s") % {"time": span(sla_due - now)}, False
