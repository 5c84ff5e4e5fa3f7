"""Erasing a person: the key first, then every app's rows, then the account; a crash half-way is finished by a sweep.

What stays is the audit trail, which says that it was done and holds nothing that anybody wrote.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.utils.module_loading import import_string

from chatbot.accounts import gate, guardianship, services
from chatbot.accounts.adapter import sign_out_tell
from chatbot.accounts.devices import devices_end
from chatbot.accounts.models import ErasureReason, ErasureRequest, GuardianshipState, User
from chatbot.core import clock, metrics
from chatbot.core.audit import audit_record, audit_subjects
from chatbot.core.erasure import erase_rows
from chatbot.core.gone import gone_note
from chatbot.core.jobs import sweep
from chatbot.core.keys import key_destroy, key_forget, keys_there

log = structlog.get_logger()
# R19 says within 48 hours; an hour is left for the sweep.
AGE_DOUBT_WAITS = timedelta(hours=47)
# A guardian's request waits, so that the teen hears of it first (R30).
GUARDIAN_WAITS = timedelta(days=7)
# A turn that was running in another process may leave rows behind: they are looked for once more after this.
AGAIN = timedelta(minutes=10)
# The word of the audit trail for one that is done.
ERASED = "account_erased"


class TooLate(Exception):
    """The account is being erased already: there is nothing to open again."""


def erasure_ask(*, actor: User, person: User) -> None:
    """The person wants everything gone: closed at once, signed out everywhere. Raises gate.Refused.

    `erasure_run` comes right after; if it does not, the sweep does it.
    """
    gate.may_erase(actor, person.id)
    now = clock.now()
    with transaction.atomic():
        # The account first, as everywhere, and the audit trail last: nobody waits for us while we wait for them.
        User.objects.filter(id=person.id).update(is_active=False)
        ErasureRequest.objects.update_or_create(
            person_id=person.id,
            defaults={"reason": ErasureReason.ASKED, "asked_at": now, "due_at": now, "asked_by": None},
        )
        links = person.wards.select_for_update().filter(state=GuardianshipState.ACTIVE).order_by("id")
        teens = [link.teen_id for link in links]
        guardianship.links_end(person.id)
        audit_record(actor="self", subject=person.id, action="erasure_asked")
        for teen_id in teens:
            audit_record(actor="guardian", subject=teen_id, action="guardian_left")
    devices_end(person.id)
    sign_out_tell(person.id)


def erasure_ask_for(*, guardian: User, teen_id: uuid.UUID) -> datetime:
    """A guardian wants the teen's data gone: the teen is told, and it waits for seven days. When it is due.

    Raises gate.Refused. A request that waits already stays as it is.
    """
    now = clock.now()
    teen = gate.may_oversee(guardian, teen_id, now=now).teen
    with transaction.atomic():
        request, made = ErasureRequest.objects.get_or_create(
            person_id=teen.id,
            defaults={
                "reason": ErasureReason.GUARDIAN,
                "asked_at": now,
                "due_at": now + GUARDIAN_WAITS,
                "asked_by": guardian.id,
            },
        )
        if made:
            audit_record(actor="guardian", subject=teen.id, action="erasure_asked_by_guardian")
    return request.due_at


def erasure_take_back(*, guardian: User, teen_id: uuid.UUID) -> bool:
    """The guardian takes their request back. False when there is none of theirs.

    Raises gate.ErasureBegun once it is being done, gate.Refused.
    """
    gate.may_guard(guardian)
    with transaction.atomic():
        teen = User.objects.select_for_update().filter(id=teen_id).first()
        theirs = ErasureRequest.objects.filter(person_id=teen_id, reason=ErasureReason.GUARDIAN, asked_by=guardian.id)
        if (teen is None or not teen.is_active) and theirs.exists():
            raise gate.ErasureBegun
        gate.may_oversee(guardian, teen_id, now=clock.now())
        deleted, _ = theirs.filter(erased_at=None).delete()
        if deleted:
            audit_record(actor="guardian", subject=teen_id, action="erasure_taken_back")
    return bool(deleted)


def _waits_for_staff(request: ErasureRequest) -> bool:
    """A guardian's request waits while something about the teen is not decided: it may be about the guardian."""
    if request.reason != ErasureReason.GUARDIAN or not settings.ERASURE_WAITS:
        return False
    return bool(import_string(settings.ERASURE_WAITS)(request.person_id))


def _begin(person_id: uuid.UUID) -> bool:
    """Whether what was due still is; then the account is closed, and nobody takes the request back any more."""
    with transaction.atomic():
        person = User.objects.select_for_update().filter(id=person_id).first()
        waiting = ErasureRequest.objects.select_for_update().filter(person_id=person_id, erased_at=None)
        request = waiting.filter(due_at__lte=clock.now()).first()
        if request is None:
            return False
        if person is not None and person.is_active:
            if _waits_for_staff(request):
                return False
            User.objects.filter(id=person_id).update(is_active=False)
    return True


