"""Summaries of talks belong to their owner like memories: seen, taken along, and gone with what is forgotten."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from chatbot.accounts.models import User
from chatbot.chat import services as chat
from chatbot.core import clock, jobs
from chatbot.core.gone import gone_again
from companion.memory import services as memory
from companion.memory.models import Summary
from companion.memory.summaries import summary_keep, summary_list
from companion.memory.talks import Picked
from tests.chat.conftest import maya_at_noon  # noqa: F401  a fixture
from tests.chat.test_summing import kept, pause, talked
from tests.me.copies import copy_of
from tests.me.test_forgetting import asked

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., Client]
DOG, KITES, RAIN = "my dog is called bento", "i love kites", "i hate rain on mondays"


@pytest.fixture
def told(maya_at_noon: User) -> User:  # noqa: F811
    """Maya after three talks."""
    for text in (DOG, KITES, RAIN):
        talked(maya_at_noon, text)
        pause()
    assert kept(maya_at_noon) == [(RAIN,), (KITES,), (DOG,)]
    return maya_at_noon


def of(person: User) -> list[str]:
    return [text for view in summary_list(owner_id=person.id) for text in view.said]


def one_of(person: User, text: str) -> uuid.UUID:
    return next(view.id for view in summary_list(owner_id=person.id) if text in view.said)


def test_they_stand_on_the_page_with_when_and_can_be_forgotten_and_undone(signed_in: SignIn, told: User) -> None:
    client = signed_in(told)
    page = client.get("/me/memory/").content.decode()
    assert page.index("Our talks") < page.index(f"“{RAIN}”") < page.index(f"“{KITES}”") < page.index(f"“{DOG}”")
    assert "Nov. 24, 2026" in page
    assert "after 30 days" in page
    address = f"/me/memory/talks/{one_of(told, KITES)}/forget/"
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 302
    assert of(told) == [RAIN, DOG]
    assert "gone already" in client.post(address, follow=True).content.decode()
    assert "Undo" in client.get("/me/memory/").content.decode()
    client.post("/me/memory/undo/")
    assert of(told) == [RAIN, KITES, DOG]
    client.post("/me/memory/undo/")
    assert of(told) == [RAIN, KITES, DOG]
    assert {view.value for view in memory.memory_list(owner_id=told.id, language="en")} >= {"Bento", "kites"}


def test_nobody_else_sees_or_forgets_them(signed_in: SignIn, told: User, stranger: User, rui: User) -> None:
    address = f"/me/memory/talks/{one_of(told, DOG)}/forget/"
    assert DOG not in signed_in(stranger).get("/me/memory/").content.decode()
    assert "gone already" in signed_in(stranger).post(address, follow=True).content.decode()
    assert signed_in(rui).post(address).status_code == 403
    assert Client().post(address).status_code == 302
    assert of(told) == [RAIN, KITES, DOG]


def test_what_is_forgotten_takes_the_talk_along_that_told_it_and_undo_brings_both_back(
    signed_in: SignIn, told: User
) -> None:
    client = signed_in(told)
    kites = next(one for one in memory.memory_list(owner_id=told.id, language="en") if one.value == "kites")
    client.post(f"/me/memory/{kites.id}/forget/")
    assert of(told) == [RAIN, DOG]
    assert kept(told) == [(RAIN,), (DOG,)]  # no sweep brings it back
    client.post("/me/memory/undo/")
    assert of(told) == [RAIN, KITES, DOG]
    assert "kites" in {one.value for one in memory.memory_list(owner_id=told.id, language="en")}


@pytest.mark.parametrize("way", ["page", "chat"])
def test_all_that_names_a_topic_goes_also_where_no_memory_does(signed_in: SignIn, told: User, way: str) -> None:
    bus = "the bus to bentoville smelled of old soup again"
    talked(told, bus)
    pause()
    assert bus in [text for said in kept(told) for text in said]
    talked(told, "old soup is a crime against the whole morning bus")  # of the talk that goes on
    if way == "page":
        page = signed_in(told).post("/me/memory/forget-about/", {"topic": "soup"}, follow=True).content.decode()
        assert re.search(r"\d things? forgotten\.", page)
    else:
        assert asked(told, "forget everything about soup")
    assert of(told) == [RAIN, KITES, DOG]
    pause()
    assert kept(told) == [(RAIN,), (KITES,), (DOG,)]


def test_forget_that_reaches_the_talk_that_still_goes_on(told: User) -> None:
    conversation = talked(told, "i love liquorice")
    jobs.drain()
    assert asked(told, "forget that")
    assert conversation.id
    pause()
    assert kept(told) == [(RAIN,), (KITES,), (DOG,)]


@pytest.mark.parametrize("way", ["page", "chat"])
def test_forgetting_everything_leaves_none_and_none_is_made_later(signed_in: SignIn, told: User, way: str) -> None:
    talked(told, "i love liquorice")
    jobs.drain()
    if way == "page":
        client = signed_in(told)
        assert "7 things" in client.get("/me/memory/forget-all/").content.decode()
        client.post("/me/memory/forget-all/")
    else:
        assert asked(told, "forget everything about me")
    assert of(told) == []
    pause()
    assert kept(told) == []


def test_a_message_that_goes_off_the_record_takes_its_talk_along(told: User) -> None:
    conversation = talked(told, "i love liquorice")
    pause()
    kept(told)
    message = conversation.messages.get(author="user")
    chat.message_edit(person=told, message_id=message.id, text="i love liquorice", record=chat.Record.OFF)
    assert of(told) == [RAIN, KITES, DOG]
    assert kept(told) == [(RAIN,), (KITES,), (DOG,)]


def test_they_are_in_every_copy_and_a_copy_goes_with_what_is_forgotten(signed_in: SignIn, told: User) -> None:
    client = signed_in(told)
    saved = client.get("/me/memory/export/").json()
    assert [talk["said"] for talk in saved["talks"]] == [[RAIN], [KITES], [DOG]]
    assert json.loads(copy_of(client))["talks"] == saved["talks"] or set(saved["talks"][0]) == {
        "said",
        "since",
        "until",
    }
    page = copy_of(client, "html")
    assert "Our talks" in page
    assert f"“{KITES}”" in page
    client.post(f"/me/memory/talks/{one_of(told, KITES)}/forget/")
    assert client.get("/me/export/abraco.json").status_code == 404
    assert json.loads(copy_of(client))["talks"] == [one for one in saved["talks"] if one["said"] != [KITES]]


def test_a_file_brings_back_no_talk(signed_in: SignIn, told: User) -> None:
    client = signed_in(told)
    saved = client.get("/me/memory/export/").content
    client.post("/me/memory/forget-all/")
    file = SimpleUploadedFile("memory.json", saved)
    assert client.post("/me/memory/import/", {"file": file}).status_code == 200
    assert "Bento" in {view.value for view in memory.memory_list(owner_id=told.id, language="en")}
    assert of(told) == []


def test_a_backup_brings_none_of_them_back(told: User) -> None:
    row = Summary.objects.get(id=one_of(told, KITES))
    memory.memory_forget_about(owner_id=told.id, topic="kites")
    assert of(told) == [RAIN, DOG]
    Summary.objects.create(id=row.id, owner_id=told.id, said=row.said, since=row.since, until=row.until)
    assert gone_again()["summary"] == 1
    assert of(told) == [RAIN, DOG]


def test_they_go_with_the_account(told: User) -> None:
    from chatbot.core.erasure import erase_rows

    erase_rows(told.id)
    assert not Summary.objects.filter(owner_id=told.id).exists()


def test_what_is_written_in_them_is_escaped(signed_in: SignIn, maya_at_noon: User) -> None:  # noqa: F811
    from django.db import transaction

    now = clock.now()
    with transaction.atomic():
        summary_keep(
            owner_id=maya_at_noon.id, said=[Picked("<b>bold</b> & 'so'", uuid.uuid4())], since=now - timedelta(hours=1),
            until=now,
        )  # fmt: skip
    client = signed_in(maya_at_noon)
    for page in (client.get("/me/memory/").content.decode(), copy_of(client, "html")):
        assert "&lt;b&gt;bold" in page
        assert "<b>bold" not in page
