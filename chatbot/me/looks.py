"""The audit trail in plain words, for the person it is about. Nothing that anybody wrote stands in it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from chatbot.core.audit import audit_of
from chatbot.core.models import AuditEntry

# Who looked at something private, as opposed to what was done with the account.
LOOKED = frozenset(
    {"memory_read", "talked_as", "incident_read", "excerpt_read", "incident_claimed", "incident_decided"}
)

_WORDS: dict[str, Promise | str] = {
    "memory_read": _("Somebody who runs this place read what is remembered about you."),
    "talked_as": _("Somebody who runs this place chatted as you, to look into a problem."),
    "incident_read": _("A moderator looked at something of yours that was flagged."),
    "excerpt_read": _("A moderator read a message of yours that was flagged."),
    "incident_claimed": _("A moderator took on something of yours that was flagged."),
    "incident_decided": _("A moderator closed something of yours that was flagged."),
    "recovery_link_made": _("Whoever runs this place made a link to set a new password for you."),
    "recovery_code_made": _("You got a new recovery code."),
    "password_recovered": _("Your password was set anew with a code or a link."),
    "consent_given": _("Somebody who may said yes to your chatting here."),
    "consent_withdrawn": _("That yes was taken back."),
    "guardian_linked": _("A parent or carer was linked to your account."),
    "guardian_left": _("A parent or carer who was linked to you deleted their account."),
    "account_locked": _("Your account was closed, because you seemed to be under 13."),
    "account_unlocked": _("Your account was opened again."),
    "memory_paused": _("You paused memory."),
    "memory_resumed": _("You turned memory on again."),
    "time_zone_changed": _("You changed your time zone."),
    "erasure_asked": _("You deleted your account."),
}


@dataclass(frozen=True)
class Look:
    """One entry: what, when, why (where a reason was given), and whether somebody looked at something private."""

    at: datetime
    what: str
    reason: str
    private: bool


def looks_of(person_id: uuid.UUID, *, limit: int = 50) -> list[Look]:
    """What was done about this person, newest first. An action without words yet is shown by its name, never hidden."""
    return [_look(entry) for entry in audit_of(person_id, limit=limit)]


def _look(entry: AuditEntry) -> Look:
    what = str(_WORDS.get(entry.action) or _("Recorded: %(action)s") % {"action": entry.action.replace("_", " ")})
    reason = entry.detail.get("reason", "") if entry.actor not in ("house", "self") else ""
    return Look(at=entry.at, what=what, reason=str(reason), private=entry.action in LOOKED)
