"""What a guardian sets reaches the open chat at once; three tabs share one clock, and it is the server's."""

from __future__ import annotations

import asyncio
import uuid
from datetime import time, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from chatbot.accounts import gate, guardianship
from chatbot.accounts import services as people
from chatbot.accounts.guardian_limits import Wished, limits_set
from chatbot.accounts.models import Role, UsageDay, User
from chatbot.chat.models import Message
from chatbot.core import clock
from chatbot.core.database import in_database
from tests.chat.house import DANGERS, NOON, says
from tests.chat.tab import Tab, tab_of
from tests.conftest import make_person
from tests.family.conftest import BACKEND

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]
LINES = ("hello there", "nice weather on mars", "one more thing")


@sync_to_async
def posted(person: User, path: str, form: dict[str, str] | None = None) -> int:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client.post(path, form or {}).status_code


async def said(tab: Tab, text: str) -> None:
    """Send, and wait for the end of this very turn: the other tabs' turns end here too."""
    await tab.send(type="say", client_id=uuid.uuid4(), text=text)
    turn = (await tab.until("accepted"))[-1]["turn"]
    while (await tab.until("done"))[-1]["turn"] != turn:
        pass


async def notice(tab: Tab) -> dict[str, object]:
    while (frame := await tab.get())["type"] != "notice":
        pass
    return frame


async def test_quiet_hours_set_now_close_the_open_chat_at_once_and_help_still_answers(
    maya_now: User,
    ana_now: User,
) -> None:
    says("Never this.")
    tab = await tab_of(maya_now)
    await tab.open()
    form = {"quiet_from": "11:00", "quiet_to": "19:00", "minutes": "45", "time_zone": "UTC"}
    assert await posted(ana_now, f"/family/{maya_now.id}/limits/", form) == 302
    told = await notice(tab)
    assert (told["kind"], told["data"]) == ("quiet_hours", {"code": "quiet_hours"})
    done = await tab.say(DANGERS["L3"])
    assert done[-1]["finish"] == "crisis"


async def test_the_yes_taken_back_closes_the_open_chat_and_danger_is_still_answered(
    maya_now: User,
    ana_now: User,
) -> None:
    says("Never this.")
    tab = await tab_of(maya_now)
    await tab.open()
    assert await posted(ana_now, f"/family/{maya_now.id}/consent/") == 302
    assert (await notice(tab))["data"] == {"code": "consent_withdrawn"}
    await tab.send(type="say", client_id=uuid.uuid4(), text="hello?")
    assert (await notice(tab))["data"] == {"code": "consent_withdrawn"}
    await tab.send(type="say", client_id=uuid.uuid4(), text=DANGERS["L3"])
    assert (await notice(tab))["kind"] == "crisis_card"
    assert await Message.objects.acount() == 0


async def test_three_tabs_at_the_limit_share_one_clock(maya_now: User, ana_now: User) -> None:
    says("One.", "Two.", "Three.")
    await in_database(
        limits_set, ana_now, maya_now.id, Wished(time(22), time(7), 10, memory_off=False, time_zone="UTC")
    )
    tabs = [await tab_of(maya_now) for _ in range(3)]
    for tab in tabs:
        await tab.open()
    for number, (tab, line) in enumerate(zip(tabs, LINES, strict=True)):
        clock.move_to(NOON + timedelta(minutes=5 * number, seconds=5 * number))
        await said(tab, line)
    used = await UsageDay.objects.aget(person=maya_now)
    assert 600 <= used.seconds < 630  # five minutes and five: not three times ten
    for tab in tabs:
        await tab.send(type="say", client_id=uuid.uuid4(), text="just one more")
        while (frame := await tab.get()).get("data") != {"code": "limit_reached"}:
            assert frame["type"] != "accepted"
    assert await Message.objects.filter(author="user").acount() == 3


async def test_three_tabs_that_send_at_once_are_counted_like_one(maya_now: User, ana_now: User) -> None:
    says(*(["Yes."] * 6))
    tabs = [await tab_of(maya_now) for _ in range(3)]
    for tab in tabs:
        await tab.open()
    await tabs[0].say("hello there")
    clock.move_to(NOON + timedelta(minutes=9))
    await asyncio.gather(
        *(tab.send(type="say", client_id=uuid.uuid4(), text=line) for tab, line in zip(tabs, LINES, strict=True))
    )
    for tab in tabs:
        await tab.until("accepted")
    assert (await UsageDay.objects.aget(person=maya_now)).seconds <= 10 * 60


async def test_what_a_browser_says_about_time_is_not_asked_for(maya_now: User, ana_now: User) -> None:
    says("Never this.")
    clock.move_to(NOON + timedelta(hours=11))
    tab = await tab_of(maya_now)
    await tab.open()
    await tab.send(
        type="say", client_id=uuid.uuid4(), text="it's noon here", at=NOON.isoformat(), time_zone="Asia/Tokyo"
    )
    kinds = {
        (frame["type"], frame.get("code"), (frame.get("data") or {}).get("code"))
        for frame in [await tab.get(), await tab.get()]
    }
    assert ("notice", None, "quiet_hours") in kinds
    assert await Message.objects.acount() == 0


async def test_a_link_that_ends_opens_the_house_s_own_limits_again(leo_now: User) -> None:
    says("Hello again.")
    bruno = await sync_to_async(make_person)("bruno", Role.GUARDIAN)
    link = await in_database(lambda: people.guardianship_start(teen=leo_now, guardian=bruno))
    await in_database(limits_set, bruno, leo_now.id, Wished(time(11), time(19), 10, memory_off=False, time_zone="UTC"))
    with pytest.raises(gate.QuietHours):
        await in_database(lambda: gate.may_talk(leo_now, now=clock.now()))
    await in_database(guardianship.link_end, leo_now, link.id)
    tab = await tab_of(leo_now)
    await tab.open()
    assert (await tab.say("hello there"))[-1]["type"] == "done"
