"""How a guardian and a teen are linked, and how that ends. Both say yes, or nothing is.

One of them makes a code, the other types it. Typing it is that one's yes; the maker then says theirs. The guardian's
yes is their consent to the chat as well; it is recorded on the day on which both have agreed, and ends with the link.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from chatbot.accounts import gate, services
from chatbot.accounts.adapter import name_check
from chatbot.accounts.models import (
    ErasureReason,
    ErasureRequest,
    Guardianship,
    GuardianshipState,
    LinkCode,
    Role,
    TimeLimits,
    User,
)
from chatbot.core import clock, ratelimit
from chatbot.core.audit import audit_record

CODE_HOURS = 48
METHOD = "guardian account"
# Each code is looked up twice: typed, and agreed to.
TRIES, TRIES_S = 10, 15 * 60
# Of wrong ones only, and high: a whole school may have one address. A code has 40 bits, lives for two days, and its
# maker has still to say yes.
TRIES_AN_ADDRESS = 200
# A request that nobody answers is gone after a week.
REQUEST_LASTS = timedelta(days=7)
ENDED_SHOWN = timedelta(days=30)
# No 0, O, 1, I or L: the code is read aloud and copied by hand.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


class CodeRefused(gate.Refused):
    """Wrong, used, too old, one's own, or of somebody who can't be linked. Says no more than that."""

    code = "code_refused"

    def sentence(self) -> str:
        return _("That code doesn't work here. Codes work once, for two days: check the letters, or ask for a new one.")


class TooManyTries(gate.Refused):
    code = "too_many_tries"

    def sentence(self) -> str:
        return _("Too many tries. Wait a quarter of an hour, then try again with a fresh code.")


class NothingWaits(gate.Refused):
    """The request was answered already, taken back, or never there."""

    code = "nothing_waits"

    def sentence(self) -> str:
        return _("That request isn't there any more. Nothing was changed.")


def guardian_make(*, username: str, password: str, email: str, language: str, time_zone: str) -> User:
    """A parent's or carer's account. Raises ValidationError for a name or a password that can't be used."""
    guardian = User(username=username, role=Role.GUARDIAN, email=email, language=language, time_zone=time_zone)
    name_check(username)
    validate_password(password, guardian)
    guardian.set_password(password)
    guardian.save()
    audit_record(actor="self", subject=guardian.id, action="guardian_account_made")
    return guardian


def alert_mail_set(guardian: User, email: str) -> None:
    """Where mails that say no more than "have a look" go. Empty: none are sent."""
    gate.may_guard(guardian)
    guardian.email = email
    guardian.save(update_fields=["email"])


