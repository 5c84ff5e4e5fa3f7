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
    "excerpt_read": _("%(who)s opened a message of yours that was flagged, and read it."),
    "incident_claimed": _("%(who)s took on something of yours that was flagged."),
    "incident_released": _("%(who)s gave something of yours that was flagged back for others to look at."),
    "incident_decided": _("%(who)s closed something of yours that was flagged."),
    "incident_reopened": _("%(who)s opened something of yours that was flagged again."),
    "report_answered": _("A reply that you reported was looked at."),
    "report_answered:talked_to": _("A reply that you reported was looked at. It was talked over with you."),
    "report_answered:handed_on": _("A reply that you reported was looked at, and handed on to be changed. Thank you."),
    "report_answered:reported": _("A reply that you reported was looked at, and reported to others. Thank you."),
    "report_answered:no_action": _("A reply that you reported was looked at. You were right to say so. Thank you."),
    "report_answered:false_alarm": _("A reply that you reported was looked at, and it may stay. Thank you even so."),
    "second_factor_set": _("You set up a second key for signing in."),
    "second_factor_codes_made": _("You got new recovery codes for your second key."),
    "second_factor_code_used": _("You signed in with one of your recovery codes."),
    "second_factor_reset": _("Whoever runs this place took your second key away, so that you set up a new one."),
    "recovery_link_made": _("Whoever runs this place made a link to set a new password for you."),
    "recovery_code_made": _("You got a new recovery code."),
    "password_recovered": _("Your password was set anew with a code or a link."),
    "consent_given": _("Somebody who may said yes to your chatting here."),
    "consent_withdrawn": _("That yes was taken back."),
    "guardian_linked": _("A parent or carer was linked to your account."),
    "guardian_left": _("A parent or carer who was linked to you deleted their account."),
    "link_code_made": _("You made a code to link your account with."),
    "guardian_account_made": _("You made this account."),
    "guardian_asked": _("A link with a parent or carer was asked for."),
    "guardian_declined": _("A link with a parent or carer was declined."),
    "guardian_end_asked": _("You asked to end the link with a parent or carer."),
    "guardian_unlinked": _("A parent or carer is no longer linked to your account."),
    "guardian_alerted": _("A parent or carer was asked to look after you, not in your words."),
    "limits_set": _("A parent or carer changed your limits."),
    "erasure_asked_by_guardian": _("A parent or carer asked to delete your account."),
    "erasure_taken_back": _("A parent or carer took back that your account be deleted."),
    "account_locked": _("Your account was closed, because you seemed to be under 13."),
    "account_unlocked": _("Your account was opened again."),
    "memory_paused": _("You paused memory."),
    "memory_resumed": _("You turned memory on again."),
    "time_zone_moved": _("A parent or carer changed your time zone."),
    "time_zone_changed": _("You changed your time zone."),
    "erasure_asked": _("You deleted your account."),
    "export_asked": _("You asked for a copy of everything."),
    "export_fetched": _("Your copy of everything was fetched."),
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
    words = _WORDS.get(f"{entry.action}:{entry.detail.get('outcome', '')}") or _WORDS.get(entry.action)
    what = str(words or _("Recorded: %(action)s") % {"action": entry.action.replace("_", " ")})
    what = what.replace("%(who)s", _who(entry))
    reason = entry.detail.get("reason", "") if entry.actor not in ("house", "self") else ""
    return Look(at=entry.at, what=what, reason=str(reason), private=entry.action in LOOKED)


def _who(entry: AuditEntry) -> str:
    """Staff by role and name: whoever looks at something of somebody's does it under their own name."""
    role = str(_("Somebody who runs this place") if entry.actor == "operator" else _("A moderator"))
    name = entry.detail.get("by", "")
    return f"{role} ({name})" if name else role
