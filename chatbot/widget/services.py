"""Everything that changes a visitor's rows: an identity becomes a ticket, a ticket a seat at the socket."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from chatbot.accounts import erasure, gate, guests
from chatbot.accounts.bands import Band
from chatbot.accounts.forms import PROFILE_LANGUAGES
from chatbot.accounts.models import Role, User
from chatbot.chat.services import conversation_fresh
from chatbot.chat.sign_in import TicketRefused
from chatbot.core import clock, ratelimit
from chatbot.core.jobs import sweep
from chatbot.widget.identity import SKEW_S, Identity, IdentityRefused, identity_read
from chatbot.widget.models import DayHeld, Nonce, Site, Ticket, Visitor
from chatbot.widget.sites import WEBVIEW

TICKET_LIFE = timedelta(seconds=60)
# For one visitor: a socket that comes and goes asks anew each time.
TICKETS, TICKETS_S = 20, 60
KEPT = timedelta(hours=1)
# Of whoever deletes everything. Longer than one date lasts, by whatever clock.
DAY_HELD = timedelta(hours=48)


class TooManyTickets(Exception):
    """The visitor's page asks faster than any person reconnects."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s

    def sentence(self) -> str:
        return _("That was quick! Give it a few seconds, then open the chat again.")


class NoChat(Exception):
    """May have no chat, and why. The person is perhaps nobody's row: only where they live, for the helplines."""

    def __init__(self, person: User, refusal: gate.Refused) -> None:
        super().__init__(refusal.code)
        self.person, self.code, self.sentence = person, refusal.code, refusal.sentence


@dataclass(frozen=True)
class Admission:
    """A visitor and the ticket that opens one socket for them. The secret is in nobody else's hands.

    `conversation`: the one to begin in; None for the running one.
    """

    person: User
    ticket: str
    conversation: uuid.UUID | None = None


@dataclass(frozen=True)
class Seat:
    """A spent ticket: lets its visitor in for as long as the site may still show the chat where it shows it."""

    person_id: uuid.UUID
    site_id: uuid.UUID
    origin: str

    def person_now(self) -> User | None:
        row = Visitor.objects.filter(site_id=self.site_id, person_id=self.person_id)
        found = row.select_related("person", "site").first()
        if found is None or self.origin not in found.site.origins:
            return None
        return found.person if found.person.is_active and found.person.role == Role.TEEN else None


def visitor_admit(site: Site, *, token: str, origin: str, device_zone: str = "") -> Admission:
    """Take a site's word for who somebody is. Raises IdentityRefused, NoChat, TooManyTickets.

    Whoever may have no chat leaves no row behind, unless there was one before.
    """
    if origin not in site.origins:
        raise IdentityRefused("origin", f"{origin[:100]} is not among this site's origins.")
    identity = identity_read(token, secrets=site.secrets, audience=site.public_key, now=clock.now())
    subject = _subject(site, identity.sub)
    wait = ratelimit.allowed(f"ticket:{subject}", most=TICKETS, per_s=TICKETS_S)
    if wait:
        raise TooManyTickets(wait)
    _nonce_use(site, identity)
    with transaction.atomic():
        person, new = _visitor(site, identity, subject, device_zone)
        _consent(site, identity, person)
        if identity.tz and not new and _day_held(site, subject) is None:
            guests.guest_move(person, identity.tz, host=_host(site))
        refused = _refusal(person)
        # DANGER: what became stricter about somebody known, or a consent taken back, is kept although they are refused.
        transaction.set_rollback(new and refused is not None)
    if refused is not None:
        raise NoChat(person, refused)
    # DANGER: no page around it says whose device this is. Whoever was sent somebody's link reads nothing of their talk.
    begun = conversation_fresh(person=person).id if origin == WEBVIEW else None
    return Admission(person, _ticket_make(site, person, origin), begun)


def _refusal(person: User) -> gate.Refused | None:
    try:
        gate.may_enter(person, now=clock.now())
    except gate.Refused as refusal:
        return refusal
    return None