def _digest(code: str) -> str:
    """Keyed: eight letters could be tried out by whoever has a copy of the table."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return salted_hmac("chatbot.accounts.guardianship", plain, algorithm="sha256").hexdigest()


def _may_link(person: User, now: datetime) -> None:
    """Whether this account can be one of the two."""
    if person.role == Role.TEEN:
        gate.may_be_guarded(person, now=now)
    else:
        gate.may_guard(person)


def code_make(maker: User) -> str:
    """A fresh code, shown once; older ones of the same maker stop working. Raises gate.Refused."""
    now = clock.now()
    _may_link(maker, now)
    if ratelimit.allowed(f"link-code:{maker.id}", most=TRIES, per_s=TRIES_S):
        raise TooManyTries
    code = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    with transaction.atomic():
        LinkCode.objects.filter(maker=maker).delete()
        LinkCode.objects.create(
            maker=maker, digest=_digest(code), made_at=now, expires_at=now + timedelta(hours=CODE_HOURS)
        )
        audit_record(actor="self", subject=maker.id, action="link_code_made")
    return f"{code[:4]}-{code[4:]}"


def code_open_until(maker: User) -> datetime | None:
    """Until when the code that this person made still works."""
    now = clock.now()
    rows = LinkCode.objects.filter(maker=maker, used_at=None, expires_at__gt=now)
    return rows.values_list("expires_at", flat=True).first()


def code_find(person: User, code: str, *, address: str) -> LinkCode:
    """The code that this person typed, if it can link them with its maker. Tries are counted by account, and wrong ones
    by address.

    Raises CodeRefused for every reason alike, TooManyTries, and gate.Refused for an account that can't be linked.
    """
    now = clock.now()
    _may_link(person, now)
    # DANGER: the account's own limit first, so that one account can't use up what a whole school shares.
    if ratelimit.allowed(f"link:{person.id}", most=TRIES, per_s=TRIES_S):
        raise TooManyTries
    if ratelimit.allowed(f"link:{address}", most=TRIES_AN_ADDRESS, per_s=TRIES_S):
        raise TooManyTries
    row = _code_for(person, code, now)
    ratelimit.uncount(f"link:{address}", per_s=TRIES_S)
    return row


def _code_for(person: User, code: str, now: datetime) -> LinkCode:
    found = LinkCode.objects.filter(digest=_digest(code), used_at=None, expires_at__gt=now)
    row = found.select_related("maker").first()
    if row is None or row.maker.role == person.role:
        raise CodeRefused
    try:
        _may_link(row.maker, now)
    except gate.Refused:
        raise CodeRefused from None
    teen, guardian = _pair(person, row.maker)
    if Guardianship.objects.filter(teen=teen, guardian=guardian, state=GuardianshipState.ACTIVE).exists():
        raise CodeRefused
    return row


def _pair(one: User, other: User) -> tuple[User, User]:
    return (one, other) if one.role == Role.TEEN else (other, one)


def link_ask(person: User, code: LinkCode) -> Guardianship:
    """Use a code up: this person's yes. The maker of the code has still to say theirs. Raises CodeRefused."""
    now = clock.now()
    teen, guardian = _pair(person, code.maker)
    with transaction.atomic():
        if LinkCode.objects.filter(id=code.id, used_at=None, expires_at__gt=now).update(used_at=now) != 1:
            raise CodeRefused
        asked = {
            "state": GuardianshipState.INVITED,
            "since": now,
            "waits_for": code.maker.role,
            "consented_at": now if person.role == Role.GUARDIAN else None,
            "ended_by": "",
        }
        empty = dict.fromkeys(("withdrawn_at", "end_asked_at", "ended_at"))
        link, made = Guardianship.objects.get_or_create(teen=teen, guardian=guardian, defaults=asked)
        if not made:
            # DANGER: of two codes that cross, the second must not undo the link that the first has made.
            rows = Guardianship.objects.filter(id=link.id).exclude(state=GuardianshipState.ACTIVE)
            if rows.update(**asked, **empty) != 1:
                raise CodeRefused
            link.refresh_from_db()
        audit_record(actor=person.role, subject=teen.id, action="guardian_asked")
    return link


def _side(person: User) -> str:
    return "teen" if person.role == Role.TEEN else "guardian"


def _waiting(person: User, link_id: uuid.UUID) -> Guardianship:
    """The request that waits for this person. Raises NothingWaits, for somebody else's request too."""
    link = next((one for one in requests_for(person) if one.id == link_id), None)
    if link is None:
        raise NothingWaits
    return link


def link_accept(person: User, link_id: uuid.UUID) -> Guardianship:
    """The second yes: the link is active, and the guardian's consent is recorded. Raises NothingWaits, gate.Refused."""
    now = clock.now()
    link = _waiting(person, link_id)
    gate.may_guard(link.guardian)
    gate.may_be_guarded(link.teen, now=now)
    with transaction.atomic():
        rows = Guardianship.objects.filter(id=link.id, state=GuardianshipState.INVITED)
        agreed = link.consented_at or now
        if rows.update(state=GuardianshipState.ACTIVE, since=now, waits_for="", consented_at=agreed) != 1:
            raise NothingWaits
        link.refresh_from_db()
        services.consent_give(person=link.teen, given_by=link.guardian.username[:64], method=METHOD, link=link)
        audit_record(actor=person.role, subject=link.teen_id, action="guardian_linked")
    return link


