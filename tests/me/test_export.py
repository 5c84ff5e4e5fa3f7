"""A copy of everything: asked for, made by a job, fetched, gone after a day; and nobody else's word in it."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import AsyncClient, Client
from django.utils import translation

from chatbot.accounts import services as people
from chatbot.accounts.models import Role, User
from chatbot.chat import answering
from chatbot.chat import services as chat
from chatbot.chat.models import Conversation, Finish, Message, Reaction
from chatbot.core import clock, jobs, keys
from chatbot.core.audit import audit_of
from chatbot.core.ids import new_id
from chatbot.me import exports
from chatbot.me.models import Export, ExportForm, ExportPiece, ExportState
from companion.memory import services as memory
from companion.profile.services import companion_shape
from moderation.incidents import services as incidents
from moderation.types import Decision
from tests.conftest import make_person
from tests.me.copies import asked, copy_of, fetched, work

SignIn = Callable[..., Client]
# Those that let the job run as in production: it sees only what is committed.
COMMITTED = pytest.mark.django_db(transaction=True)
HOSTILE = '</p><script>document.title="owned"</script><img src=x onerror="document.title=1">'


def say(person: User, text: str) -> Message:
    conversation = chat.conversation_open(person=person, conversation_id=None)
    taken = chat.message_accept(person=person, conversation=conversation, client_id=new_id(), text=text)
    turn = answering.turn_claim(taken.turn_id, now=clock.now())
    assert turn is not None
    said = f"About {text[:20]}: noted."
    answering.sentence_add(turn_id=taken.turn_id, owner_id=person.id, fence=turn.fence, seq=1, text=said)
    reply = answering.turn_finish(
        turn=turn, finish=Finish.COMPLETE, engine="scripted", trace={}, timings={}, learn=False
    )
    return Message.objects.get(id=reply)


@COMMITTED
def test_a_tap_asks_a_job_makes_it_and_the_page_says_how_it_stands(signed_in: SignIn, maya: User) -> None:
    client = signed_in(maya)
    assert "Make my copy" in client.get("/me/export/").content.decode()
    assert client.get("/me/export/abraco.json").status_code == 404
    asked(client)
    page = client.get("/me/export/").content.decode()
    assert "being put together" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    jobs.drain()
    page = client.get("/me/export/").content.decode()
    assert "Your copy is ready" in page
    assert 'href="/me/export/abraco.html"' in page
    assert json.loads(fetched(client))["account"]["user_name"] == "maya"
    assert [entry.action for entry in audit_of(maya.id)][:2] == ["export_fetched", "export_asked"]


def test_everything_about_me_is_in_it(signed_in: SignIn, maya: User, ana: User) -> None:
    people.consent_give(person=maya, given_by="guardian", method="tests")
    people.usage_record(maya, now=clock.now())
    reply = say(maya, "pineapple is fine")
    Reaction.objects.create(message=reply, emoji="😂")
    memory.memory_learn(owner_id=maya.id, text="i love hockey", language="en", said_at=clock.now(), source=None)
    companion_shape(owner_id=maya.id, name="Pixel", colour="leaf", playful=50, curious=50, gentle=50)
    wrong = Decision(action="allow", severity=1, level=None, categories=(), playbook=None, incident=True)
    incidents.incident_file(
        person_id=maya.id, conversation_id=None, turn_id=reply.turn_id, decision=wrong, excerpt="About pineapple",
        kind="report", reason="wrong",
    )  # fmt: skip
    client = signed_in(maya)
    found = json.loads(copy_of(client))
    assert found["consents"][0]["method"] == "tests"
    assert found["guardians"][0]["user_name"] == "ana"
    assert found["limits"]["minutes_a_day"] == 60
    assert found["days"][0]["messages"] == 1
    assert "hockey" in found["memory"][0]["text"]
    assert found["companion"]["name"] == "Pixel"
    assert found["flagged"][0]["what"] == "report"
    assert "severity" not in json.dumps(found)
    said = found["conversations"][0]["messages"]
    assert [one["text"] for one in said] == ["pineapple is fine", "About pineapple is fine: noted."]
    assert said[1]["reactions"] == ["😂"]
    assert any("linked" in one["what"] for one in found["done_about_you"])
    page = fetched(client, "html")
    for words in ("pineapple is fine", "hockey", "Pixel", "ana", "You reported a reply.", "😂", "13 to 15"):
        assert words in page, words


@pytest.mark.parametrize("form", ["json", "html"])
def test_another_s_copy_holds_no_word_of_mine(
    request: pytest.FixtureRequest, signed_in: SignIn, maya: User, form: str
) -> None:
    say(maya, "xylograph rehearsal")
    memory.memory_learn(owner_id=maya.id, text="i love xylograph", language="en", said_at=clock.now(), source=None)
    asked(signed_in(maya))
    work()
    for other in ("leo", "ana", "rui", "olga"):
        assert "xylograph" not in copy_of(signed_in(request.getfixturevalue(other)), form).lower(), other


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OPERATOR])
def test_staff_take_only_their_account_with_them(signed_in: SignIn, maya: User, role: Role) -> None:
    found = json.loads(copy_of(signed_in(make_person("somebody", role))))
    assert set(found) == {"exported_at", "account", "signed_in", "done_about_you", "conversations"}
    assert found["conversations"] == []


def test_what_was_replaced_is_in_it_and_says_so(signed_in: SignIn, maya: User) -> None:
    reply = say(maya, "hello")
    Message.objects.filter(id=reply.id).update(state="replaced")
    client = signed_in(maya)
    said = json.loads(copy_of(client))["conversations"][0]["messages"]
    assert [one.get("replaced", False) for one in said] == [False, True]
    assert "replaced later" in fetched(client, "html")


def test_hostile_words_are_only_words(signed_in: SignIn, maya: User) -> None:
    say(maya, HOSTILE)
    companion_shape(owner_id=maya.id, name="<b>Pixel", colour="leaf", playful=50, curious=50, gentle=50)
    client = signed_in(maya)
    page = copy_of(client, "html")
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert json.loads(fetched(client))["conversations"][0]["messages"][0]["text"] == HOSTILE
    response = client.get("/me/export/abraco.html")
    assert response.headers["Content-Disposition"] == 'attachment; filename="abraco.html"'
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("language", ["en", "pt-br", "es", "fr"])
def test_the_page_speaks_the_person_s_language(signed_in: SignIn, maya: User, language: str) -> None:
    maya.language = {"pt-br": "pt-BR"}.get(language, language)
    maya.save(update_fields=["language"])
    page = copy_of(signed_in(maya), "html")
    assert f'<html lang="{language}">' in page
    with translation.override(language):
        assert translation.gettext("User name") in page


def test_one_at_a_time_and_three_in_a_day(signed_in: SignIn, maya: User) -> None:
    client = signed_in(maya)
    asked(client)
    page = client.post("/me/export/", follow=True).content.decode()
    assert "being made already" in page
    assert Export.objects.count() == 1
    work()
    for _ in range(2):
        copy_of(client)
    page = client.post("/me/export/", follow=True).content.decode()
    assert "3 copies in a day already" in page
    assert Export.objects.count() == 3
    assert Export.objects.filter(state=ExportState.READY).count() == 1
    assert ExportPiece.objects.values("export").distinct().count() == 1
    clock.move_to(clock.now() + timedelta(hours=24, minutes=1))
    client = signed_in(maya)
    asked(client)
    assert Export.objects.filter(state=ExportState.ASKED).count() == 1


def test_until_it_is_fetched_every_piece_is_sealed_with_the_person_s_own_key(signed_in: SignIn, maya: User) -> None:
    from django.db import connection

    say(maya, "xylograph rehearsal")
    copy_of(signed_in(maya))
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM me_exportpiece")
        sealed = b"".join(bytes(row[0]) for row in cursor.fetchall())
    assert sealed
    assert b"xylograph" not in sealed
    keys.key_destroy(maya.id)
    with pytest.raises(keys.KeyMissing):
        _ = ExportPiece.objects.all()[0].body


@COMMITTED
def test_after_a_day_it_is_gone(signed_in: SignIn, maya: User) -> None:
    client = signed_in(maya)
    copy_of(client)
    clock.move_to(clock.now() + timedelta(hours=24, seconds=1))
    client = signed_in(maya)
    assert client.get("/me/export/abraco.html").status_code == 404  # before the sweep came by, too
    assert jobs.run_sweep("me.export") == 1
    assert not Export.objects.exists()
    assert not ExportPiece.objects.exists()


@COMMITTED
def test_a_lost_job_is_found_by_the_sweep_and_twice_makes_one(signed_in: SignIn, maya: User) -> None:
    client = signed_in(maya)
    asked(client)
    jobs.forget_waiting()
    assert jobs.run_sweep("me.export") == 0  # it may be on its way still
    clock.move_to(clock.now() + timedelta(seconds=31))
    assert jobs.run_sweep("me.export") == 1
    row = Export.objects.get()
    assert row.state == ExportState.READY
    assert not exports.export_make(row.id)
    assert ExportPiece.objects.count() == 2


@COMMITTED
def test_a_maker_that_died_is_followed_by_another_and_its_pieces_don_t_count(
    signed_in: SignIn, maya: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(maya, "hello")
    client = signed_in(maya)
    asked(client)
    jobs.forget_waiting()
    row = Export.objects.get()
    Export.objects.filter(id=row.id).update(
        state=ExportState.MAKING, fence=1, lease_until=clock.now() + timedelta(seconds=60)
    )
    ExportPiece.objects.create(export=row, owner_id=maya.id, form=ExportForm.DATA, fence=1, seq=0, body="half a fi")
    assert not exports.export_make(row.id)  # somebody holds it
    clock.move_to(clock.now() + timedelta(seconds=61))
    assert jobs.run_sweep("me.export") == 1
    assert json.loads(fetched(signed_in(maya)))["account"]["user_name"] == "maya"
    assert set(ExportPiece.objects.values_list("fence", flat=True)) == {2}


def test_a_maker_whose_claim_was_lost_stops(signed_in: SignIn, maya: User) -> None:
    asked(signed_in(maya))
    jobs.forget_waiting()
    row = Export.objects.get()

    def text() -> Any:
        yield "a" * exports.PIECE
        Export.objects.filter(id=row.id).update(fence=9)
        yield "b" * exports.PIECE

    Export.objects.filter(id=row.id).update(state=ExportState.MAKING, fence=1)
    row.refresh_from_db()
    with pytest.raises(exports.ClaimLost):
        exports._write(row, ExportForm.DATA, text())
    assert ExportPiece.objects.count() == 1


@COMMITTED
def test_one_that_breaks_three_times_is_given_up_and_the_page_says_so(
    signed_in: SignIn, maya: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(person: User) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(exports, "everything", broken)
    client = signed_in(maya)
    asked(client)
    jobs.drain()
    for _ in range(3):
        clock.move_to(clock.now() + timedelta(seconds=31))
        jobs.run_sweep("me.export")
    assert Export.objects.get().state == ExportState.FAILED
    monkeypatch.undo()
    client = signed_in(maya)
    assert "Something broke" in client.get("/me/export/").content.decode()
    copy_of(client)


def test_a_person_who_is_gone_gets_no_copy(signed_in: SignIn, maya: User) -> None:
    asked(signed_in(maya))
    waiting = Export.objects.get()
    User.objects.filter(id=maya.id).update(is_active=False)
    work()
    assert not Export.objects.filter(id=waiting.id).exists()


def test_a_closed_account_may_take_its_things_along(signed_in: SignIn, maya: User) -> None:
    people.person_lock(maya, reason="test")
    assert json.loads(copy_of(signed_in(maya)))["account"]["closed_at"]


async def test_over_the_real_door_the_file_comes_stretch_by_stretch(transactional_db: None) -> None:
    from asgiref.sync import sync_to_async

    def prepare() -> User:
        person = make_person("somebody", Role.GUARDIAN)
        exports.export_ask(person, language="en")
        work()
        return person

    person = await sync_to_async(prepare)()
    client = AsyncClient()
    await client.aforce_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    response = await client.get("/me/export/abraco.json")
    assert response.status_code == 200
    whole = b"".join([part async for part in response.streaming_content])  # type: ignore[union-attr]
    assert json.loads(whole)["account"]["user_name"] == "somebody"


def test_however_much_there_is_only_a_stretch_of_it_is_in_memory(maya: User) -> None:
    """10,000 messages of 250 characters take 6 seconds and under 2 MB; here fewer and longer ones, for the time."""
    conversation = Conversation.objects.create(person=maya)
    words = "the aubergine rehearsal went sideways and nobody minded at all " * 40
    for _ in range(4):
        rows = [
            Message(id=new_id(), owner_id=maya.id, conversation=conversation, author="user", body=f"{number} {words}")
            for number in range(400)
        ]
        Message.objects.bulk_create(rows)
    del rows
    row = Export.objects.create(owner_id=maya.id)
    tracemalloc.start()
    assert exports.export_make(row.id)
    row.refresh_from_db()
    size = 0
    for form in ExportForm:
        seq = 0
        while (piece := exports.piece_of(row, form, seq)) is not None:
            size, seq = size + len(piece), seq + 1
        assert seq > 10
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 8_000_000
    assert most < 4_000_000, most
