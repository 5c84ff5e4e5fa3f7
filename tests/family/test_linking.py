"""A code, two times yes, and every way in which that must fail: with one sentence that gives nothing away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chatbot.accounts import gate, guardianship
from chatbot.accounts import services as people
from chatbot.accounts.models import Consent, Guardianship, GuardianshipState, LinkCode, Role, TimeLimits, User
from chatbot.core import clock
from chatbot.core.audit import audit_of
from tests.conftest import make_person, make_teen

HERE = "192.0.2.7"


def asked(guardian: User, teen: User) -> Guardianship:
    """The teen made a code, the guardian typed it."""
    code = guardianship.code_make(teen)
    return guardianship.link_ask(guardian, guardianship.code_find(guardian, code, address=HERE))


def linked(guardian: User, teen: User) -> Guardianship:
    return guardianship.link_accept(teen, asked(guardian, teen).id)


def refused(person: User, code: str) -> str:
    with pytest.raises(gate.Refused) as refusal:
        guardianship.code_find(person, code, address=HERE)
    return refusal.value.code


def test_a_code_is_two_groups_of_four_and_only_its_digest_is_kept(ila: User) -> None:
    code = guardianship.code_make(ila)
    assert len(code) == 9
    assert code[4] == "-"
    assert not set(code) & set("0O1IL")
    row = LinkCode.objects.get()
    assert code.replace("-", "") not in str(vars(row))


def test_the_chat_opens_once_both_have_said_yes(ila: User, zoe: User) -> None:
    now = clock.now()
    with pytest.raises(gate.ConsentNeeded):
        gate.may_enter(ila, now=now)
    link = asked(zoe, ila)
    assert (link.state, link.waits_for) == (GuardianshipState.INVITED, Role.TEEN)
    with pytest.raises(gate.ConsentNeeded):  # one yes is not two
        gate.may_enter(ila, now=now)
    with pytest.raises(gate.NotLinked):
        gate.may_oversee(zoe, ila.id, now=now)
    guardianship.link_accept(ila, link.id)
    assert not gate.may_enter(ila, now=now)
    assert gate.may_oversee(zoe, ila.id, now=now).id == link.id
    consent = Consent.objects.get(person=ila)
    assert (consent.kind, consent.method, consent.given_by) == ("chat", "guardian account", "zoe")
    assert consent.version == people.CONSENT_VERSION
    assert {entry.action for entry in audit_of(ila.id)} >= {"guardian_asked", "consent_given", "guardian_linked"}


def test_it_works_the_other_way_round_with_the_guardian_s_code(ila: User, zoe: User) -> None:
    code = guardianship.code_find(ila, guardianship.code_make(zoe).lower().replace("-", " "), address=HERE)
    link = guardianship.link_ask(ila, code)
    assert link.waits_for == Role.GUARDIAN
    assert guardianship.requests_for(zoe) == [link]
    assert not guardianship.requests_for(ila)
    with pytest.raises(guardianship.NothingWaits):  # the teen can't say the guardian's yes
        guardianship.link_accept(ila, link.id)
    guardianship.link_accept(zoe, link.id)
    assert not gate.may_enter(ila, now=clock.now())


def test_brazil_opens_with_a_link(zoe: User, open_house: None) -> None:
    bia = make_teen("bia", age=16, country="BR", region="")
    with pytest.raises(gate.GuardianNeeded):
        gate.may_enter(bia, now=clock.now())
    linked(zoe, bia)
    gate.may_enter(bia, now=clock.now())


def test_a_request_that_is_declined_shares_nothing(ila: User, zoe: User) -> None:
    link = asked(zoe, ila)
    guardianship.link_decline(ila, link.id)
    assert not Consent.objects.exists()
    with pytest.raises(gate.NotLinked):
        gate.may_oversee(zoe, ila.id, now=clock.now())
    with pytest.raises(guardianship.NothingWaits):
        guardianship.link_accept(ila, link.id)
    assert [one.id for one in guardianship.links_ended(zoe)] == [link.id]


def test_a_code_works_once(ila: User, zoe: User) -> None:
    code = guardianship.code_make(ila)
    found = guardianship.code_find(zoe, code, address=HERE)
    guardianship.link_ask(zoe, found)
    with pytest.raises(guardianship.CodeRefused):  # two at once: one is first
        guardianship.link_ask(make_person("yann", Role.GUARDIAN), found)
    assert refused(make_person("yves", Role.GUARDIAN), code) == "code_refused"
    assert Guardianship.objects.count() == 1


def test_of_two_codes_that_cross_the_second_does_not_undo_the_link(ila: User, zoe: User) -> None:
    hers = guardianship.code_find(zoe, guardianship.code_make(ila), address=HERE)
    theirs = guardianship.code_find(ila, guardianship.code_make(zoe), address=HERE)
    link = guardianship.link_accept(ila, guardianship.link_ask(zoe, hers).id)
    with pytest.raises(guardianship.CodeRefused):
        guardianship.link_ask(ila, theirs)
    assert Guardianship.objects.get() == link
    assert Guardianship.objects.get().state == GuardianshipState.ACTIVE
    assert Consent.objects.get().withdrawn_at is None
    gate.may_enter(ila, now=clock.now())


def test_a_code_works_for_two_days_and_no_longer(ila: User, zoe: User) -> None:
    code = guardianship.code_make(ila)
    clock.move_to(clock.now() + timedelta(hours=47, minutes=59))
    found = guardianship.code_find(zoe, code, address=HERE)
    clock.move_to(clock.now() + timedelta(minutes=2))
    assert refused(zoe, code) == "code_refused"
    with pytest.raises(guardianship.CodeRefused):  # looked up in time, used too late
        guardianship.link_ask(zoe, found)


def test_a_new_code_ends_the_old_one(ila: User, zoe: User) -> None:
    old = guardianship.code_make(ila)
    guardianship.code_make(ila)
    assert refused(zoe, old) == "code_refused"


def test_every_wrong_code_gets_the_same_sentence(ila: User, zoe: User, maya: User) -> None:
    used = guardianship.code_make(ila)
    guardianship.link_accept(ila, guardianship.link_ask(zoe, guardianship.code_find(zoe, used, address=HERE)).id)
    again = guardianship.code_make(ila)  # of a teen whom they are linked to already
    own = guardianship.code_make(zoe)
    other_guardian = guardianship.code_make(make_person("yann", Role.GUARDIAN))
    gone = guardianship.code_make(maya)
    maya.is_active = False
    maya.save()
    closed = make_teen("cleo", age=14)
    locked = guardianship.code_make(closed)
    people.person_lock(closed, reason="test")
    wrong = ("ABCD-EFGH", "", "'; drop table", used, again, own, other_guardian, gone, locked)
    assert {refused(zoe, code) for code in wrong} == {"code_refused"}


def test_guessing_is_slowed_by_account_and_by_address(ila: User, zoe: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guardianship, "TRIES_AN_ADDRESS", guardianship.TRIES + 3)
    code = guardianship.code_make(ila)
    for _ in range(guardianship.TRIES):
        assert refused(zoe, "ABCD-EFGH") == "code_refused"
    assert refused(zoe, code) == "too_many_tries"  # the right one too
    for number in range(3):
        assert refused(make_person(f"guesser{number}", Role.GUARDIAN), "ABCD-EFGH") == "code_refused"
    assert refused(make_person("fresh", Role.GUARDIAN), code) == "too_many_tries"
    elsewhere = make_person("elsewhere", Role.GUARDIAN)
    assert guardianship.code_find(elsewhere, code, address="198.51.100.1").maker == ila


def test_one_account_does_not_use_up_what_a_school_shares(ila: User, zoe: User) -> None:
    code = guardianship.code_make(ila)
    for _ in range(guardianship.TRIES_AN_ADDRESS + 10):
        refused(zoe, "ABCD-EFGH")
    assert guardianship.code_find(make_person("fresh", Role.GUARDIAN), code, address=HERE).maker == ila


def test_right_codes_count_for_nobody_else(ila: User, zoe: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guardianship, "TRIES_AN_ADDRESS", 1)
    code = guardianship.code_make(ila)
    for number in range(3):
        assert guardianship.code_find(make_person(f"right{number}", Role.GUARDIAN), code, address=HERE).maker == ila
    assert refused(zoe, "ABCD-EFGH") == "code_refused"
    assert refused(make_person("fresh", Role.GUARDIAN), code) == "too_many_tries"


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OPERATOR])
def test_nobody_who_works_here_is_a_guardian(ila: User, role: Role) -> None:
    staff = make_person("staff", role)
    assert refused(staff, guardianship.code_make(ila)) == "not_a_guardian"
    with pytest.raises(gate.NotAGuardian):
        guardianship.code_make(staff)


def test_a_guardian_who_comes_to_work_here_sees_nothing_any_more(ila: User, zoe: User) -> None:
    link = linked(zoe, ila)
    zoe.role = Role.MODERATOR
    zoe.save()
    with pytest.raises(gate.NotAGuardian):
        gate.may_oversee(zoe, ila.id, now=clock.now())
    assert link.state == GuardianshipState.ACTIVE


def test_a_teen_is_nobody_s_guardian(ila: User, maya: User) -> None:
    assert refused(maya, guardianship.code_make(ila)) == "code_refused"
    with pytest.raises(gate.Refused):
        gate.may_oversee(maya, ila.id, now=clock.now())


def test_somebody_of_18_has_no_guardian_and_a_link_ends_on_that_day(leo: User, zoe: User) -> None:
    link = linked(zoe, leo)
    TimeLimits.objects.create(person=leo, minutes_a_day=10, set_by=Role.GUARDIAN)
    clock.move_to(clock.now() + timedelta(days=400))
    now = clock.now()
    assert gate.limits_of(leo, now).minutes == 90  # before any sweep has been there
    with pytest.raises(gate.NotLinked):
        gate.may_oversee(zoe, leo.id, now=now)
    with pytest.raises(gate.Refused):
        guardianship.code_make(leo)
    assert guardianship.links_outgrown() == 1
    link.refresh_from_db()
    assert (link.state, link.ended_by) == (GuardianshipState.ENDED, "")


def test_a_request_that_nobody_answers_is_gone_after_a_week(ila: User, zoe: User) -> None:
    link = asked(zoe, ila)
    clock.move_to(clock.now() + timedelta(days=8))
    assert not guardianship.requests_for(ila)
    with pytest.raises(guardianship.NothingWaits):
        guardianship.link_accept(ila, link.id)


def test_the_guardian_takes_the_yes_back_in_one_step_and_says_it_again(ila: User, zoe: User) -> None:
    linked(zoe, ila)
    guardianship.consent_take_back(zoe, ila.id)
    with pytest.raises(gate.ConsentWithdrawn):
        gate.may_enter(ila, now=clock.now())
    guardianship.consent_renew(zoe, ila.id)
    gate.may_enter(ila, now=clock.now())
    assert Consent.objects.filter(person=ila, withdrawn_at=None).count() == 1


def test_one_guardian_s_no_ends_with_their_link_and_the_other_s_yes_is_still_theirs(ila: User, zoe: User) -> None:
    other = make_person("yan", Role.GUARDIAN)
    linked(zoe, ila)
    link = linked(other, ila)
    guardianship.consent_take_back(other, ila.id)
    with pytest.raises(gate.ConsentWithdrawn):
        gate.may_enter(ila, now=clock.now())
    guardianship.link_end(other, link.id)
    gate.may_enter(ila, now=clock.now())
    guardianship.consent_take_back(zoe, ila.id)
    assert not Consent.objects.filter(person=ila, withdrawn_at=None).exists()


def test_taking_the_yes_back_closes_the_chat_where_the_law_asks_for_none(maya: User, zoe: User) -> None:
    linked(zoe, maya)
    guardianship.consent_take_back(zoe, maya.id)
    with pytest.raises(gate.ConsentWithdrawn):
        gate.may_enter(maya, now=clock.now())


def test_somebody_else_s_guardian_takes_nothing_back(maya: User, ana: User, zoe: User) -> None:
    for deed in (guardianship.consent_take_back, guardianship.consent_renew):
        with pytest.raises(gate.NotLinked):
            deed(zoe, maya.id)
    gate.may_enter(maya, now=clock.now())


def test_from_16_a_teen_ends_the_link_and_what_was_set_ends_with_it(leo: User, zoe: User) -> None:
    link = linked(zoe, leo)
    TimeLimits.objects.create(person=leo, minutes_a_day=15, memory_off=True, memory_paused=True, set_by=Role.GUARDIAN)
    assert guardianship.link_end(leo, link.id) == (True, leo.id)
    limits = TimeLimits.objects.get(person=leo)
    assert (limits.minutes_a_day, limits.memory_off, limits.set_by) == (None, False, "")
    assert limits.memory_paused  # the teen's own switch is the teen's
    assert gate.limits_of(leo, clock.now()).minutes == 90
    assert not Consent.objects.filter(person=leo, withdrawn_at=None).exists()
    with pytest.raises(gate.NotLinked):
        gate.may_oversee(zoe, leo.id, now=clock.now())
    assert [(one.teen, one.ended_by) for one in guardianship.links_ended(zoe)] == [(leo, Role.TEEN)]


def test_under_16_a_teen_asks_and_the_guardian_confirms(maya: User, zoe: User) -> None:
    link = linked(zoe, maya)
    assert guardianship.link_end(maya, link.id) == (False, maya.id)
    link.refresh_from_db()
    assert link.state == GuardianshipState.ACTIVE
    assert link.end_asked_at is not None
    assert guardianship.link_end(zoe, link.id) == (True, maya.id)


def test_somebody_else_ends_no_link(maya: User, ana: User, zoe: User, leo: User) -> None:
    link = maya.guardianships.get()
    for person in (zoe, leo):
        with pytest.raises(gate.NotLinked):
            guardianship.link_end(person, link.id)


def test_with_a_second_guardian_what_was_set_stays_until_the_last_one_goes(maya: User, zoe: User) -> None:
    first = linked(zoe, maya)
    second = linked(make_person("yann", Role.GUARDIAN), maya)
    TimeLimits.objects.create(person=maya, minutes_a_day=15, set_by=Role.GUARDIAN)
    guardianship.link_end(zoe, first.id)
    assert gate.limits_of(maya, clock.now()).minutes == 15
    guardianship.link_end(second.guardian, second.id)
    assert gate.limits_of(maya, clock.now()).minutes == 60


def test_linking_again_starts_afresh(maya: User, zoe: User) -> None:
    first = linked(zoe, maya)
    guardianship.link_end(zoe, first.id)
    clock.move_to(clock.now() + timedelta(hours=1))
    second = linked(zoe, maya)
    assert second.id == first.id  # one row a pair
    assert (second.ended_at, second.ended_by, second.withdrawn_at) == (None, "", None)
    assert not guardianship.links_ended(zoe)


def test_a_guardian_s_account_that_goes_takes_links_limits_and_name_along(ila: User, zoe: User) -> None:
    linked(zoe, ila)
    TimeLimits.objects.create(person=ila, minutes_a_day=15, set_by=Role.GUARDIAN)
    guardianship.links_end(zoe.id)
    zoe.delete()
    assert gate.limits_of(ila, clock.now()).minutes == 60
    assert Consent.objects.get().given_by == "guardian"
    with pytest.raises(gate.ConsentNeeded):
        gate.may_enter(ila, now=clock.now())