def link_decline(person: User, link_id: uuid.UUID) -> Guardianship:
    """No. Raises NothingWaits."""
    link = _waiting(person, link_id)
    with transaction.atomic():
        rows = Guardianship.objects.filter(id=link.id, state=GuardianshipState.INVITED)
        if rows.update(state=GuardianshipState.ENDED, waits_for="", ended_at=clock.now(), ended_by=person.role) != 1:
            raise NothingWaits
        audit_record(actor=person.role, subject=link.teen_id, action="guardian_declined")
    return link


def link_end(person: User, link_id: uuid.UUID) -> tuple[bool, uuid.UUID]:
    """End the link, or ask for it where the teen is under 16. Whether it has ended, and whose it is.

    Raises gate.NotLinked, gate.ErasureBegun: whoever ends it to keep the account would be told something untrue.
    """
    now = clock.now()
    link = Guardianship.objects.filter(id=link_id, state=GuardianshipState.ACTIVE).select_related("teen").first()
    if link is None:
        raise gate.NotLinked
    if not gate.may_end(person, link, now=now):
        Guardianship.objects.filter(id=link.id, end_asked_at=None).update(end_asked_at=now)
        audit_record(actor="self", subject=link.teen_id, action="guardian_end_asked")
        return False, link.teen_id
    _end(link, by=person.role, now=now, unless_begun=True)
    return True, link.teen_id


def _end(link: Guardianship, *, by: str, now: datetime, unless_begun: bool = False) -> None:
    with transaction.atomic():
        if _end_rows(link, by=by, now=now, unless_begun=unless_begun):
            audit_record(actor=by or "house", subject=link.teen_id, action="guardian_unlinked")


def _end_rows(link: Guardianship, *, by: str, now: datetime, unless_begun: bool = False) -> bool:
    """What came with the link goes with it: limits, consent, alerts, and a request to delete that has not begun.

    False: ended before. Raises gate.ErasureBegun, and ends nothing, where that is asked for.
    """
    with transaction.atomic():
        rows = Guardianship.objects.filter(id=link.id, state=GuardianshipState.ACTIVE)
        ended = rows.update(state=GuardianshipState.ENDED, ended_at=now, ended_by=by, end_asked_at=None) == 1
        if not _erasure_end(link) and unless_begun:  # the link may be gone with the account by now
            raise gate.ErasureBegun
        if not ended:
            return False
        link.alerts.all().delete()
        link.consents.filter(withdrawn_at=None).update(withdrawn_at=now)
        if not Guardianship.objects.filter(teen_id=link.teen_id, state=GuardianshipState.ACTIVE).exists():
            TimeLimits.objects.filter(person_id=link.teen_id, set_by=Role.GUARDIAN).update(
                quiet_from=None, quiet_to=None, minutes_a_day=None, memory_off=False, skills_off=[], set_by=""
            )
    return True


def _erasure_end(link: Guardianship) -> bool:
    """The guardian's request to delete goes with the link. False, and nothing changed, where it has begun."""
    asked = ErasureRequest.objects.select_for_update().filter(
        person_id=link.teen_id, reason=ErasureReason.GUARDIAN, asked_by=link.guardian_id
    )
    # DANGER: its row first, then whether the account is closed: whoever begins holds that row until it is.
    request = asked.first()
    if request is None:
        return True
    if not User.objects.filter(id=link.teen_id, is_active=True).exists():
        return False
    asked.filter(erased_at=None).delete()
    return True