def erasure_run(person_id: uuid.UUID) -> None:
    """Do it. Twice is harmless, and after a crash the next call goes on where it stopped."""
    # DANGER: the key goes first. Whatever breaks after this line, nothing of this person can be read any more.
    key_destroy(person_id)
    waits = ErasureRequest.objects.filter(person_id=person_id, erased_at=None)
    # Before it counts as done: what is not on the list comes back with a backup.
    listed = gone_note("person", [person_id]) if waits.exists() else True
    User.objects.filter(id=person_id).update(is_active=False)
    for last in (False, False, True):
        try:
            erase_rows(person_id)
            devices_end(person_id, ended_too=True)
            User.objects.filter(id=person_id).delete()
            break
        except (IntegrityError, OperationalError):  # a message that was on its way came in between, or waited for us
            if last:
                raise
    with transaction.atomic():
        if listed and waits.update(erased_at=clock.now()):
            audit_record(actor="house", subject=person_id, action=ERASED)


def erasures_again(person_ids: Collection[uuid.UUID]) -> int:
    """Of these people, who were erased, some are back, out of a backup: their keys are destroyed and their accounts
    closed at once, and the sweep deletes their rows. How many were back."""
    back = keys_there(person_ids) | set(User.objects.filter(id__in=person_ids).values_list("id", flat=True))
    now = clock.now()
    for person_id in back:
        key_destroy(person_id)
        User.objects.filter(id=person_id).update(is_active=False)
        asked = {"reason": ErasureReason.ASKED, "asked_at": now, "due_at": now, "asked_by": None, "erased_at": None}
        ErasureRequest.objects.update_or_create(person_id=person_id, defaults=asked)
    return len(back)


def erasures_known() -> Collection[uuid.UUID]:
    """Who was erased, as the audit trail has it."""
    return audit_subjects(ERASED)


@sweep("accounts.erase", every_s=60)
def erasures_due() -> int:
    """Run what is due or was cut off, and look once more after what is done. Number of requests that ran through."""
    now = clock.now()
    done = 0
    due = ErasureRequest.objects.filter(erased_at=None, due_at__lte=now)
    for person_id in list(due.values_list("person_id", flat=True)):
        # DANGER: while the ones before it were run, this one may have been taken back.
        done += _erasure_tried(person_id, begins=True)
    for request in ErasureRequest.objects.filter(erased_at__lte=now - AGAIN):
        if _erasure_tried(request.person_id):
            key_forget(request.person_id)
            request.delete()
            done += 1
    return done


def _erasure_tried(person_id: uuid.UUID, *, begins: bool = False) -> bool:
    """Whether it ran through. One that breaks is logged, tried again by the next sweep, and holds nobody else up."""
    try:
        if begins and not _begin(person_id):
            return False
        erasure_run(person_id)
    except Exception as error:  # whatever broke, the others are due as well
        log.error("erasure_failed", sweep="accounts.erase", error=type(error).__name__)
        metrics.JOBS_FAILED.labels("accounts.erase").inc()
        return False
    return True


def erasure_of(person_id: uuid.UUID) -> ErasureRequest | None:
    """The request that waits for this person, if there is one."""
    return ErasureRequest.objects.filter(person_id=person_id, erased_at=None).first()


def age_doubted(person_id: uuid.UUID) -> bool:
    """Somebody said that they are under 13 (R19): the account closes, and goes unless an adult has it opened again.

    True when it closed with this call; the caller then tells open chats (`sign_out_tell`), after the reply.
    """
    with transaction.atomic():
        person = User.objects.select_for_update().filter(id=person_id, locked_at=None).first()
        if person is None:
            return False
        now = clock.now()
        doubt = {"reason": ErasureReason.UNDER_13, "asked_at": now, "due_at": now + AGE_DOUBT_WAITS, "asked_by": None}
        _, made = ErasureRequest.objects.get_or_create(person_id=person_id, defaults=doubt)
        if not made and person.is_active:  # a guardian's request would wait longer than the law allows
            ErasureRequest.objects.filter(person_id=person_id, reason=ErasureReason.GUARDIAN).update(**doubt)
        services.person_lock(person, reason=ErasureReason.UNDER_13)
    return True


def _has_begun(request: ErasureRequest, person: User) -> bool:
    """A guardian's request is no doubt about age: it goes on by itself, and keeps nothing closed until it is run."""
    if request.reason == ErasureReason.GUARDIAN:
        return not person.is_active
    due = request.reason == ErasureReason.UNDER_13 and request.due_at <= clock.now()
    return due or request.reason == ErasureReason.ASKED


def person_unlock(person: User, *, reason: str) -> bool:
    """The operator opens a closed account again, and what waited to be deleted stays. False when it was open.

    Raises TooLate once the erasure has begun.
    """
    with transaction.atomic():
        person = User.objects.select_for_update().get(id=person.id)
        request = ErasureRequest.objects.select_for_update().filter(person_id=person.id).first()
        if request is not None and _has_begun(request, person):
            raise TooLate
        if person.locked_at is None:
            return False
        if request is not None and request.reason == ErasureReason.UNDER_13:
            request.delete()
        person.locked_at = None
        person.save(update_fields=["locked_at"])
        audit_record(actor="operator", subject=person.id, action="account_unlocked", detail={"reason": reason})
    return True
