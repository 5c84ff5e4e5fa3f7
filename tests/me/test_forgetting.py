"""Forgotten means gone from what comes of it too: a late job, a copy that waits, an account that a backup brought."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from chatbot.accounts.erasure import erasures_again
from chatbot.accounts.models import User
from chatbot.chat import jobs, services
from chatbot.chat.learning import messages_unlearned
from chatbot.chat.material import screening_store, turn_begin
from chatbot.core import clock
from chatbot.core.gone import gone_again
from chatbot.core.ids import new_id
from chatbot.me.exports import export_ask, export_make
from chatbot.me.models import Export, ExportPiece, ExportState
from companion.memory import services as memory
from companion.play import services as play
from companion.play.models import Keepsake
from companion.skills.api import Made, Playing
from moderation import screen
from tests.chat.conftest import maya_at_noon  # noqa: F401  a fixture
from tests.chat.house import accept, answer_empty
from tests.me.copies import copy_of

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., Client]
Told = list[memory.MemoryView]


def known(person: User) -> list[str]:
    return sorted(view.value for view in memory.memory_list(owner_id=person.id, language="en") if view.until is None)


def said(person: User, text: str) -> str:
    """A message whose turn is over, and whose job did not come yet. Its id."""
    accepted = accept(person, services.conversation_start(person=person), text)
    answer_empty(accepted, learn=True)
    return str(accepted.message_id)


def asked(person: User, text: str) -> str:
    """The turn asks memory that; the answer."""
    accepted = accept(person, services.conversation_start(person=person), text)
    begun = turn_begin(accepted.turn_id, now=clock.now())
    assert begun is not None
    turn, material = begun
    screening = screen.check_message(
        material.text, band=material.band, language=material.language, watch=material.watch, now=clock.now()
    )
    found = screening_store(material, screening, None, fence=turn.fence)
    return found.answer.text if found.answer else ""


@pytest.mark.parametrize("wish", ["forget everything about kites", "forget what i just said"])
def test_what_was_said_and_not_yet_learned_does_not_come_back_after_it_was_forgotten(
    maya_at_noon: User,  # noqa: F811
    wish: str,
) -> None:
    memory.memory_learn(owner_id=maya_at_noon.id, text="i hate rain", language="en", said_at=clock.now(), source=None)
    late = said(maya_at_noon, "i love kites")
    assert asked(maya_at_noon, wish)
    jobs.learn(late)
    assert jobs.learn_missed() == 0
    assert known(maya_at_noon) == ["rain"]


def test_a_message_that_can_not_be_opened_keeps_nobody_from_forgetting(maya_at_noon: User) -> None:  # noqa: F811
    broken, late = said(maya_at_noon, "i hate rain"), said(maya_at_noon, "i love kites")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE chat_message SET body = %s WHERE id = %s", [b"\x01 no sealed value", uuid_of(broken)])
    assert asked(maya_at_noon, "forget everything about kites")
    for message in (broken, late):
        jobs.learn(message)
    assert known(maya_at_noon) == []


def uuid_of(text: str) -> str:
    """As the database has it."""
    return uuid.UUID(text).hex if connection.vendor == "sqlite" else text


def test_a_question_to_memory_is_answered_with_what_was_said_a_moment_ago(maya_at_noon: User) -> None:  # noqa: F811
    said(maya_at_noon, "i love kites")
    assert "kites" in asked(maya_at_noon, "what do you know about me?")


def test_an_ordinary_message_waits_for_no_learning(maya_at_noon: User) -> None:  # noqa: F811
    late = said(maya_at_noon, "i love kites")
    asked(maya_at_noon, "kites are fun")
    assert [str(one) for one in messages_unlearned()] == [late]


@pytest.mark.parametrize("way", ["one", "about"])
def test_on_the_page_too_a_late_job_brings_nothing_back(
    signed_in: SignIn,
    maya_at_noon: User,  # noqa: F811
    way: str,
) -> None:
    memory.memory_learn(owner_id=maya_at_noon.id, text="i love kites", language="en", said_at=clock.now(), source=None)
    (view,) = memory.memory_list(owner_id=maya_at_noon.id, language="en")
    late = said(maya_at_noon, "i love kites so much. i hate rain")
    client = signed_in(maya_at_noon)
    if way == "one":
        client.post(f"/me/memory/{view.id}/forget/")
    else:
        client.post("/me/memory/forget-about/", {"topic": "kites"})
    jobs.learn(late)
    assert known(maya_at_noon) == ["rain"]


def test_a_copy_that_waits_goes_with_what_is_forgotten_and_the_next_one_lacks_it(
    signed_in: SignIn, maya: User, leo: User, told: Told
) -> None:
    client, other = signed_in(maya), signed_in(leo)
    assert "skateboarding" in copy_of(client)
    copy_of(other)
    client.post("/me/memory/forget-about/", {"topic": "something else"})
    assert client.get("/me/export/abraco.json").status_code == 200  # nothing was forgotten
    client.post(f"/me/memory/{told[1].id}/forget/")
    assert client.get("/me/export/abraco.json").status_code == 404
    assert not ExportPiece.objects.filter(owner_id=maya.id).exists()
    assert other.get("/me/export/abraco.json").status_code == 200
    assert "skateboarding" not in json.loads(copy_of(client))["memory"].__str__()
    assert "this copy goes too" in client.get("/me/export/").content.decode()


def test_a_copy_that_is_being_made_is_begun_anew(maya: User, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    export_ask(maya, language="en")
    row = Export.objects.get()
    from chatbot.me import exports

    everything = exports.everything

    def forgets_meanwhile(person: User) -> object:
        copy = everything(person)  # read already
        monkeypatch.setattr(exports, "everything", everything)
        memory.memory_forget(owner_id=maya.id, memory_id=told[1].id)
        return copy

    monkeypatch.setattr(exports, "everything", forgets_meanwhile)
    assert not export_make(row.id)
    assert Export.objects.get().state == ExportState.ASKED
    assert not ExportPiece.objects.exists()
    assert export_make(row.id)
    text = "".join(piece.body for piece in ExportPiece.objects.filter(form="json"))
    assert "skateboarding" not in text
    assert "Maya" in text


def test_what_skills_kept_and_the_shelf_go_from_a_copy_as_well(signed_in: SignIn, maya: User, told: Told) -> None:
    client, turn_id = signed_in(maya), new_id()
    story = Made("story", "The raccoon", "It had a hat.")
    row = Playing("teach_word", None, {"words": [{"word": "blip", "meaning": "a nap"}]}, language="en")
    play.play_keep(
        owner_id=maya.id, conversation_id=new_id(), turn_id=turn_id, rows=[row], made=story, now=clock.now(),
        remembers=True,
    )  # fmt: skip
    (thing,) = play.shelf_of(maya.id)
    for words, take in (
        ("It had a hat.", lambda: play.shelf_remove(owner_id=maya.id, keepsake_id=thing.id)),
        ("blip", lambda: play.play_forget(maya.id)),
    ):
        assert words in copy_of(client)
        take()
        assert client.get("/me/export/abraco.json").status_code == 404
    copy = copy_of(client)
    assert "blip" not in copy
    assert "It had a hat." not in copy
    assert not play.shelf_remove(owner_id=maya.id, keepsake_id=thing.id)  # gone already: it costs no copy
    assert client.get("/me/export/abraco.json").status_code == 200
    Keepsake.objects.create(id=thing.id, owner_id=maya.id, turn_id=turn_id, thing={"kind": "story"})  # a backup's
    assert gone_again()["keepsake"] == 1


def test_somebody_whom_a_backup_brought_back_is_signed_out_and_told(signed_in: SignIn, maya: User, told: Told) -> None:
    client = signed_in(maya)
    assert erasures_again([maya.id]) == 1
    response = client.get("/me/memory/")
    assert (response.status_code, response["Location"].startswith("/account/login/")) == (302, True)
    page = client.post("/account/login/", {"login": "maya", "password": "abraco-tests"}, follow=True)
    assert "This account is closed" in page.content.decode()
    assert "skateboarding" not in page.content.decode()
