"""R9: no chat in a country whose helplines nobody has checked. The gate, with what only the safety layer knows."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from chatbot.accounts import gate
from chatbot.accounts.models import TimeLimits, User
from chatbot.accounts.standing import Standing
from chatbot.core import clock
from moderation.crisis.helplines import region_ready, signups_stopped


class HelpUnchecked(gate.Refused):
    """The helplines that this person would be shown are unverified, so none would be."""

    code = "help_unchecked"

    def sentence(self) -> str:
        return _(
            "Whoever runs this place hasn't checked the helplines for your country yet. Till then the chat is shut."
        )


def signups_open(country: str) -> bool:
    """False where every checked helpline of the country was last checked over 180 days ago: nobody new till then."""
    return not (settings.HELP_REQUIRED and signups_stopped(country, clock.now().date()))


def may_talk(person: User, *, now: datetime) -> gate.Pass:
    """As gate.may_talk, and where help is required to be ready, only where it is. Raises gate.Refused."""
    return may_talk_as(Standing.of(person), now=now)


def may_talk_as(standing: Standing, *, now: datetime) -> gate.Pass:
    """The same, as gate.may_talk_as."""
    given = gate.may_talk_as(standing, now=now)
    _check_help(standing.person, now)
    return given


def may_be_answered(person: User, limits: TimeLimits | None, *, now: datetime) -> gate.Terms:
    """The same, as gate.may_be_answered."""
    given = gate.may_be_answered(person, limits, now=now)
    _check_help(person, now)
    return given


def _check_help(person: User, now: datetime) -> None:
    required = settings.HELP_REQUIRED and not person.throw_away
    if required and not region_ready(person.country, production=True, today=now.date()):
        raise HelpUnchecked
