from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.forms import zone_choices
from chatbot.accounts.models import Role, TimeLimits, User
from chatbot.chat import services as chat
from chatbot.core import clock
from chatbot.core.ids import new_id
from chatbot.me.overview import memory_state
from tests.me.copies import copy_of

SignIn = Callable[..., Client]


def test_the_overview_says_who_i_am_and_what_holds(signed_in: SignIn, maya: User) -> None:
    page = signed_in(maya).get("/me/").content.decode()
    for words in ("maya", "13 to 15", "United States", "22:00", "07:00", "0 of 60 minutes today"):
        assert words in page, words
    for path in (
        "/me/memory/", "/chat/earlier/", "/chat/friend/", "/account/password/change/", "/me/devices/", "/me/limits/",
        "/me/privacy/", "/me/guardian/", "/me/export/", "/me/delete/",
    ):  # fmt: skip
        assert f'href="{path}"' in page, path


def test_who_has_no_country_gets_no_row_for_it(signed_in: SignIn, ana: User) -> None:
    page = signed_in(ana).get("/me/").content.decode()
    assert "<dt>User name</dt>" in page
    assert "<dt>Country</dt>" not in page  # before, it read "Choose…", and there was nothing to choose


def test_limits_say_who_set_them(signed_in: SignIn, maya: User) -> None:
    TimeLimits.objects.create(person=maya, minutes_a_day=30, set_by=Role.GUARDIAN)
    page = signed_in(maya).get("/me/limits/").content.decode()
    assert ">30<" in page
    assert "A parent or carer set these." in page
    assert "0 of 30 minutes today" in signed_in(maya).get("/me/").content.decode()


def test_at_18_a_guardian_s_word_on_memory_has_ended_on_the_page_as_in_the_gate(signed_in: SignIn, maya: User) -> None:
    row = TimeLimits.objects.create(person=maya, memory_off=True, minutes_a_day=30, set_by=Role.GUARDIAN)
    now = clock.now()
    assert (memory_state(maya, now=now), gate.limits_of(maya, now).memory) == ("off", False)
    maya.band, maya.band_until = "18+", None
    maya.save()
    assert (memory_state(maya, now=now), gate.limits_of(maya, now).memory) == ("on", True)
    assert "A parent or carer set these." not in signed_in(maya).get("/me/limits/").content.decode()
    row.memory_paused = True
    row.save()
    assert (memory_state(maya, now=now), gate.limits_of(maya, now).memory) == ("paused", False)
    row.set_by, row.memory_paused = Role.OPERATOR, False
    row.save()
    assert (memory_state(maya, now=now), gate.limits_of(maya, now).memory) == ("off", False)


def test_a_linked_teen_reads_exactly_what_the_guardian_sees(signed_in: SignIn, maya: User, ana: User) -> None:
    client = signed_in(maya)
    assert "Linked to you: ana" in client.get("/me/").content.decode()
    assert "ana" in client.get("/me/guardian/").content.decode()


def test_a_teen_without_a_guardian_reads_that(signed_in: SignIn, leo: User) -> None:
    assert "No parent or carer is linked" in signed_in(leo).get("/me/").content.decode()


@pytest.mark.parametrize("who", ["ana", "rui", "olga"])
def test_others_see_their_own_account_and_nothing_of_a_teen(
    request: pytest.FixtureRequest, signed_in: SignIn, maya: User, who: str
) -> None:
    people.recovery_code_make(maya)
    page = signed_in(request.getfixturevalue(who)).get("/me/").content.decode()
    assert who in page
    assert "Minutes a day" not in page
    assert "/me/memory/" not in page


@pytest.mark.parametrize("command", ["memory", "chat"])
def test_a_look_by_command_outside_debug_stands_on_the_page_with_its_reason(
    signed_in: SignIn, maya: User, leo: User, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(""))
    options = ["--jsonl"] if command == "chat" else []
    call_command(command, "--as", "maya", "--reason", "a bug report", *options, stdout=StringIO())
    page = signed_in(maya).get("/me/").content.decode()
    assert "a bug report" in page
    assert "once" in page
    assert "a bug report" in signed_in(maya).get("/me/privacy/").content.decode()
    assert "a bug report" not in signed_in(leo).get("/me/").content.decode()


