"""A guardian's request to delete: until it begins it can be taken back, and whoever is told so keeps the account."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from chatbot.accounts import erasure, gate, guardianship
from chatbot.accounts import services as people
from chatbot.accounts.models import ErasureReason, ErasureRequest, Guardianship, User
from chatbot.core import clock, keys
from chatbot.core.models import AuditEntry
from moderation.incidents.services import incident_file
from moderation.types import Decision
from tests.conftest import make_teen
from tests.family.conftest import SignIn

GRAVE = Decision("crisis", 4, "L3", ("T01",), "suicide_L3", incident=True, about="self")
Meanwhile = Callable[[User], object]


@pytest.fixture
def two(open_house: None, zoe: User) -> list[User]:
    """Two teens of 17 whose guardian asked for both to be deleted, a week ago."""
    teens = [make_teen(name, age=17) for name in ("nia", "noah")]
    for teen in teens:
        people.guardianship_start(teen=teen, guardian=zoe)
        keys.data_key(teen.id, make=True)
        erasure.erasure_ask_for(guardian=zoe, teen_id=teen.id)
    clock.move_to(clock.now() + timedelta(days=7, minutes=1))
    return teens


def take_back(teen: User) -> object:
    return erasure.erasure_take_back(guardian=User.objects.get(username="zoe"), teen_id=teen.id)


def end_link(teen: User) -> object:
    return guardianship.link_end(teen, Guardianship.objects.get(teen=teen).id)


def file_incident(teen: User) -> object:
    return incident_file(
        person_id=teen.id, conversation_id=None, turn_id=None, decision=GRAVE, excerpt="words", kind="message"
    )


@pytest.mark.parametrize("meanwhile", [take_back, end_link, file_incident])
def test_what_happens_while_the_sweep_runs_the_one_before_counts(
    two: list[User], meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[uuid.UUID] = []
    runs = erasure.erasure_run

    def run(person_id: uuid.UUID) -> None:
        ran.append(person_id)
        runs(person_id)
        if len(ran) == 1:
            meanwhile(next(teen for teen in two if teen.id != person_id))

    monkeypatch.setattr(erasure, "erasure_run", run)
    assert erasure.erasures_due() == 1
    kept = next(teen for teen in two if teen.id != ran[0])
    assert User.objects.get(id=kept.id).is_active
    assert keys.data_key(kept.id)
    assert [entry.subject_id for entry in AuditEntry.objects.filter(action="account_erased")] == ran


def test_once_begun_it_says_so_and_a_crash_is_finished(
    two: list[User], zoe: User, monkeypatch: pytest.MonkeyPatch, sign_in: SignIn
) -> None:
    def crash(person_id: uuid.UUID) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "erasure_run", crash)
        assert erasure.erasures_due() == 0
    nia = User.objects.get(id=two[0].id)
    assert not nia.is_active
    link = Guardianship.objects.get(teen=nia)
    grown = sign_in(zoe)
    for path, given in ((f"/family/{nia.id}/delete/", {"take_back": "1"}), (f"/family/links/{link.id}/end/", {})):
        said = grown.post(path, given)
        assert said.status_code == 403
        assert "too late to take that back" in said.content.decode()
    with pytest.raises(gate.ErasureBegun):  # a page that was asked for a moment before
        guardianship.link_end(two[0], link.id)
    link.refresh_from_db()
    assert link.state == "active"
    file_incident(nia)  # filed too late: what is half destroyed is not left so
    assert erasure.erasures_due() == 2
    assert not User.objects.filter(id__in=[teen.id for teen in two]).exists()
    assert AuditEntry.objects.filter(action="account_erased").count() == 2
    with pytest.raises(gate.ErasureBegun):
        take_back(nia)


def test_a_link_that_went_with_the_account_is_not_said_to_have_ended(
    two: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = gate.may_end

    def all_gone(person: User, link: Guardianship, **given: datetime) -> bool:
        assert erasure.erasures_due() == 2
        return asked(person, link, **given)

    monkeypatch.setattr(gate, "may_end", all_gone)
    with pytest.raises(gate.ErasureBegun):
        end_link(two[0])


def test_a_guardian_who_leaves_takes_nothing_back_that_has_begun(
    two: list[User], zoe: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "erasure_run", lambda person_id: None)
        erasure.erasures_due()
    erasure.erasure_ask(actor=zoe, person=zoe)
    assert ErasureRequest.objects.filter(reason=ErasureReason.GUARDIAN).count() == 2
    assert not Guardianship.objects.filter(state="active").exists()
    assert erasure.erasures_due() == 3


def test_what_has_begun_is_not_put_off_and_not_opened_again(two: list[User], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "erasure_run", lambda person_id: None)
        erasure.erasures_due()
    assert erasure.age_doubted(two[0].id)
    with pytest.raises(erasure.TooLate):
        erasure.person_unlock(two[0], reason="they are 17")
    assert erasure.erasures_due() == 2
