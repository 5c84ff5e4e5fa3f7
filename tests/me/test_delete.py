"""Promise 5: gone from every store. The key first; a crash is finished; nobody does it to somebody else."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.utils.html import strip_tags
from structlog.testing import capture_logs

from chatbot.accounts import erasure, gate
from chatbot.accounts import services as people
from chatbot.accounts.models import ErasureRequest, TimeLimits, User
from chatbot.accounts.models import SignIn as SignInRow
from chatbot.chat import services as chat
from chatbot.chat.models import Author, Message, Sentence
from chatbot.core import clock, jobs, keys
from chatbot.core.audit import audit_broken_at, audit_of
from chatbot.core.choices import choice_set
from chatbot.core.erasure import erasers, erases
from chatbot.core.ids import new_id
from chatbot.core.models import PersonKey
from chatbot.me.exports import export_ask, export_make
from chatbot.me.models import Export
from companion.memory import services as memory
from companion.profile.services import companion_shape
from moderation.incidents import services as incidents
from moderation.types import Decision, WatchState
from tests.conftest import make_teen
from tests.stored import stored_bytes

pytestmark = pytest.mark.django_db(transaction=True)
# Until the second look: that it was done, that it is to be looked at again, and an empty row in the key's place.
LEFT = {"core_auditentry", "accounts_erasurerequest", "core_personkey"}
SignIn = Callable[..., Client]


@pytest.fixture
def maya_lived() -> User:
    """Maya, with a row in every table that can hold one of hers."""
    choice_set("regions", {"*": "allow"})
    maya = make_teen("maya", age=15)
    guardian = User(username="ana", role="guardian")
    guardian.save()
    people.guardianship_start(teen=maya, guardian=guardian)
    people.consent_give(person=maya, given_by="ana", method="panel")
    people.usage_record(maya, now=clock.now())
    people.recovery_link_make(maya, reason="forgot")
    TimeLimits.objects.create(person=maya, minutes_a_day=30)
    companion_shape(owner_id=maya.id, name="Pipoca", colour="leaf", playful=1, curious=2, gentle=3)
    conversation = chat.conversation_start(person=maya)
    accepted = chat.message_accept(
        person=maya, conversation=conversation, client_id=new_id(), text="pineapple is fine"
    )  # fmt: skip
    owned = {"owner_id": maya.id, "turn_id": accepted.turn_id}
    Sentence(seq=1, text="Legal, even.", **owned).save()
    reply = Message(conversation=conversation, author=Author.COMPANION, body="Legal, even.", **owned)
    reply.save()
    chat.message_react(person=maya, message_id=reply.id, emoji="🍕")
    memory.memory_learn(
        owner_id=maya.id, text="my name is Maya", language="en", said_at=clock.now(), source=accepted.message_id
    )
    incidents.incident_file(
        person_id=maya.id, conversation_id=conversation.id, turn_id=accepted.turn_id,
        decision=Decision(action="crisis", severity=3), excerpt="something hard", kind="message",
    )  # fmt: skip
    incidents.watch_store(maya.id, WatchState(level="L1"))
    export_ask(maya, language="en")
    export_make(Export.objects.get(owner_id=maya.id).id)
    return maya


@pytest.fixture
def restored() -> Iterator[None]:
    """Erasers as they were, whatever the test registers."""
    from chatbot.core import erasure as registry

    before = dict(registry._erasers)
    yield
    registry._erasers.clear()
    registry._erasers.update(before)


def tables_naming(person_id: uuid.UUID) -> set[str]:
    """Every table with a value that is or holds the person's id, sign-ins opened."""
    marks = (person_id.hex, str(person_id))
    found: set[str] = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  names of our own tables
            if any(mark in str(value) for row in cursor.fetchall() for value in row for mark in marks):
                found.add(table)
    if any(marks[1] in str(row.get_decoded()) for row in SignInRow.objects.all()):
        found.add("accounts_signin")
    return found


