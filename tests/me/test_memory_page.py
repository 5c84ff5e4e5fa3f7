from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils.html import escape

from chatbot.accounts import services as people
from chatbot.accounts.erasure import age_doubted
from chatbot.accounts.models import TimeLimits, User
from chatbot.chat import services as chat
from chatbot.core import clock
from chatbot.core.choices import choice_set
from chatbot.core.keys import key_destroy
from companion.memory import services as memory
from companion.memory.models import Memory
from companion.memory.services import MemoryView
from moderation.crisis.texts import texts_of
from moderation.incidents.selectors import incidents_waiting

SignIn = Callable[..., Client]
Told = list[MemoryView]


def values(person: User) -> set[str]:
    return {view.value for view in memory.memory_list(owner_id=person.id, language="en")}


def test_the_owner_sees_everything_in_plain_words_and_since_when(signed_in: SignIn, maya: User, told: Told) -> None:
    page = signed_in(maya).get("/me/memory/").content.decode()
    assert "Your name is Maya." in page
    assert "You like skateboarding." in page
    assert "since Nov. 20, 2026" in page
    assert "passwords" in page


def test_an_empty_page_says_what_will_appear(signed_in: SignIn, maya: User) -> None:
    assert "Nothing yet" in signed_in(maya).get("/me/memory/").content.decode()


@pytest.mark.parametrize("language", ["en", "pt-br", "es", "fr"])
def test_the_page_opens_in_every_language(signed_in: SignIn, maya: User, told: Told, language: str) -> None:
    client = signed_in(maya)
    client.cookies["django_language"] = language
    assert "Maya" in client.get("/me/memory/").content.decode()


def test_signed_out_nobody_sees_anything(client: Client, maya: User, told: Told) -> None:
    for path in ("/me/", "/me/memory/", f"/me/memory/{told[0].id}/", "/me/memory/export/", "/me/export/"):
        assert client.get(path).status_code == 302
    assert client.post(f"/me/memory/{told[0].id}/forget/").status_code == 302
    assert client.post("/me/memory/forget-all/").status_code == 302
    assert values(maya) == {"Maya", "skateboarding"}


@pytest.mark.parametrize("who", ["ana", "rui", "olga"])
def test_guardian_moderator_and_operator_have_no_memory_page(
    request: pytest.FixtureRequest, signed_in: SignIn, maya: User, told: Told, who: str
) -> None:
    client = signed_in(request.getfixturevalue(who))
    for path in ("/me/memory/", f"/me/memory/{told[0].id}/", "/me/memory/export/", "/me/memory/forget-all/"):
        response = client.get(path)
        assert response.status_code == 403
        assert b"skateboarding" not in response.content
    for path in (f"/me/memory/{told[0].id}/forget/", "/me/memory/forget-all/", f"/me/memory/{told[0].id}/"):
        assert client.post(path, {"value": "Mud"}).status_code == 403
    assert values(maya) == {"Maya", "skateboarding"}


def test_a_stranger_finds_and_changes_nothing(signed_in: SignIn, maya: User, told: Told, stranger: User) -> None:
    client = signed_in(stranger)
    assert b"skateboarding" not in client.get("/me/memory/").content
    assert client.get(f"/me/memory/{told[0].id}/").status_code == 404
    assert client.post(f"/me/memory/{told[0].id}/", {"value": "Mud"}).status_code == 404
    assert client.get(f"/me/memory/{uuid.uuid4()}/").status_code == 404
    # What is somebody else's is answered like what is gone, and nothing else happens.
    answers = [
        client.post(f"/me/memory/{memory_id}/forget/", follow=True).content.decode().count("gone already")
        for memory_id in (told[0].id, uuid.uuid4())
    ]
    assert answers == [1, 1]
    client.post("/me/memory/forget-all/")
    assert values(maya) == {"Maya", "skateboarding"}


