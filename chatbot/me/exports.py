"""A copy of everything: asked for, made by a job in pieces, fetched by its owner, gone after a day."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, IntegrityError, models, transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from chatbot.accounts import gate
from chatbot.accounts.key_missing import key_sentence
from chatbot.accounts.models import User
from chatbot.core import clock
from chatbot.core.audit import audit_record
from chatbot.core.jobs import enqueue_after_commit
from chatbot.core.keys import key_missing
from chatbot.me.export import everything
from chatbot.me.export_files import data_file, page_file
from chatbot.me.models import Export, ExportForm, ExportPiece, ExportState

MOST_A_DAY = 3
DAY = timedelta(hours=24)
KEPT = timedelta(hours=24)
LOST = timedelta(seconds=30)
LEASE = timedelta(minutes=2)
TRIES = 3
# Characters of the file that are sealed, and held in memory, at a time.
PIECE = 64 * 1024

_OPEN = (ExportState.ASKED, ExportState.MAKING)


class NotNow(Exception):
    """Can't be asked for just now; the sentence says when."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class ClaimLost(Exception):
    """Somebody else makes this copy, or its owner is gone."""


@dataclass(frozen=True)
class ExportView:
    """What the page shows: whether one is being made or broke, and the one that can be fetched."""

    state: str
    made_at: datetime | None
    expires_at: datetime | None
    fetched_at: datetime | None

    @property
    def open(self) -> bool:
        return self.state in _OPEN

    @property
    def ready(self) -> bool:
        return self.expires_at is not None


NOTHING = ExportView("", None, None, None)


def export_ask(person: User, *, language: str) -> None:
    """Ask for a copy; a job makes it. Raises NotNow: one at a time, three in a day, none without the person's key."""
    gate.may_export(person, person.id)
    missing = key_missing(person.id)
    if missing is not None:
        raise NotNow(key_sentence(missing))
    now = clock.now()
    today = Export.objects.filter(owner_id=person.id, asked_at__gt=now - DAY).order_by("asked_at")
    if len(asked := list(today.values_list("asked_at", flat=True))) >= MOST_A_DAY:
        when = timezone.localtime(asked[-MOST_A_DAY] + DAY, gate.zone_of(person))
        raise NotNow(
            _("That's %(most)d copies in a day already. The next one can be made from %(time)s on.")
            % {"most": MOST_A_DAY, "time": when.strftime("%H:%M")}
        )
    try:
        with transaction.atomic():
            row = Export.objects.create(owner_id=person.id, language=language, asked_at=now)
            audit_record(actor="self", subject=person.id, action="export_asked")
            enqueue_after_commit("me.export", str(row.id))
    except IntegrityError:
        raise NotNow(_("A copy is being made already. Give it a moment.")) from None


def export_of(person: User) -> ExportView:
    """How it stands with the person's copy."""
    newest = Export.objects.filter(owner_id=person.id).order_by("-id").first()
    if newest is None:
        return NOTHING
    ready = _ready_of(person)
    state = newest.state if newest.state in (*_OPEN, ExportState.FAILED) else ""
    if ready is None:
        return ExportView(state, None, None, None)
    return ExportView(state, ready.made_at, ready.expires_at, ready.fetched_at)


def _ready_of(person: User) -> Export | None:
    rows = Export.objects.filter(owner_id=person.id, state=ExportState.READY, expires_at__gt=clock.now())
    return rows.order_by("-id").first()


def export_fetch(person: User) -> Export | None:
    """The person's own copy that is ready, noted as fetched; None when there is none."""
    gate.may_export(person, person.id)
    row = _ready_of(person)
    if row is not None and Export.objects.filter(id=row.id, fetched_at=None).update(fetched_at=clock.now()):
        audit_record(actor="self", subject=person.id, action="export_fetched")
    return row


def piece_of(export: Export, form: str, seq: int) -> str | None:
    """One stretch of the file, opened; None after the last."""
    row = ExportPiece.objects.filter(export=export, form=form, fence=export.fence, seq=seq).first()
    return None if row is None else row.body