def test_a_recovery_link_stands_on_the_page(signed_in: SignIn, maya: User) -> None:
    people.recovery_link_make(maya, reason="forgot it")
    assert "made a link to set a new password" in signed_in(maya).get("/me/").content.decode()


def test_language_and_time_zone_change_and_the_clock_only_once_a_day(signed_in: SignIn, maya: User) -> None:
    client = signed_in(maya)
    response = client.post("/me/place/", {"language": "fr", "time_zone": "Europe/Paris"})
    assert response.status_code == 302
    maya.refresh_from_db()
    assert (maya.language, maya.time_zone) == ("fr", "Europe/Paris")
    assert client.get("/me/").headers["Content-Language"] == "fr"
    assert client.post("/me/place/", {"language": "en", "time_zone": "Asia/Tokyo"}).status_code == 400
    maya.refresh_from_db()
    assert (maya.language, maya.time_zone) == ("fr", "Europe/Paris")


def test_a_reload_of_the_place_shows_the_overview(signed_in: SignIn, maya: User) -> None:
    response = signed_in(maya).get("/me/place/", follow=True)
    assert (response.redirect_chain, response.status_code) == ([("/me/", 302)], 200)


def test_the_time_zones_are_those_of_today_and_an_older_one_that_is_set_stays(signed_in: SignIn, maya: User) -> None:
    names = [name for name, _ in zone_choices()]
    assert {"UTC", "America/Sao_Paulo", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "Europe/Paris"} <= set(names)
    assert not {"Asia/Calcutta", "America/Buenos_Aires", "Brazil/East", "US/Pacific", "GB"} & set(names)
    assert len(names) < 450
    maya.time_zone = "Asia/Calcutta"
    maya.save()
    client = signed_in(maya)
    assert '<option value="Asia/Calcutta" selected>' in client.get("/me/").content.decode()
    assert client.post("/me/place/", {"language": "en", "time_zone": "Asia/Calcutta"}).status_code == 302
    assert "Mars/Olympus" not in [name for name, _ in zone_choices("Mars/Olympus")]


@pytest.mark.parametrize("fields", [{"language": "de"}, {"time_zone": "Mars/Olympus"}, {"language": ""}])
def test_an_unknown_language_or_zone_changes_nothing(signed_in: SignIn, maya: User, fields: dict[str, str]) -> None:
    given = {"language": "en", "time_zone": "UTC", **fields}
    assert signed_in(maya).post("/me/place/", given).status_code == 400
    maya.refresh_from_db()
    assert (maya.language, maya.time_zone) == ("en", "UTC")


def test_the_export_holds_everything_of_mine_and_nothing_of_others(signed_in: SignIn, maya: User, leo: User) -> None:
    for person, text in ((maya, "pineapple is fine"), (leo, "mushrooms are not")):
        conversation = chat.conversation_start(person=person)
        chat.message_accept(person=person, conversation=conversation, client_id=new_id(), text=text)
    people.usage_record(maya, now=clock.now())
    text = copy_of(signed_in(maya))
    found = json.loads(text)
    assert found["account"]["user_name"] == "maya"
    assert found["conversations"][0]["messages"][0]["text"] == "pineapple is fine"
    assert found["days"][0]["messages"] == 1
    assert "mushrooms" not in text


def test_a_guardian_s_export_holds_no_chats(signed_in: SignIn, maya: User, ana: User) -> None:
    conversation = chat.conversation_start(person=maya)
    chat.message_accept(person=maya, conversation=conversation, client_id=new_id(), text="pineapple is fine")
    text = copy_of(signed_in(ana))
    assert "pineapple" not in text
    found = json.loads(text)
    assert set(found) == {"exported_at", "account", "signed_in", "done_about_you", "teens", "conversations"}
    assert found["conversations"] == []