def _subject(site: Site, sub: str) -> str:
    """A digest that nobody can guess at without the master key."""
    return hmac.new(site.pepper.encode("utf-8"), sub.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _nonce_use(site: Site, identity: Identity) -> None:
    digest = hashlib.sha256(identity.nonce.encode("utf-8", "surrogatepass")).hexdigest()
    until = datetime.fromtimestamp(identity.exp + SKEW_S, tz=UTC) + KEPT
    try:
        with transaction.atomic():
            Nonce.objects.create(site=site, digest=digest, expires_at=until)
    except IntegrityError:
        raise IdentityRefused("replayed", "This identity was used before: make a fresh nonce each time.") from None


def zone_known(name: str) -> bool:
    """Whether a device's word for its time zone is one."""
    return name in clock.zones()


def language_for(site: Site, wanted: str) -> str:
    """The profile language nearest to what is wanted, among the site's own."""
    known = {code.lower(): name for code, name in PROFILE_LANGUAGES.items()}
    wanted = wanted.lower().replace("_", "-")
    first = next((name for code, name in known.items() if code.split("-")[0] == wanted.split("-")[0]), "")
    found = known.get(wanted, first)
    return found if found in site.languages else (site.languages[0] if site.languages else "en")


def _day_held(site: Site, subject: str) -> guests.GuestDay | None:
    """The day that goes on for somebody who deleted everything less than two days ago."""
    row = DayHeld.objects.filter(site=site, subject=subject, expires_at__gt=clock.now()).first()
    return None if row is None else guests.GuestDay(row.time_zone, row.day, row.seconds, row.break_open)


def _visitor(site: Site, identity: Identity, subject: str, device_zone: str) -> tuple[User, bool]:
    """Who that is here, and whether they are new. Raises NoChat where they are being erased just now."""
    said = {
        "band": identity.band,
        "country": identity.country,
        "region": identity.region,
        "language": language_for(site, identity.lang),
    }
    known = Visitor.objects.select_related("person").filter(site=site, subject=subject).first()
    if known is None:
        day = _day_held(site, subject)  # DANGER: after the look for who is known, since it is kept before they go
        try:
            with transaction.atomic():
                person = guests.guest_make(**said, time_zone=identity.tz or device_zone, before=day)  # type: ignore[arg-type]  # the band is one
                Visitor.objects.create(site=site, person=person, subject=subject)
                return person, True
        except IntegrityError:  # the same person in another tab, at the same moment
            known = Visitor.objects.select_related("person").get(site=site, subject=subject)
    try:
        return guests.guest_refresh(known.person, **said), False  # type: ignore[arg-type]  # as above
    except gate.SignedOut as refusal:
        raise NoChat(known.person, refusal) from None


def visitor_older(site: Site, *, sub: str, band: Band) -> bool:
    """The operator's word that a visitor is in another band now. False where nobody came under that name."""
    known = Visitor.objects.select_related("person").filter(site=site, subject=_subject(site, sub)).first()
    if known is None:
        return False
    guests.guest_older(known.person, band)
    return True


def _host(site: Site) -> str:
    """How the audit trail names a site."""
    return f"host:{site.public_key}"


def _consent(site: Site, identity: Identity, person: User) -> None:
    host = _host(site)
    if identity.consent is False:
        guests.guest_consent_end(person, host=host)
    elif identity.consent and site.host_consents:
        guests.guest_consent(person, host=host, method=identity.consent)


def _ticket_make(site: Site, person: User, origin: str) -> str:
    secret = secrets.token_urlsafe(32)
    Ticket.objects.create(
        digest=_digest(secret), site=site, person=person, origin=origin, expires_at=clock.now() + TICKET_LIFE
    )
    return secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def ticket_redeem(*, ticket: str, site: str, origin: str) -> Seat:
    """Spend a ticket where it was made for. Raises TicketRefused. Shown anywhere else it is spent too."""
    row = Ticket.objects.select_related("site").filter(digest=_digest(ticket)).first()
    fresh = Q(used_at=None, expires_at__gt=clock.now())
    if row is None or Ticket.objects.filter(fresh, id=row.id).update(used_at=clock.now()) != 1:
        raise TicketRefused(_("This way in was used or is too old. Open the chat again."))
    if row.site.public_key != site or row.origin != origin or origin not in row.site.origins:
        raise TicketRefused(_("This way in was made for another site."), foreign=True)
    return Seat(person_id=row.person_id, site_id=row.site_id, origin=row.origin)


def visitor_erase(*, ticket: str, site: str, origin: str) -> None:
    """The visitor wants everything gone, and has just been vouched for again. Raises TicketRefused, gate.Refused.

    How far they are in their day is kept on for two days, by the digest of their name at the site alone.
    """
    person = ticket_redeem(ticket=ticket, site=site, origin=origin).person_now()
    if person is None:
        raise gate.SignedOut
    gate.may_erase_guest(person)
    _day_hold(person)
    erasure.erasure_ask(actor=person, person=person)
    erasure.erasure_run(person.id)


def _day_hold(person: User) -> None:
    # DANGER: of two who delete at once, the second must not find the first one's empty rows.
    with transaction.atomic():
        held = User.objects.select_for_update().filter(id=person.id, is_active=True).first()
        visitor = Visitor.objects.filter(person_id=person.id).first()
        if held is None or visitor is None:
            raise gate.SignedOut
        kept = {**asdict(guests.guest_day(held)), "expires_at": clock.now() + DAY_HELD}
        DayHeld.objects.update_or_create(site_id=visitor.site_id, subject=visitor.subject, defaults=kept)


def person_forget(person_id: uuid.UUID) -> None:
    """What this app deletes of a person: who they were at which site, and their tickets."""
    Ticket.objects.filter(person_id=person_id).delete()
    Visitor.objects.filter(person_id=person_id).delete()


@sweep("widget.spent", every_s=600)
def spent_forget() -> int:
    """Tickets and nonces that can open nothing any more, and days that are over. Number deleted."""
    now = clock.now()
    tickets, _rows = Ticket.objects.filter(expires_at__lt=now - KEPT).delete()
    nonces, _rows = Nonce.objects.filter(expires_at__lt=now).delete()
    days, _rows = DayHeld.objects.filter(expires_at__lte=now).delete()
    return tickets + nonces + days
