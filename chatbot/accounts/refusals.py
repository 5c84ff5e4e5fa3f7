"""Every no of the gate: a code for programs, a sentence for the person."""

from __future__ import annotations

from datetime import time
from typing import ClassVar, Literal

from django.utils.dateformat import time_format
from django.utils.translation import gettext as _

NoticeKind = Literal["limit", "quiet_hours", "break", "guardian"]


class Refused(Exception):
    """May not. `code` is for programs, the sentence for the person; `notice` is how the chat shows it."""

    code: ClassVar[str] = "not_allowed"
    notice: ClassVar[NoticeKind] = "guardian"

    def sentence(self) -> str:
        return _("That isn't yours to open.")


class SignedOut(Refused):
    code = "signed_out"

    def sentence(self) -> str:
        return _("You're signed out. Sign in again to go on; your draft is kept here.")


class NotATeen(Refused):
    code = "no_chat_here"

    def sentence(self) -> str:
        return _("This account looks after others; it has no chat of its own.")


class Locked(Refused):
    code = "locked"

    def sentence(self) -> str:
        return _("This account is closed for now. A grown-up can write to whoever runs this place. Help is still here.")


class ClosedAndGoing(Locked):
    def sentence(self) -> str:
        return _("This chat is closed, and everything in it is deleted within two days by itself. Help is still here.")


class ErasureBegun(Refused):
    """A guardian's request to delete is being done: nobody takes it back any more."""

    code = "erasure_begun"

    def sentence(self) -> str:
        return _("It's too late to take that back: the account is being deleted already.")


class RegionUnset(Refused):
    code = "region_unset"

    def sentence(self) -> str:
        return _("Whoever runs this place hasn't opened it for your country yet.")


class RegionClosed(Refused):
    code = "region_closed"

    def sentence(self) -> str:
        return _("Where you live, this can't be offered to people under 18. Help is still here.")


class ConsentNeeded(Refused):
    code = "consent_needed"

    def sentence(self) -> str:
        return _("A parent or carer has to say yes before the chat opens.")


class ConsentWithdrawn(Refused):
    code = "consent_withdrawn"

    def sentence(self) -> str:
        return _("A parent or carer has taken back their yes, so the chat is closed. Help is still here.")


class GuardianNeeded(Refused):
    code = "guardian_needed"

    def sentence(self) -> str:
        return _("Where you live, a parent or carer's account has to be linked before the chat opens.")


class NotAGuardian(Refused):
    code = "not_a_guardian"

    def sentence(self) -> str:
        return _("Only a parent's or carer's own account can do that.")


class NotLinked(Refused):
    code = "not_linked"

    def sentence(self) -> str:
        return _("You aren't linked to that account, or not any more. Your family page shows who you're linked to.")


class ClockHeld(Refused):
    code = "clock_held"

    def sentence(self) -> str:
        return _("Quiet hours go by the time zone, so your parent or carer changes it on their page. Ask them to.")


class DealOpen(Refused):
    code = "deal_open"

    def sentence(self) -> str:
        return _("First the deal: read it once and say yes, then we talk.")


class MemoryFrozen(Refused):
    code = "memory_frozen"

    def sentence(self) -> str:
        return _("Memory is off, so nothing can be changed. You can still see everything and delete it.")


class QuietHours(Refused):
    code = "quiet_hours"
    notice = "quiet_hours"

    def __init__(self, until: time) -> None:
        """until: when they end, on the person's own clock."""
        super().__init__(until)
        self.until = until

    def sentence(self) -> str:
        words = _("It's quiet hours. The chat opens again at {time}. Help is still here.")
        return words.format(time=time_format(self.until, "H:i"))


class LimitReached(Refused):
    code = "limit_reached"
    notice = "limit"

    def sentence(self) -> str:
        return _("That's today's time used up. It starts fresh tomorrow. Help is still here.")


class BreakOpen(Refused):
    code = "break"
    notice = "break"

    def sentence(self) -> str:
        return _("Time for a breather. Tap the button when you'd like to go on.")


class RepliesStopped(Refused):
    code = "replies_stopped"
    notice = "limit"

    def sentence(self) -> str:
        return _("Whoever runs this place has paused the chat. Help is still here.")


class NotStaff(Refused):
    code = "not_staff"

    def sentence(self) -> str:
        return _("Only the people who look after this place can open that.")


class SecondFactorUnset(Refused):
    code = "second_factor_unset"

    def sentence(self) -> str:
        return _("Before anything opens here, your account needs a second key: a code from an app on your phone.")


class SecondFactorStale(Refused):
    code = "second_factor_stale"

    def sentence(self) -> str:
        return _("It's been a while. Type the code that your app shows now, then it opens again.")
