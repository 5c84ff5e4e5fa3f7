from __future__ import annotations

import pytest

from chatbot.core.audit import audit_broken_at, audit_of, audit_record
from chatbot.core.ids import new_id
from chatbot.core.models import AuditEntry

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
