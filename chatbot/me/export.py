"""Everything that is kept about a person, for themself only (R30): small facts at once, chats as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from chatbot.accounts import gate
from chatbot.accounts.devices import devices_of
from chatbot.accounts.erasure import erasure_of
from chatbot.accounts.models import Role, TimeLimits, User
from chatbot.accounts.oversight import GuardianView
from chatbot.chat.archive import Said, Talk, said_in, talks_of
from chatbot.chat.material import language_of
from chatbot.core import clock
from chatbot.me.looks import looks_of
from chatbot.me.mirror import alerts_about, teens_seen
from companion.memory.services import memory_list
from companion.memory.summaries import summary_list
from companion.play import services as play
from companion.profile.services import companion_for
from moderation.incidents.selectors import filed_about

MOST = 10_000


@dataclass(frozen=True)
class Copy:
    """What there is: `facts` by name, and every conversation with what was said in it."""

    facts: dict[str, Any]
    talks: Iterator[tuple[Talk, Iterator[Said]]]


def everything(person: User) -> Copy:
    """A teen's: all of it. A guardian's: the account, and what their panel shows. Staff's: the account (R30)."""
    now = clock.now()
    facts = _account(person, now)
    if person.role == Role.GUARDIAN:
        facts["teens"] = [_seen(view) for view in teens_seen(person, now=now)]
    if person.role != Role.TEEN:
        return Copy(facts, iter(()))
    facts |= _teen(person, now)
    return Copy(facts, ((talk, said_in(person, talk.id)) for talk in talks_of(person)))


def talk_rows(person: User) -> list[dict[str, Any]]:
    """What is kept of each talk, in the person's own sentences, as both files have it."""
    views = summary_list(owner_id=person.id)
    return [{"said": one.said, "since": one.since, "until": one.until} for one in views]


def _seen(view: GuardianView) -> dict[str, Any]:
    """What the panel shows, without how it is drawn."""
    return {
        "teen": view.teen, "linked_since": view.since, "consent": view.consent, "chat_open": view.chat_open,
        "limits": asdict(view.limits),
        "days": [{"day": one.day, "minutes": one.minutes} for one in view.days],
        "alerts": [{"kind": one.kind, "at": one.at, "seen_at": one.seen_at} for one in view.alerts],
        "end_asked_at": view.end_asked_at, "is_deleted_on": view.erasure_due,
    }  # fmt: skip


def _account(person: User, now: datetime) -> dict[str, Any]:
    erasure = erasure_of(person.id)
    return {
        "exported_at": now,
        "account": {
            "user_name": person.username, "e_mail": person.email, "role": person.role, "age_group": person.band,
            "age_group_until": person.band_until, "country": person.country, "region": person.region,
            "time_zone": person.time_zone, "language": person.language, "joined": person.date_joined,
            "deal_confirmed_at": person.deal_confirmed_at, "closed_at": person.locked_at,
            "is_deleted_on": erasure.due_at if erasure else None,
        },
        "signed_in": [
            {"on": device.what, "since": device.since, "last_seen": device.seen}
            for device in devices_of(person.id, here=None)
        ],
        "done_about_you": [
            {"at": look.at, "what": look.what, "reason": look.reason} for look in looks_of(person.id, limit=MOST)
        ],
    }  # fmt: skip


def _teen(person: User, now: datetime) -> dict[str, Any]:
    limits, row = gate.limits_of(person, now), TimeLimits.objects.filter(person=person).first()
    return {
        "consents": [
            {"kind": one.kind, "version": one.version, "method": one.method, "at": one.at,
             "withdrawn_at": one.withdrawn_at}
            for one in person.consents.order_by("at")
        ],
        "guardians": [
            {"user_name": link.guardian.username, "state": link.state, "since": link.since}
            for link in person.guardianships.select_related("guardian").order_by("since")
        ],
        "alerts": [asdict(alert) for alert in alerts_about(person)],
        "limits": {
            "quiet_from": limits.quiet_from, "quiet_to": limits.quiet_to, "minutes_a_day": limits.minutes,
            "memory": limits.memory, "skills_off": sorted(limits.skills_off),
            "skills_off_for_everybody": sorted(settings.SKILLS_OFF), "set_by": row.set_by if row else "",
        },
        "days": [
            {"day": one.day, "seconds": one.seconds, "messages": one.turns} for one in person.usage_days.order_by("day")
        ],
        "companion": asdict(companion_for(person.id)),
        "memory": [
            {"kind": view.kind, "text": view.text, "value": view.value, "who": view.who, "day": view.day,
             "since": view.since, "last": view.last, "until": view.until, "state": view.state, "source": view.source}
            for view in memory_list(
                owner_id=person.id, language=language_of(person), at=now.astimezone(gate.zone_of(person))
            )
        ],
        "talks": talk_rows(person),
        "shelf": [
            {"kind": one.kind, "title": one.title, "text": one.text, "at": one.at} for one in play.shelf_of(person.id)
        ],
        "skills": play.left_of(person.id),
        "flagged": [
            {"at": one.at, "what": one.kind, "reason": one.reason, "state": one.state, "excerpt": one.excerpt}
            for one in filed_about(person.id)
        ],
    }  # fmt: skip
