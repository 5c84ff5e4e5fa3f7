"""Asking a guardian to look after their teen: without a word of the chat, after the teen was told, once an incident."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.mail import send_mail
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from chatbot.accounts import gate
from chatbot.accounts.guardianship import links_of
from chatbot.accounts.models import AlertKind, GuardianAlert, User
from chatbot.accounts.oversight import alert_file, alert_mailed, alert_unhold
from chatbot.chat.selectors import adult_line_coming
from chatbot.core import clock
from chatbot.core.jobs import enqueue_after_commit
from moderation.incidents import services as incidents
from moderation.incidents.adults import adult_done, adult_told_after_all, adult_wanted_by

# The teen hears of it first, but nobody waits longer for that: a sweep comes every quarter of a minute.
LINE_WAITS = timedelta(seconds=45)
# What comes while an alert lies there unseen is the same call for help, and makes no second one.
SAME_CALL = timedelta(hours=1)
MAIL_TRIED = timedelta(hours=6)
# Longer than a mail server may keep a sender waiting, step by step (EMAIL_TIMEOUT).
MAIL_CLAIMED_S = 300


def alert_make(incident_id: uuid.UUID) -> int:
    """Ask those who are linked, or nobody where home may be the danger: staff have it. Number asked.

    0 as well when it is too early, or was done before. Raises CryptoError where the watch does not open: then nobody
    is asked yet, since home might be the danger, and the sweep tries again.
    """
    wanted = adult_wanted_by(incident_id)
    if wanted is None:
        return 0
    early = clock.now() - wanted.at < LINE_WAITS
    if early and wanted.turn_id is not None and adult_line_coming(wanted.turn_id):
        return 0
    with transaction.atomic():
        # DANGER: with the watch held still: what is filed while home becomes the danger, nobody else would hold back.
        held = incidents.watch_hold(wanted.person_id).home_danger
        asked = _file(wanted.person_id, wanted.id, AlertKind(wanted.kind), held=held)
        adult_done(wanted.id, told=asked > 0)
    return asked


def _file(teen_id: uuid.UUID, incident_id: uuid.UUID, kind: AlertKind, *, held: bool) -> int:
    teen = User.objects.filter(id=teen_id, is_active=True).first()
    if teen is None:
        return 0
    now, asked = clock.now(), 0
    for link in links_of(teen):
        try:
            gate.may_oversee(link.guardian, teen.id, now=now)
        except gate.Refused:
            continue
        same = link.alerts.filter(held=False, seen_at=None, kind=kind, at__gt=now - SAME_CALL)
        if not held and same.exists():
            asked += 1
        elif alert_file(link, incident_id=incident_id, kind=kind, held=held, at=now):
            asked += 1
            _mail_after_commit(link.alerts.get(incident_id=incident_id))
    return asked


def _mail_after_commit(alert: GuardianAlert) -> None:
    if settings.EMAIL_URL and alert.link.guardian.email:
        enqueue_after_commit("family.mail", str(alert.id))


def mail_send(alert_id: uuid.UUID) -> bool:
    """One mail an alert. It says that there is something to look at, and where: no name, no kind, no time."""
    claim = f"family:mail:{alert_id}"
    # Of two workers one writes. The row says nothing of a mail under way: only who was told is told (4.9).
    if not settings.EMAIL_URL or not cache.add(claim, 1, timeout=MAIL_CLAIMED_S):
        return False
    try:
        waits = GuardianAlert.objects.filter(id=alert_id, held=False, seen_at=None, mailed_at=None)
        alert = waits.select_related("link__guardian").first()
        if alert is None or not alert.link.guardian.email:
            return False
        _send(alert.link.guardian)
        _sent(alert)
    finally:
        cache.delete(claim)
    return True


def _sent(alert: GuardianAlert) -> None:
    with transaction.atomic():
        if alert_unhold(alert):
            adult_told_after_all(alert.incident_id)
        alert_mailed(alert, now=clock.now())


def _send(guardian: User) -> None:
    with translation.override(guardian.language.lower()):
        where = f"{settings.HOUSE_URL}/family/" if settings.HOUSE_URL else _("your family page")
        body = _("There is something for you to look at. Please open it now: %(where)s") % {"where": where}
        send_mail(_("Abraço: please have a look"), body, None, [guardian.email])


def mails_waiting() -> list[uuid.UUID]:
    """Alerts of the last hours whose mail was lost, or could not be sent."""
    if not settings.EMAIL_URL:
        return []
    late = GuardianAlert.objects.filter(held=False, seen_at=None, mailed_at=None, at__gt=clock.now() - MAIL_TRIED)
    return list(late.exclude(link__guardian__email="").order_by("at").values_list("id", flat=True))
