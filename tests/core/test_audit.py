from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError

from chatbot.core import clock
from chatbot.core.audit import audit_broken_at, audit_of, audit_record, audit_since
from chatbot.core.ids import new_id
from chatbot.core.locks import hold
from chatbot.core.models import AuditEntry
from tests.at_once import at_once, came

pytestmark = pytest.mark.django_db


def test_a_whole_chain_is_whole_and_its_owner_sees_only_their_entries() -> None:
    owner = new_id()
    audit_record(actor="operator", subject=owner, action="recovery_link_made", detail={"reason": "forgot"})
    audit_record(actor="operator", subject=new_id(), action="recovery_link_made")
    assert audit_broken_at() is None
    assert [entry.action for entry in audit_of(owner)] == ["recovery_link_made"]


@pytest.mark.parametrize("harm", ["change", "remove"])
def test_a_changed_or_removed_entry_breaks_the_chain(harm: str) -> None:
    for number in range(4):
        audit_record(actor="operator", subject=None, action=f"step{number}")
    second = AuditEntry.objects.filter(number=2)
    if harm == "change":
        second.update(actor="nobody")
    else:
        second.delete()
    assert audit_broken_at() == 2


def test_what_no_database_can_keep_is_kept_as_far_as_it_goes() -> None:
    audit_record(
        actor="a\x00b" + "c" * 99, subject=None, action="d" * 99, detail={"reason": "e\x00f\ud83d", "count": 1}
    )
    entry = AuditEntry.objects.get()
    assert (len(entry.actor), len(entry.action), entry.detail) == (64, 64, {"reason": "ef\ufffd", "count": 1})
    assert audit_broken_at() is None


def test_what_was_done_since_is_found_behind_any_number_of_other_entries() -> None:
    owner, before = new_id(), clock.now()
    audit_record(actor="self", subject=owner, action="time_zone_changed")
    for _ in range(60):
        audit_record(actor="self", subject=owner, action="memory_paused")
    assert audit_since(owner, "time_zone_changed", before - timedelta(seconds=1))
    assert not audit_since(owner, "time_zone_changed", clock.now())
    assert not audit_since(new_id(), "time_zone_changed", before - timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_many_who_write_at_once_make_one_chain() -> None:
    def write() -> None:
        for _ in range(8):
            audit_record(actor="house", subject=None, action="step")

    came(at_once(*[write] * 6))
    assert list(AuditEntry.objects.values_list("number", flat=True)) == list(range(1, 49))
    assert audit_broken_at() is None


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_taken_back_leaves_no_gap() -> None:
    def write(fails: bool) -> None:
        for _ in range(8):
            with transaction.atomic():
                audit_record(actor="house", subject=None, action="step")
                if fails:
                    transaction.set_rollback(True)

    came(at_once(*[lambda: write(True), lambda: write(False)] * 3))
    assert AuditEntry.objects.count() == 24
    assert audit_broken_at() is None


@pytest.mark.django_db(transaction=True)
def test_a_name_is_held_in_a_transaction_only() -> None:
    with pytest.raises(TransactionManagementError):
        hold("audit")
