"""What has to happen over and over for incidents and helplines, in whichever process serves."""

from __future__ import annotations

from chatbot.core.jobs import sweep
from moderation.incidents import services


@sweep("incidents.expire", every_s=3600)
def expire() -> int:
    """Delete decided incidents after their 30 days."""
    return services.incidents_expire()


@sweep("incidents.helplines", every_s=60, everywhere=True)
def helplines_checked() -> int:
    """Bring the cards up to date with checks that another process recorded. Number of lines that were checked."""
    return services.helplines_refresh()


@sweep("incidents.claims", every_s=60)
def claims_lapse() -> int:
    """Free the claims that ran out."""
    return services.claims_lapse()


@sweep("incidents.answers", every_s=60)
def reports_answer() -> int:
    """Tell who reported something what came of it, once that stands."""
    return services.reports_answer()
