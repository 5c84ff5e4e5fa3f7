"""What has to happen over and over for incidents and helplines, in whichever process serves."""

from __future__ import annotations

from chatbot.core.jobs import sweep
from moderation.incidents import services


@sweep("incidents.expire", every_s=3600)
def expire() -> int:
    """Delete decided incidents after their 30 days."""
    return services.incidents_expire()


@sweep("incidents.helplines", every_s=60)
def helplines_checked() -> int:
    """Bring the cards up to date with checks that another process recorded. Number of lines that were checked."""
    return services.helplines_refresh()