def export_make(export_id: uuid.UUID) -> bool:
    """Make the copy. False when it is made, being made by somebody else, or gone. Twice is harmless."""
    now = clock.now()
    free = Q(state=ExportState.ASKED) | Q(state=ExportState.MAKING, lease_until__lte=now)
    taken = Export.objects.filter(free, id=export_id).update(
        state=ExportState.MAKING, fence=F("fence") + 1, lease_until=now + LEASE
    )
    row = Export.objects.filter(id=export_id).first()
    if not taken or row is None:
        return False
    person = User.objects.filter(id=row.owner_id, is_active=True).first()
    if person is None:
        person_forget(row.owner_id)
        return False
    try:
        _make(row, person)
    except ClaimLost:
        return False
    except Exception:
        with contextlib.suppress(DatabaseError):  # the sweep tries again, at the latest when the lease runs out
            _held(row).update(lease_until=clock.now())
        raise
    return True


def _make(row: Export, person: User) -> None:
    """Write both files under the claim, then say that they are ready and drop what they take the place of."""
    with translation.override(row.language), timezone.override(gate.zone_of(person)):
        _write(row, ExportForm.DATA, data_file(everything(person)))
        _write(row, ExportForm.PAGE, page_file(everything(person), person, language=row.language))
    now = clock.now()
    with transaction.atomic():
        done = _held(row).update(state=ExportState.READY, lease_until=None, made_at=now, expires_at=now + KEPT)
        if not done:
            raise ClaimLost
        others = Export.objects.filter(owner_id=row.owner_id, state=ExportState.READY).exclude(id=row.id)
        ExportPiece.objects.filter(export__in=others).delete()
        ExportPiece.objects.filter(export=row).exclude(fence=row.fence).delete()
        others.update(state=ExportState.OLD)


def _held(row: Export) -> models.QuerySet[Export]:
    """The row while this maker's claim holds."""
    return Export.objects.filter(id=row.id, state=ExportState.MAKING, fence=row.fence)


def _write(row: Export, form: ExportForm, text: Iterable[str]) -> None:
    for seq, body in enumerate(_stretches(text)):
        with transaction.atomic():
            if not _held(row).update(lease_until=clock.now() + LEASE):
                raise ClaimLost
            ExportPiece(
                export=row, owner_id=row.owner_id, form=form, fence=row.fence, seq=seq, body=body
            ).save(force_insert=True)  # fmt: skip


def _stretches(text: Iterable[str]) -> Iterator[str]:
    """The same text in stretches of about PIECE characters."""
    waiting: list[str] = []
    size = 0
    for part in text:
        waiting.append(part)
        size += len(part)
        if size >= PIECE:
            yield "".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield "".join(waiting)


def exports_lost() -> list[uuid.UUID]:
    """Copies that somebody waits for and nobody makes. Those that broke too often are given up here."""
    now = clock.now()
    left = Q(state=ExportState.MAKING, lease_until__lte=now)
    for row in Export.objects.filter(left, fence__gte=TRIES):
        ExportPiece.objects.filter(export=row).delete()
        _held(row).update(state=ExportState.FAILED, lease_until=None)
    lost = Export.objects.filter(left | Q(state=ExportState.ASKED, asked_at__lte=now - LOST))
    return list(lost.values_list("id", flat=True))


def exports_clear() -> int:
    """Delete copies whose day is over, fetched or not. Number deleted."""
    now = clock.now()
    over = Q(expires_at__lte=now) | Q(state=ExportState.FAILED, asked_at__lte=now - DAY)
    ids = list(Export.objects.filter(over).values_list("id", flat=True))
    ExportPiece.objects.filter(export_id__in=ids).delete()
    Export.objects.filter(id__in=ids).delete()
    return len(ids)


def copies_drop(person_id: uuid.UUID) -> None:
    """Something was forgotten that a copy of this person's may still hold: one that is ready goes, and one that is
    being made is begun anew."""
    rows = Export.objects.filter(owner_id=person_id)
    pieces = ExportPiece.objects.filter(owner_id=person_id)
    with transaction.atomic():
        # Its maker's claim ends with this line: what was read before it is written nowhere.
        for row in rows.filter(state=ExportState.MAKING):
            _held(row).update(state=ExportState.ASKED, lease_until=None)
            enqueue_after_commit("me.export", str(row.id))
        rows.filter(state=ExportState.READY).update(state=ExportState.OLD)
        pieces.delete()


def person_forget(person_id: uuid.UUID) -> None:
    """Delete every copy of the person (erasure)."""
    ExportPiece.objects.filter(owner_id=person_id).delete()
    Export.objects.filter(owner_id=person_id).delete()