def test_a_correction_is_kept_in_the_owner_s_words(signed_in: SignIn, maya: User, told: Told) -> None:
    client = signed_in(maya)
    assert "skateboarding" in client.get(f"/me/memory/{told[1].id}/").content.decode()
    response = client.post(f"/me/memory/{told[1].id}/", {"value": "roller skating"}, follow=True)
    assert "You like roller skating." in response.content.decode()
    assert values(maya) == {"Maya", "roller skating"}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "   ",
        "x" * 81,
        "my password is hunter2",
        "sam@example.org",
        "call 555 010 9988",
        "www.example.org",
        "going to church",
        "my therapist",
        "girls",
        "vaping",
        "living on Elm Street",
    ],
)
def test_what_may_not_be_stored_is_refused_with_a_sentence(
    signed_in: SignIn, maya: User, told: Told, value: str
) -> None:
    response = signed_in(maya).post(f"/me/memory/{told[1].id}/", {"value": value})
    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()
    assert values(maya) == {"Maya", "skateboarding"}


def test_a_correction_in_danger_gets_the_written_words_and_help_and_is_not_kept(
    signed_in: SignIn, maya: User, told: Told
) -> None:
    response = signed_in(maya).post(f"/me/memory/{told[1].id}/", {"value": "i want to kill myself tonight"})
    page = response.content.decode()
    assert response.status_code == 400
    assert 'class="crisis"' in page
    assert "911" in page
    assert "/help/" in page
    assert "kill myself" not in page
    assert values(maya) == {"Maya", "skateboarding"}
    assert len(incidents_waiting()) == 1


def test_with_a_guardian_it_says_that_they_are_asked_before_they_are(
    signed_in: SignIn, maya: User, ana: User, told: Told
) -> None:
    variants = texts_of("en").playbooks["adult_told"].first[0].variants
    page = signed_in(maya).post(f"/me/memory/{told[1].id}/", {"value": "i'm going to kill myself"}).content.decode()
    assert any(escape(line) in page for line in variants)


def test_one_thing_is_forgotten_and_the_rest_stays(signed_in: SignIn, maya: User, told: Told) -> None:
    response = signed_in(maya).post(f"/me/memory/{told[1].id}/forget/", follow=True)
    assert "skateboarding" not in response.content.decode()
    assert values(maya) == {"Maya"}


def test_a_second_tap_on_forget_is_calm_and_takes_no_undo_away(signed_in: SignIn, maya: User, told: Told) -> None:
    client = signed_in(maya)
    client.post(f"/me/memory/{told[1].id}/forget/")
    response = client.post(f"/me/memory/{told[1].id}/forget/", follow=True)
    assert (response.status_code, values(maya)) == (200, {"Maya"})
    page = response.content.decode()
    assert "gone already" in page.replace("&#x27;", "'")
    assert "Undo" in page


