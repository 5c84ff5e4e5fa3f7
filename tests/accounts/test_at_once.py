"""Accounts in the same moment from two sides. tests/service/test_rows.py runs these on PostgreSQL."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from chatbot.accounts import erasure, gate, guardianship, services
from chatbot.accounts.models import ErasureRequest, Role, TimeLimits, User
from chatbot.chat import services as chat
from chatbot.chat.models import Conversation, Message, Turn
from chatbot.core import clock
from chatbot.core.audit import audit_broken_at
from chatbot.core.choices import choice, choice_set
from chatbot.core.models import AuditEntry
from tests.at_once import at_once, came
from tests.conftest import make_person, make_teen

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def maya() -> Iterator[User]:
    choice_set("regions", {"*": "allow"})
    yield make_teen("maya", age=15)
    clock.reset()


def audited(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


def test_a_recovery_code_lets_one_in_of_those_who_give_it_at_once(maya: User) -> None:
    code = services.recovery_code_make(maya)
    passwords = [f"three odd words {number}" for number in range(4)]
    found = at_once(
        *[
            lambda password=password: services.password_recover(username="Maya", code=code, password=password)
            for password in passwords
        ]
    )
    got_in = [at for at, one in enumerate(found) if isinstance(one, tuple)]
    assert len(got_in) == 1
    assert sum(isinstance(one, services.RecoveryFailed) for one in found) == 3
    maya.refresh_from_db()
    assert maya.check_password(passwords[got_in[0]])
    assert audited("password_recovered") == 1


def test_a_recovery_link_lets_one_in(maya: User) -> None:
    secret = services.recovery_link_make(maya, reason="forgot it")
    found = at_once(*[lambda: services.recovery_link_use(secret=secret, password="three odd words")] * 4)
    assert sum(isinstance(one, tuple) for one in found) == 1
    assert audited("password_recovered") == 1


def test_the_clock_moves_once_a_day_whatever_is_tapped_in_between(maya: User) -> None:
    zones = ("Europe/Paris", "America/Sao_Paulo", "Asia/Tokyo")
    found = at_once(*[lambda zone=zone: services.time_zone_set(User.objects.get(id=maya.id), zone) for zone in zones])
    assert sum(one is None for one in found) == 1
    assert sum(isinstance(one, services.TooSoon) for one in found) == 2
    for _ in range(60):  # a long list of other entries does not hide the move
        services.memory_pause(maya, paused=True)
    with pytest.raises(services.TooSoon):
        services.time_zone_set(User.objects.get(id=maya.id), "UTC")


def test_switches_and_consents_at_once_all_stand_in_the_trail(maya: User) -> None:
    came(
        at_once(
            *[lambda: services.memory_pause(maya, paused=True)] * 3,
            *[lambda: services.consent_give(person=maya, given_by="operator", method="form") and None] * 3,
        )
    )
    assert TimeLimits.objects.get().memory_paused
    assert (audited("memory_paused"), audited("consent_given"), maya.consents.count()) == (3, 3, 3)
    assert audit_broken_at() is None


def test_consents_hold_no_more_than_their_columns(maya: User) -> None:
    consent = services.consent_give(person=maya, given_by="host:\x00" + "h" * 99, method="m\x00" + "m" * 99)
    assert (len(consent.given_by), len(consent.method)) == (64, 64)


def test_who_seems_under_13_and_wants_to_leave_in_that_moment_leaves(maya: User) -> None:
    for number in range(4):
        person = make_teen(f"teen{number}", age=15)
        doubted, asked = at_once(
            lambda person=person: erasure.age_doubted(person.id),
            lambda person=person: erasure.erasure_ask(actor=person, person=person),
        )
        assert isinstance(doubted, bool)
        assert asked is None
        request = ErasureRequest.objects.get(person_id=person.id)
        assert request.due_at <= clock.now() or request.reason == "asked"
        assert not User.objects.get(id=person.id).is_active


def test_messages_on_their_way_keep_nobody_from_leaving(maya: User) -> None:
    conversation = chat.conversation_start(person=maya)
    over, said = threading.Event(), threading.Event()

    def say() -> None:
        while not over.is_set():
            try:
                chat.message_accept(person=maya, conversation=conversation, client_id=uuid.uuid4(), text="hi")
            except Exception:  # the key or the conversation has gone: nothing more is stored
                break
            said.set()
        connections.close_all()

    talkers = [threading.Thread(target=say) for _ in range(3)]
    for one in talkers:
        one.start()
    try:
        assert said.wait(20)
        erasure.erasure_ask(actor=maya, person=maya)
        erasure.erasure_run(maya.id)
    finally:
        over.set()
        for one in talkers:
            one.join()
    clock.move_to(clock.now() + erasure.AGAIN + timedelta(seconds=1))
    erasure.erasures_due()
    assert [table.objects.count() for table in (Message, Turn, Conversation, ErasureRequest)] == [0, 0, 0, 0]
    assert audited("account_erased") == 1


def test_two_who_erase_at_once_do_it_once(maya: User) -> None:
    erasure.erasure_ask(actor=maya, person=maya)
    came(at_once(*[lambda: erasure.erasure_run(maya.id)] * 3))
    assert audited("account_erased") == 1
    assert not User.objects.filter(id=maya.id).exists()


def test_a_choice_made_twice_at_once_is_one_of_the_two() -> None:
    came(at_once(*[lambda value=value: choice_set("staff_hours", value) for value in ("8-16", "9-17")]))
    assert choice("staff_hours") in ("8-16", "9-17")


def test_a_link_that_ends_while_the_guardian_leaves_is_ended_once(maya: User, ana: User) -> None:
    link = maya.guardianships.get()
    asked, ended = at_once(
        lambda: erasure.erasure_ask(actor=ana, person=ana), lambda: guardianship.link_end(ana, link.id)
    )
    assert asked is None
    assert not isinstance(ended, Exception) or isinstance(ended, gate.Refused)
    assert audited("guardian_unlinked") == 1


def test_a_guardian_of_two_leaves_while_both_teens_change_a_switch(maya: User, ana: User) -> None:
    for number in range(4):
        guardian, teens = (
            make_person(f"leaver{number}", Role.GUARDIAN),
            [make_teen(f"t{number}{at}", age=15) for at in "ab"],
        )
        for teen in teens:
            services.guardianship_start(teen=teen, guardian=guardian)
            TimeLimits.objects.create(person=teen, minutes_a_day=30, set_by=Role.GUARDIAN)
        came(
            at_once(
                lambda guardian=guardian: erasure.erasure_ask(actor=guardian, person=guardian),
                *[lambda teen=teen: services.memory_pause(teen, paused=True) for teen in teens],
            )
        )
    assert audited("guardian_unlinked") == 8
    assert audit_broken_at() is None


def test_whoever_leaves_holds_the_audit_trail_only_once_all_rows_are_changed(maya: User, ana: User) -> None:
    services.guardianship_start(teen=make_teen("leo", age=17), guardian=ana)
    with CaptureQueriesContext(connection) as seen:
        erasure.erasure_ask(actor=ana, person=ana)
    asked = [query["sql"] for query in seen.captured_queries]
    asked = asked[: next(at for at, sql in enumerate(asked) if sql.startswith("COMMIT"))]
    changes = [sql for sql in asked if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    first = next(at for at, sql in enumerate(changes) if "core_auditentry" in sql)
    assert all("core_auditentry" in sql for sql in changes[first:])
    assert audited("guardian_unlinked") == audited("guardian_left") == 2


def test_what_is_said_to_be_taken_back_is_not_run_by_the_sweep_of_that_moment(maya: User, ana: User) -> None:
    for number in range(6):
        teen = make_teen(f"due{number}", age=15)
        services.guardianship_start(teen=teen, guardian=ana)
        erasure.erasure_ask_for(guardian=ana, teen_id=teen.id)
        with clock.at(clock.now() + timedelta(days=7, minutes=1)):
            back, ran = at_once(
                lambda teen=teen: erasure.erasure_take_back(guardian=ana, teen_id=teen.id), erasure.erasures_due
            )
        there = User.objects.filter(id=teen.id, is_active=True).exists()
        assert (back is True) == there
        assert ran == (0 if there else 1)
        assert there or isinstance(back, gate.Refused)
    assert audited("erasure_taken_back") + audited("account_erased") == 6


def test_a_link_that_is_said_to_have_ended_keeps_its_teen_and_the_sweep_of_that_moment_too(maya: User) -> None:
    for number in range(6):
        teen, guardian = make_teen(f"old{number}", age=17), make_person(f"grown{number}", Role.GUARDIAN)
        link = services.guardianship_start(teen=teen, guardian=guardian)
        erasure.erasure_ask_for(guardian=guardian, teen_id=teen.id)
        with clock.at(clock.now() + timedelta(days=7, minutes=1)):
            ended, ran = at_once(
                lambda teen=teen, link=link: guardianship.link_end(teen, link.id)[0], erasure.erasures_due
            )
        there = User.objects.filter(id=teen.id, is_active=True).exists()
        assert (ended is True) == there
        assert ran == (0 if there else 1)
        assert there or isinstance(ended, gate.Refused)