def links_end(guardian_id: uuid.UUID) -> None:
    """A guardian's account goes: every link of theirs ends, and their name stands on no consent."""
    now, ended = clock.now(), []
    with transaction.atomic():
        for link in Guardianship.objects.filter(guardian_id=guardian_id).order_by("teen_id"):
            link.consents.update(given_by="guardian")
            if _end_rows(link, by=Role.GUARDIAN, now=now):
                ended.append(link.teen_id)
        # DANGER: only after the rows of every teen (core/locks.py).
        for teen_id in ended:
            audit_record(actor=Role.GUARDIAN, subject=teen_id, action="guardian_unlinked")


def links_outgrown() -> int:
    """At 18 a link ends by itself. Number ended."""
    now, ended = clock.now(), 0
    for link in Guardianship.objects.filter(state=GuardianshipState.ACTIVE).select_related("teen").iterator():
        if gate.band_of(link.teen, now) == "18+":
            _end(link, by="", now=now)
            ended += 1
    return ended


def consent_take_back(guardian: User, teen_id: uuid.UUID) -> None:
    """In one step: the chat is closed from the next message on, and help stays. Raises gate.Refused."""
    now = clock.now()
    link = gate.may_oversee(guardian, teen_id, now=now)
    with transaction.atomic():
        Guardianship.objects.filter(id=link.id, withdrawn_at=None).update(withdrawn_at=now)
        services.consent_withdraw(person=link.teen, by="guardian", link=link)


def consent_renew(guardian: User, teen_id: uuid.UUID) -> bool:
    """Yes again. Whether that opens the chat: every linked guardian's yes is needed. Raises gate.Refused."""
    link = gate.may_oversee(guardian, teen_id, now=clock.now())
    with transaction.atomic():
        if Guardianship.objects.filter(id=link.id, withdrawn_at__isnull=False).update(withdrawn_at=None) == 1:
            services.consent_give(person=link.teen, given_by=guardian.username[:64], method=METHOD, link=link)
    return not another_no(link)


def another_no(link: Guardianship) -> bool:
    """Whether another guardian of this teen has taken their yes back: that closes the chat, as `gate` has it."""
    others = Guardianship.objects.filter(teen_id=link.teen_id, state=GuardianshipState.ACTIVE).exclude(id=link.id)
    return others.filter(withdrawn_at__isnull=False).exists()


def requests_for(person: User) -> list[Guardianship]:
    """What waits for this person's yes or no, oldest first."""
    fresh = Guardianship.objects.filter(state=GuardianshipState.INVITED, since__gt=clock.now() - REQUEST_LASTS)
    rows = fresh.filter(waits_for=person.role, **{_side(person): person})
    return list(rows.select_related("teen", "guardian").order_by("since"))


def requests_by(person: User) -> list[Guardianship]:
    """What this person agreed to and the other one has not answered yet."""
    fresh = Guardianship.objects.filter(state=GuardianshipState.INVITED, since__gt=clock.now() - REQUEST_LASTS)
    rows = fresh.exclude(waits_for=person.role).filter(**{_side(person): person})
    return list(rows.select_related("teen", "guardian").order_by("since"))


def links_of(person: User) -> list[Guardianship]:
    """The active links of a teen or a guardian, oldest first."""
    rows = Guardianship.objects.filter(state=GuardianshipState.ACTIVE, **{_side(person): person})
    return list(rows.select_related("teen", "guardian").order_by("since"))


def is_guarded(person_id: uuid.UUID) -> bool:
    """Whether there is a guardian who could be asked to look after this teen."""
    rows = Guardianship.objects.filter(teen_id=person_id, state=GuardianshipState.ACTIVE, guardian__is_active=True)
    link = rows.select_related("teen").first()
    return link is not None and gate.band_of(link.teen, clock.now()) != "18+"


def links_ended(person: User) -> list[Guardianship]:
    """Links of this person that ended, or were declined, within the last 30 days: the latest first."""
    late = Guardianship.objects.filter(state=GuardianshipState.ENDED, ended_at__gt=clock.now() - ENDED_SHOWN)
    rows = late.filter(**{_side(person): person})
    return list(rows.select_related("teen", "guardian").order_by("-ended_at"))