def test_after_two_taps_and_the_password_no_table_but_the_audit_trail_names_the_person(
    signed_in: SignIn, maya_lived: User
) -> None:
    client, elsewhere = signed_in(maya_lived), signed_in(maya_lived)
    before = tables_naming(maya_lived.id)
    assert {"chat_message", "memory_memory", "profile_companion", "incidents_incident", "core_personkey"} <= before
    assert "me_exportpiece" in before
    asked = client.get("/me/delete/").content.decode()
    read = strip_tags(asked[asked.index("<main") : asked.index("</main")]).lower()  # a form's token may spell anything
    assert "delete everything" in read
    for plea in ("sure", "miss", "sad", "sorry", "please"):
        assert plea not in read
    response = client.post("/me/delete/", {"password": "abraco-tests"})
    assert response.status_code == 200
    assert b"Deleted" in response.content
    assert client.get("/me/").status_code == 302
    assert elsewhere.get("/me/").status_code == 302
    assert tables_naming(maya_lived.id) == LEFT
    clock.move_to(clock.now() + erasure.AGAIN)
    assert erasure.erasures_due() == 1
    assert tables_naming(maya_lived.id) == {"core_auditentry"}
    assert [entry.action for entry in audit_of(maya_lived.id)][:2] == ["account_erased", "erasure_asked"]
    assert audit_broken_at() is None
    assert User.objects.filter(username="ana").exists()


def test_the_database_file_has_neither_the_key_nor_a_sealed_word(signed_in: SignIn, maya_lived: User) -> None:
    wrapped = bytes(PersonKey.objects.get(owner_id=maya_lived.id).wrapped)
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM chat_message")
        sealed = bytes(cursor.fetchone()[0])
    assert wrapped in stored_bytes()
    signed_in(maya_lived).post("/me/delete/", {"password": "abraco-tests"})
    assert wrapped not in stored_bytes()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert sealed not in stored_bytes()
    with pytest.raises(keys.KeyMissing):
        keys.data_key(maya_lived.id)
    with pytest.raises(keys.KeyMissing):  # a turn that is still running must not make a new one
        keys.data_key(maya_lived.id, make=True)


def test_a_crash_half_way_has_destroyed_the_key_and_the_sweep_finishes(maya_lived: User, restored: None) -> None:
    def crash(person_id: uuid.UUID) -> None:
        raise RuntimeError("the power went")

    erases("memory", crash)
    erasure.erasure_ask(actor=maya_lived, person=maya_lived)
    with pytest.raises(RuntimeError):
        erasure.erasure_run(maya_lived.id)
    assert bytes(PersonKey.objects.get(owner_id=maya_lived.id).wrapped) == b""
    assert "memory_memory" in tables_naming(maya_lived.id)
    assert jobs.run_sweep("accounts.erase") == 0  # still broken: nothing is called done
    assert ErasureRequest.objects.get().erased_at is None
    erases("memory", memory.person_forget)
    assert jobs.run_sweep("accounts.erase") == 1
    assert tables_naming(maya_lived.id) == LEFT


def test_a_crash_before_anything_was_done_is_finished_too(maya_lived: User) -> None:
    erasure.erasure_ask(actor=maya_lived, person=maya_lived)
    assert jobs.run_sweep("accounts.erase") == 1
    assert not User.objects.filter(id=maya_lived.id).exists()


def test_what_a_running_turn_left_behind_is_found_by_the_second_look(maya_lived: User) -> None:
    erasure.erasure_ask(actor=maya_lived, person=maya_lived)
    erasure.erasure_run(maya_lived.id)
    keys._destroyed.discard(maya_lived.id)  # another process, which knows nothing of it
    with pytest.raises(keys.KeyMissing):
        incidents.watch_store(maya_lived.id, WatchState(level="L1"))
    Export.objects.create(owner_id=maya_lived.id)
    clock.move_to(clock.now() + erasure.AGAIN)
    erasure.erasures_due()
    assert tables_naming(maya_lived.id) == {"core_auditentry"}


def test_a_request_that_breaks_holds_up_nobody_else_and_is_tried_again(maya_lived: User, restored: None) -> None:
    leo = make_teen("leo", age=17)

    def break_for_maya(person_id: uuid.UUID) -> None:
        if person_id == maya_lived.id:
            raise ValueError("private words")

    for person in (maya_lived, leo):
        erasure.erasure_ask(actor=person, person=person)
    erases("memory", break_for_maya)
    with capture_logs() as logged:
        assert erasure.erasures_due() == 1
    assert [(line["event"], line["error"]) for line in logged] == [("erasure_failed", "ValueError")]
    assert "private words" not in str(logged)
    assert User.objects.filter(id=maya_lived.id).exists()
    assert not User.objects.filter(id=leo.id).exists()
    erases("memory", lambda person_id: None)
    erasure.erasures_due()
    assert not User.objects.filter(id=maya_lived.id).exists()


