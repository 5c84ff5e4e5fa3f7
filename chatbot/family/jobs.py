"""Asking guardians, and the sweeps that find what was lost."""

from __future__ import annotations

import uuid

from chatbot.accounts.guardianship import links_outgrown
from chatbot.core.jobs import job, run_job, sweep
from chatbot.family import alerts
from moderation.incidents.adults import adults_waiting

ALERT = "family.alert"


@job(ALERT)
def alert(incident_id: str) -> None:
    """Ask the guardian of whom an incident is about."""
    alerts.alert_make(uuid.UUID(incident_id))


@job("family.mail")
def mail(alert_id: str) -> None:
    """Send the mail of one alert."""
    alerts.mail_send(uuid.UUID(alert_id))


@sweep(ALERT, every_s=15)
def alerts_lost() -> int:
    """Ask where the job was lost, or where the line that tells the teen did not come."""
    lost = adults_waiting(older_than=alerts.LINE_WAITS)
    for incident_id in lost:
        run_job(ALERT, str(incident_id))
    return len(lost)


@sweep("family.mail", every_s=60)
def mails_lost() -> int:
    """Send mails whose job was lost, or failed."""
    lost = alerts.mails_waiting()
    for alert_id in lost:
        run_job("family.mail", str(alert_id))
    return len(lost)


@sweep("family.outgrown", every_s=6 * 3600)
def outgrown() -> int:
    """End the links of those who are 18."""
    return links_outgrown()