def test_forgetting_may_be_undone_for_some_seconds_by_its_owner_alone(
    signed_in: SignIn, maya: User, stranger: User, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = signed_in(maya), signed_in(stranger)
    client.post(f"/me/memory/{told[1].id}/forget/")
    assert values(maya) == {"Maya"}
    held = client.cookies["undo"].value
    for given in (held, "made up", held.replace(held[:8], held[8:16])):
        other.cookies["undo"] = given
        other.post("/me/memory/undo/")
        assert "Undo" not in other.get("/me/memory/").content.decode()
    assert values(stranger) == set()
    client.post("/me/memory/undo/")
    client.cookies["undo"] = held
    client.post("/me/memory/undo/")
    views = memory.memory_list(owner_id=maya.id, language="en")
    assert sorted((view.value, view.since) for view in views) == sorted((view.value, view.since) for view in told)
    client.post(f"/me/memory/{views[0].id}/forget/")
    monkeypatch.setattr("chatbot.me.undo.SECONDS", -1)
    assert "Undo" not in client.get("/me/memory/").content.decode()
    assert "Too late" in client.post("/me/memory/undo/", follow=True).content.decode()
    assert len(values(maya)) == 1


def test_after_forgetting_the_page_may_be_read_again_and_nobody_but_the_browser_holds_it(
    signed_in: SignIn, maya: User, told: Told
) -> None:
    client = signed_in(maya)
    answer = client.post(f"/me/memory/{told[1].id}/forget/")
    assert (answer.status_code, answer["Location"]) == (302, "/me/memory/")
    held = answer.cookies["undo"]
    assert (held["max-age"], held["path"], held["samesite"], held["httponly"]) == (10, "/me/memory/", "Strict", True)
    readable = base64.urlsafe_b64decode(held.value.partition(":")[0] + "==")
    for place in (str(answer.headers), held.value, readable.decode("latin-1"), str(dict(client.session))):
        assert "skateboarding" not in place
    for _ in range(2):  # the page, and a reload of it
        page = client.get("/me/memory/")
        assert page.status_code == 200
        assert "Undo (for 10 seconds)" in page.content.decode()
        assert "skateboarding" not in page.content.decode()
    client.post("/me/memory/forget-all/")
    assert "Undo" not in client.get("/me/memory/").content.decode()
    client.post("/me/memory/undo/")
    assert values(maya) == set()


def test_with_the_key_gone_what_the_browser_holds_opens_no_more(signed_in: SignIn, maya: User, told: Told) -> None:
    client = signed_in(maya)
    client.post(f"/me/memory/{told[1].id}/forget/")
    key_destroy(maya.id)
    assert client.post("/me/memory/undo/").status_code == 302
    assert Memory.objects.filter(owner_id=maya.id).count() == 1


def test_each_thing_leads_to_the_message_that_told_it_while_that_is_there(signed_in: SignIn, maya: User) -> None:
    conversation = chat.conversation_start(person=maya)
    client_id = uuid.uuid4()
    message = chat.message_accept(
        person=maya, conversation=conversation, client_id=client_id, text="i love kiwis"
    ).message_id
    memory.memory_learn(owner_id=maya.id, text="i love kiwis", language="en", said_at=clock.now(), source=message)
    memory.memory_learn(owner_id=maya.id, text="i hate rain", language="en", said_at=clock.now(), source=uuid.uuid4())
    client = signed_in(maya)
    page = client.get("/me/memory/").content.decode()
    address = f"/chat/earlier/{conversation.id}/?before={uuid.UUID(int=message.int + 1)}"
    assert page.count("where you said it") == 1
    assert f"{address}#m-{message}" in page
    assert f'id="m-{message}"' in client.get(address).content.decode()


def test_all_about_a_person_or_a_thing_is_forgotten_by_its_words(signed_in: SignIn, maya: User, told: Told) -> None:
    client = signed_in(maya)
    client.post("/me/memory/forget-about/", {"topic": "rollerblades"})
    client.post("/me/memory/forget-about/", {"topic": "  "})
    assert values(maya) == {"Maya", "skateboarding"}
    response = client.post("/me/memory/forget-about/", {"topic": "Skateboarding"}, follow=True)
    assert "1 thing forgotten." in response.content.decode()
    assert values(maya) == {"Maya"}


def test_plans_say_their_day_and_boundaries_stand_apart(signed_in: SignIn, maya: User) -> None:
    said = "i have a match on 5 march. don't ask about my dad. i have a dog"
    memory.memory_learn(owner_id=maya.id, text=said, language="en", said_at=clock.now(), source=None)
    page = signed_in(maya).get("/me/memory/").content.decode()
    assert "5 March" in page
    assert "Off limits, you told me: my dad." in page
    assert "There&#x27;s an animal at yours: dog." in page


def test_a_plan_is_past_from_the_day_after_it_in_its_owner_s_own_time(signed_in: SignIn, maya: User) -> None:
    maya.time_zone = "America/Los_Angeles"
    maya.save()
    said_at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    memory.memory_learn(
        owner_id=maya.id, text="i have a match on 24 november", language="en", said_at=said_at, source=None
    )
    client = signed_in(maya)

    def page_at(moment: datetime) -> str:
        clock.move_to(moment)
        return client.get("/me/memory/").content.decode()

    still = page_at(datetime(2026, 11, 25, 7, tzinfo=UTC))  # in Los Angeles it is the 24th
    assert "You told me about a plan" in still
    assert ">Change</a>" in still
    past = page_at(datetime(2026, 11, 25, 8, 1, tzinfo=UTC))
    assert "You had a plan" in past
    assert "from Nov. 20, 2026 until Nov. 24, 2026" in past
    assert ">Change</a>" not in past


def test_everything_is_forgotten_in_two_taps_without_a_plea(signed_in: SignIn, maya: User, told: Told) -> None:
    client = signed_in(maya)
    asked = client.get("/me/memory/forget-all/").content.decode()
    assert "2 things" in asked
    assert "sure" not in asked
    assert values(maya) != set()
    client.post("/me/memory/forget-all/")
    assert values(maya) == set()


def test_the_person_s_own_pause_stops_learning_and_lets_them_see_and_delete(
    signed_in: SignIn, maya: User, told: Told
) -> None:
    client = signed_in(maya)
    client.post("/me/memory/pause/", {"pause": "on"})
    page = client.get("/me/memory/").content.decode()
    assert "paused, by you" in page
    assert "You like skateboarding." in page
    refused = client.post(f"/me/memory/{told[1].id}/", {"value": "roller skating"})
    assert refused.status_code == 403
    assert b"Memory is off" in refused.content
    client.post(f"/me/memory/{told[1].id}/forget/")
    assert values(maya) == {"Maya"}
    client.post("/me/memory/pause/", {"pause": "off"})
    assert "Memory is on." in client.get("/me/memory/").content.decode()


def test_the_own_switch_does_not_lift_one_that_somebody_else_set(signed_in: SignIn, maya: User, told: Told) -> None:
    TimeLimits.objects.create(person=maya, memory_off=True)
    client = signed_in(maya)
    client.post("/me/memory/pause/", {"pause": "off"})
    page = client.get("/me/memory/").content.decode()
    assert "turned off by a parent or carer" in page
    assert client.post(f"/me/memory/{told[1].id}/", {"value": "chess"}).status_code == 403


def test_where_plain_mode_holds_memory_is_frozen(signed_in: SignIn, maya: User, told: Told) -> None:
    choice_set("regions", {"*": "plain_mode"})
    client = signed_in(maya)
    assert "Where you live" in client.get("/me/memory/").content.decode()
    assert client.post(f"/me/memory/{told[1].id}/", {"value": "chess"}).status_code == 403
    client.post("/me/memory/forget-all/")
    assert values(maya) == set()


def test_a_closed_account_still_sees_and_deletes_its_memory(signed_in: SignIn, maya: User, told: Told) -> None:
    age_doubted(maya.id)
    client = signed_in(maya)
    assert "frozen" in client.get("/me/memory/").content.decode()
    client.post(f"/me/memory/{told[1].id}/forget/")
    assert values(maya) == {"Maya"}


def test_the_export_is_json_and_says_what_the_command_says(signed_in: SignIn, maya: User, told: Told) -> None:
    response = signed_in(maya).get("/me/memory/export/")
    assert response["Content-Disposition"].startswith("attachment")
    rows = response.json()["memory"]
    assert {row["kind"] for row in rows} == {"name", "like"}
    assert set(rows[0]) == {"kind", "text", "value", "since", "source", "state"}


def test_pausing_is_written_down(maya: User) -> None:
    from chatbot.core.audit import audit_of

    people.memory_pause(maya, paused=True)
    assert audit_of(maya.id)[0].action == "memory_paused"
