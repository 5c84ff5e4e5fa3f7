"""A guardian is asked to look after their teen: after the teen was told, once, and without a word of the chat (4.9)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connection
from django.test import Client
from pytest_django import Settings

from chatbot.accounts import services as people
from chatbot.accounts.models import GuardianAlert, Role, User
from chatbot.chat import answering, dangers
from chatbot.chat.models import Turn, TurnState
from chatbot.chat.turn import turn_run
from chatbot.core import clock, jobs
from chatbot.core.audit import audit_of
from chatbot.core.database import in_database
from chatbot.family import alerts
from moderation.crisis.texts import texts_of
from moderation.incidents.adults import adults_waiting
from moderation.incidents.models import Incident, IncidentEvent
from moderation.types import LANGUAGES
from tests.chat.house import DANGERS, NOON, answered, close_gate, database_away, says, take
from tests.conftest import make_person
from tests.family.conftest import BACKEND

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]
NONCE = "aubergine"
SAID = f"im going to kill myself, and my {NONCE} plant can't stop me"
TOLD = {variant for language in LANGUAGES for variant in texts_of(language).playbooks["adult_told"].first[0].variants}


@sync_to_async
def page_of(guardian: User, teen: User) -> str:
    client = Client()
    client.force_login(guardian, backend=BACKEND)
    return client.get("/family/").content.decode() + client.get(f"/family/{teen.id}/").content.decode()


def told(reply: str) -> bool:
    return any(line in reply for line in TOLD)


async def events() -> list[str]:
    rows = IncidentEvent.objects.filter(action__contains="adult") | IncidentEvent.objects.filter(
        action__contains="guardian"
    )
    return [event.action async for event in rows.order_by("id")]


async def test_the_teen_is_told_first_then_the_guardian_without_a_word(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    taken = await take(maya_now, SAID)
    assert taken.acceptance is not None
    turn, reply = await answered_turn(taken.acceptance.turn_id)
    assert told(reply)
    assert turn.trace["adult_told"]
    await in_database(jobs.drain)
    alert = await GuardianAlert.objects.select_related("link").aget()
    assert (alert.link.guardian_id, alert.kind, alert.held) == (ana_now.id, "person", False)
    page = await page_of(ana_now, maya_now)
    assert "Please check on them now" in page
    assert NONCE not in page
    assert "plant" not in page
    assert "T01" not in page
    assert await events() == ["adult_wanted", "guardian_told"]
    assert "guardian_alerted" in [entry.action for entry in await in_database(audit_of, maya_now.id)]


async def answered_turn(turn_id: uuid.UUID) -> tuple[Turn, str]:
    assert await turn_run(turn_id)
    turn = await Turn.objects.aget(id=turn_id)
    return turn, await in_database(lambda: " ".join(one.text for one in turn.sentences.all()))


async def test_while_the_line_is_still_coming_nobody_is_asked(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    taken = await take(maya_now, SAID)
    assert taken.acceptance is not None
    begun = await in_database(lambda: answering.turn_claim(taken.acceptance.turn_id, now=clock.now()))
    assert begun is not None
    person, decision = maya_now, await in_database(dangers.danger_in, SAID, maya_now)
    assert decision is not None
    await in_database(lambda: file_for(person, taken.acceptance.turn_id, decision))
    await in_database(jobs.drain)
    assert await GuardianAlert.objects.acount() == 0
    assert await in_database(lambda: jobs.run_sweep("family.alert")) == 0
    clock.move_to(clock.now() + alerts.LINE_WAITS + timedelta(seconds=1))  # the process died: at most a minute
    assert await in_database(lambda: jobs.run_sweep("family.alert")) == 1
    assert await GuardianAlert.objects.acount() == 1


async def test_once_the_line_is_stored_nobody_waits_for_the_turn_to_be_closed(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    taken = await take(maya_now, SAID)
    assert taken.acceptance is not None
    turn, _ = await answered_turn(taken.acceptance.turn_id)
    await Turn.objects.filter(id=turn.id).aupdate(state=TurnState.ANSWERING)  # a worker is quicker than the last write
    await in_database(jobs.drain)
    assert await GuardianAlert.objects.acount() == 1


def file_for(person: User, turn_id: uuid.UUID, decision: object) -> Incident:
    from moderation.incidents.services import incident_file

    return incident_file(
        person_id=person.id,
        conversation_id=None,
        turn_id=turn_id,
        decision=decision,  # type: ignore[arg-type]  # as the rules gave it
        excerpt=None,
        kind="message",
    )


async def test_a_lost_job_is_found_again_and_nobody_is_asked_twice(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    await answered(maya_now, SAID)
    jobs.forget_waiting()
    assert await GuardianAlert.objects.acount() == 0
    clock.move_to(clock.now() + timedelta(minutes=1))
    for _ in range(3):
        await in_database(lambda: jobs.run_sweep("family.alert"))
        incident = await Incident.objects.aget()
        await in_database(jobs.run_job, "family.alert", str(incident.id))
    assert await GuardianAlert.objects.acount() == 1
    assert await events() == ["adult_wanted", "guardian_told"]


async def test_one_call_for_help_makes_one_alert_until_it_was_seen(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    for _ in range(3):
        await answered(maya_now, SAID)
        await in_database(jobs.drain)
    assert await GuardianAlert.objects.acount() == 1
    await GuardianAlert.objects.aupdate(seen_at=clock.now())
    await answered(maya_now, SAID)
    await in_database(jobs.drain)
    assert await GuardianAlert.objects.acount() == 2


async def test_the_teen_is_told_once_a_conversation_and_not_at_every_message(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    _, first = await answered(maya_now, SAID)
    _, second = await answered(maya_now, SAID)
    assert told(first)
    assert not told(second)


@pytest.mark.parametrize("danger", ["L1", "L2", "abuse"])
async def test_less_than_a_life_in_danger_and_abuse_are_told_nobody(maya_now: User, ana_now: User, danger: str) -> None:
    says("Never this.")
    _, reply = await answered(maya_now, DANGERS[danger])
    await in_database(jobs.drain)
    assert not told(reply)
    assert await GuardianAlert.objects.acount() == 0


async def test_a_friend_in_danger_is_not_the_guardian_s_own_teen(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    _, reply = await answered(maya_now, "my friend is going to kill himself tonight")
    await in_database(jobs.drain)
    assert not told(reply)
    assert await GuardianAlert.objects.acount() == 0


async def test_without_a_guardian_nobody_is_named_and_staff_read_that_nobody_was(maya_now: User) -> None:
    says("Never this.")
    _, reply = await answered(maya_now, SAID)
    await in_database(jobs.drain)
    assert not told(reply)
    assert await events() == ["adult_wanted", "guardian_not_told"]


async def test_a_guardian_who_has_not_been_accepted_is_not_asked(maya_now: User, ana_now: User) -> None:
    await maya_now.guardianships.aupdate(state="invited")
    says("Never this.")
    _, reply = await answered(maya_now, SAID)
    await in_database(jobs.drain)
    assert not told(reply)
    assert await GuardianAlert.objects.acount() == 0


@pytest.mark.parametrize("closed", ["quiet", "limit", "locked", "consent"])
async def test_a_closed_chat_asks_the_guardian_too(maya_now: User, ana_now: User, closed: str) -> None:
    says("Never this.")
    await in_database(close_gate, maya_now, closed)
    taken = await take(maya_now, SAID)
    if taken.acceptance is not None:
        _, reply = await answered_turn(taken.acceptance.turn_id)
    else:
        assert taken.danger is not None
        reply = " ".join(taken.danger.bubbles)
    await in_database(jobs.drain)
    assert told(reply)
    assert await GuardianAlert.objects.acount() == 1


async def test_home_as_the_danger_is_told_nobody_at_home(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    await answered(maya_now, DANGERS["abuse"])
    _, reply = await answered(maya_now, SAID)
    await in_database(jobs.drain)
    assert not told(reply)
    alert = await GuardianAlert.objects.aget()
    assert alert.held
    assert "guardian_not_told" in await events()
    assert "guardian_alerted" not in [entry.action for entry in await in_database(audit_of, maya_now.id)]


async def test_home_as_the_danger_is_remembered_of_words_that_could_not_be_stored(
    maya_now: User, ana_now: User
) -> None:
    says("Never this.")
    async with database_away():
        await take(maya_now, DANGERS["abuse"])
    assert await dangers.unfiled_file() == 1
    await answered(maya_now, SAID)
    await in_database(jobs.drain)
    assert (await GuardianAlert.objects.aget()).held


async def test_a_danger_met_while_the_database_was_away_is_staff_s_and_no_alert(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    async with database_away():
        taken = await take(maya_now, SAID)
    assert taken.danger is not None
    assert not told(" ".join(taken.danger.bubbles))
    assert await dangers.unfiled_file() == 1
    await in_database(jobs.drain)
    clock.move_to(clock.now() + timedelta(minutes=1))
    await in_database(lambda: jobs.run_sweep("family.alert"))
    assert (await Incident.objects.acount(), await GuardianAlert.objects.acount()) == (1, 0)
    assert await events() == ["guardian_not_asked"]
    assert "Please check on them now" not in await page_of(ana_now, maya_now)


async def test_home_as_the_danger_is_noted_although_filing_has_to_wait(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    await answered(maya_now, SAID)  # its alert is not made yet
    async with database_away():
        await take(maya_now, f"{DANGERS['abuse']}. {SAID}")
    await in_database(_incidents_move, "incidents_incident", "incidents_elsewhere")
    assert await dangers.unfiled_file() == 0
    await in_database(_incidents_move, "incidents_elsewhere", "incidents_incident")
    await in_database(jobs.drain)
    assert (await GuardianAlert.objects.aget()).held
    assert await dangers.unfiled_file() == 1


def _incidents_move(table: str, to: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {to}")


async def test_home_as_the_danger_is_remembered_of_words_that_were_too_long(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    assert await dangers.danger_unkept(maya_now, DANGERS["abuse"] + " and so on" * 500)
    await answered(maya_now, SAID)
    await in_database(jobs.drain)
    assert (await GuardianAlert.objects.aget()).held


async def test_an_alert_that_was_not_shown_yet_is_held_back_once_home_is_the_danger(
    maya_now: User, ana_now: User
) -> None:
    says("Never this.")
    await answered(maya_now, SAID)
    await in_database(jobs.drain)
    assert await GuardianAlert.objects.filter(held=False).acount() == 1
    await answered(maya_now, DANGERS["abuse"])  # the last that is said: it has nobody asked, and no job comes of it
    assert await GuardianAlert.objects.filter(held=False).acount() == 0
    assert "Please check on them now" not in await page_of(ana_now, maya_now)
    assert "guardian_alerted" not in [entry.action for entry in await in_database(audit_of, maya_now.id)]
    assert await events() == ["adult_wanted", "guardian_told", "guardian_held_back"]
    await answered(maya_now, SAID)
    await in_database(jobs.drain)
    assert await GuardianAlert.objects.filter(held=False).acount() == 0
    assert "Please check on them now" not in await page_of(ana_now, maya_now)


async def test_home_is_safe_again_and_the_guardian_is_asked_again(maya_now: User, ana_now: User) -> None:
    from moderation.incidents.services import home_danger_lift

    says("Never this.")
    await answered(maya_now, DANGERS["abuse"])
    await in_database(lambda: home_danger_lift(person_id=maya_now.id, actor="rui"))
    await answered(maya_now, SAID)
    await in_database(jobs.drain)
    assert await GuardianAlert.objects.filter(held=False).acount() == 1


async def test_the_mail_says_only_that_there_is_something_to_look_at(
    maya_now: User, ana_now: User, settings: Settings
) -> None:
    settings.EMAIL_URL, settings.HOUSE_URL = "smtp://localhost", "https://abraco.example"
    ana_now.email = "ana@example.org"
    await ana_now.asave()
    says("Never this.")
    await answered(maya_now, SAID)
    await in_database(jobs.drain)
    await in_database(lambda: jobs.run_sweep("family.mail"))
    assert len(mail.outbox) == 1
    note = mail.outbox[0]
    everything = f"{note.subject} {note.body} {note.message()}".lower()
    assert note.to == ["ana@example.org"]
    assert "https://abraco.example/family/" in note.body
    for word in (NONCE, "maya", "kill", "suicide", "danger", "crisis", "t01"):
        assert word not in everything


async def test_without_an_address_or_a_way_to_send_there_is_no_mail(
    maya_now: User, ana_now: User, settings: Settings
) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    says("Never this.")
    await answered(maya_now, SAID)
    await in_database(jobs.drain)
    settings.EMAIL_URL = ""
    ana_now.email = "ana@example.org"
    await ana_now.asave()
    await in_database(lambda: jobs.run_sweep("family.mail"))
    assert mail.outbox == []


async def test_a_mail_that_can_t_be_sent_is_tried_again(maya_now: User, ana_now: User, settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    ana_now.email = "ana@example.org"
    await ana_now.asave()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 9,
    )  # fmt: skip
    says("Never this.")
    await answered(maya_now, SAID)
    await in_database(jobs.drain)
    assert (await GuardianAlert.objects.aget()).mailed_at is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert await in_database(lambda: jobs.run_sweep("family.mail")) == 1
    assert len(mail.outbox) == 1


async def test_an_incident_of_yesterday_wakes_nobody(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    await answered(maya_now, SAID)
    jobs.forget_waiting()
    clock.move_to(NOON + timedelta(days=1, minutes=1))
    assert not await in_database(lambda: adults_waiting(older_than=alerts.LINE_WAITS))


async def test_of_two_guardians_both_are_asked(maya_now: User, ana_now: User) -> None:
    yann = await sync_to_async(make_person)("yann", Role.GUARDIAN)
    await in_database(lambda: people.guardianship_start(teen=maya_now, guardian=yann))
    says("Never this.")
    await answered(maya_now, SAID)
    await in_database(jobs.drain)
    assert await GuardianAlert.objects.filter(held=False).acount() == 2