def test_every_app_that_keeps_something_of_a_person_has_its_eraser() -> None:
    assert {"chat", "memory", "profile", "incidents", "me"} <= set(erasers())
    for model in apps.get_models():
        label = model._meta.app_label
        names = {field.name for field in model._meta.get_fields()}
        if label not in ("core", "accounts") and names & {"owner_id", "person_id", "person"}:
            assert label in erasers(), f"{label} keeps {model.__name__} of a person and erases nothing"


@pytest.mark.parametrize("password", ["", "wrong", "abraco-test"])
def test_without_the_password_nothing_is_deleted(signed_in: SignIn, maya_lived: User, password: str) -> None:
    client = signed_in(maya_lived)
    response = client.post("/me/delete/", {"password": password})
    assert response.status_code == 400
    assert client.get("/me/").status_code == 200
    assert not ErasureRequest.objects.exists()


def test_somebody_without_a_password_types_the_name_instead(signed_in: SignIn, maya_lived: User) -> None:
    maya_lived.set_unusable_password()
    maya_lived.save()
    client = signed_in(maya_lived)
    page = client.get("/me/delete/").content.decode()
    assert "Your user name" in page
    assert "password" not in page.split("<main")[1].split("</main")[0].lower()
    for typed in ({"username": "leo"}, {"username": ""}, {"password": "abraco-tests"}):
        assert client.post("/me/delete/", typed).status_code == 400
    assert User.objects.filter(id=maya_lived.id).exists()
    assert "Deleted" in client.post("/me/delete/", {"username": "Maya"}).content.decode()
    assert tables_naming(maya_lived.id) == LEFT


def test_guessing_at_the_password_is_slowed(signed_in: SignIn, maya_lived: User) -> None:
    client = signed_in(maya_lived)
    for _ in range(5):
        client.post("/me/delete/", {"password": "wrong"})
    response = client.post("/me/delete/", {"password": "abraco-tests"})
    assert b"Too many tries" in response.content
    assert User.objects.filter(id=maya_lived.id).exists()


def test_a_guardian_can_not_erase_a_teen(maya_lived: User) -> None:
    ana = User.objects.get(username="ana")
    with pytest.raises(gate.Refused):
        erasure.erasure_ask(actor=ana, person=maya_lived)
    assert not ErasureRequest.objects.exists()
    maya_lived.refresh_from_db()
    assert maya_lived.is_active


def test_a_guardian_erases_their_own_account_and_the_teen_reads_it(signed_in: SignIn, maya_lived: User) -> None:
    ana = User.objects.get(username="ana")
    ana.set_password("abraco-tests")
    ana.save()
    assert signed_in(ana).post("/me/delete/", {"password": "abraco-tests"}).status_code == 200
    assert not User.objects.filter(username="ana").exists()
    assert "deleted their account" in signed_in(maya_lived).get("/me/").content.decode()


@pytest.mark.parametrize("role", ["moderator", "operator"])
def test_an_account_of_the_house_is_not_deleted_here(signed_in: SignIn, role: str) -> None:
    person = User(username="rui", role=role)
    person.set_password("abraco-tests")
    person.save()
    client = signed_in(person)
    assert client.get("/me/delete/").status_code == 403
    assert client.post("/me/delete/", {"password": "abraco-tests"}).status_code == 403
    assert User.objects.filter(id=person.id).exists()


def test_signed_out_there_is_nothing_to_delete(client: Client, maya_lived: User) -> None:
    assert client.post("/me/delete/", {"password": "abraco-tests"}).status_code == 302
    assert User.objects.filter(id=maya_lived.id).exists()


def test_a_sign_in_that_has_run_out_goes_too(signed_in: SignIn, maya_lived: User) -> None:
    signed_in(maya_lived)
    SignInRow.objects.update(expire_date=clock.now() - timedelta(days=1))
    erasure.erasure_ask(actor=maya_lived, person=maya_lived)
    erasure.erasure_run(maya_lived.id)
    assert not SignInRow.objects.exists()
