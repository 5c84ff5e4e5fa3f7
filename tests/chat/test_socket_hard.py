"""The socket when things go wrong: limits that fall while it is open, floods, a database or a key that is away."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from pytest_django import Settings

from chatbot.accounts import services as people
from chatbot.accounts.adapter import LOCK
from chatbot.accounts.models import TimeLimits, User
from chatbot.accounts.sign_ins import SessionStore
from chatbot.chat import socket
from chatbot.chat.models import Message
from chatbot.core import clock, crypto, keys
from chatbot.core.database import in_database
from tests.chat.house import DANGERS, NOON, close_gate, database_away, says
from tests.chat.tab import Tab, tab_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "LIMITS_S", 0.05)


async def notice(tab: Tab) -> dict[str, object]:
    return (await tab.until("notice"))[-1]


async def goodbye(tab: Tab) -> tuple[int, str]:
    while True:
        output = await tab.wire.receive_output(timeout=10)
        if output["type"] == "websocket.close":
            return int(output["code"]), str(output.get("reason") or "")


async def test_when_quiet_hours_begin_the_open_chat_says_so_once(maya_now: User, quick_looks: None) -> None:
    tab = await tab_of(maya_now)
    await tab.open()
    clock.move_to(NOON + timedelta(hours=10, minutes=1))
    assert (await notice(tab))["kind"] == "quiet_hours"
    assert await tab.wire.receive_nothing(timeout=0.3)


async def test_when_the_minutes_run_out_the_open_chat_says_so_on_every_device(
    maya_now: User, quick_looks: None
) -> None:
    says("Hi!")
    phone, laptop = await tab_of(maya_now), await tab_of(maya_now)
    await phone.open()
    await laptop.open()
    await in_database(people._usage_add, maya_now, day=NOON.date(), seconds=3600)
    assert (await notice(phone))["kind"] == "limit"
    assert (await notice(laptop))["kind"] == "limit"


async def test_a_break_falls_due_while_nothing_is_sent_and_holds_on_another_device(
    maya_now: User, quick_looks: None
) -> None:
    says("Hi!")
    await TimeLimits.objects.acreate(person=maya_now, minutes_a_day=600)
    phone = await tab_of(maya_now)
    await phone.open()
    for minutes in (0, 25, 50):
        clock.move_to(NOON + timedelta(minutes=minutes))
        await phone.say("still here")
    clock.move_to(NOON + timedelta(minutes=61))
    assert (await notice(phone))["kind"] == "break"
    await phone.wire.disconnect()
    laptop = await tab_of(maya_now)
    await laptop.open()
    assert (await notice(laptop))["kind"] == "break"
    refused = await laptop.send_and_get(type="say", client_id=uuid.uuid4(), text="and another thing")
    assert (refused["kind"], refused["actions"][0]["value"]) == ("break", "break")
    await laptop.send(type="ack", kind="break")
    assert (await laptop.say("back again"))[-1]["finish"] == "complete"


async def test_a_break_needs_continuous_use(maya_now: User, quick_looks: None) -> None:
    says("Hi!")
    tab = await tab_of(maya_now)
    await tab.open()
    await tab.say("hello")
    clock.move_to(NOON + timedelta(minutes=90))
    assert await tab.wire.receive_nothing(timeout=0.3)


async def test_in_a_crisis_no_limit_is_told_and_a_flood_closes_nothing(maya_now: User, quick_looks: None) -> None:
    says("This must never be said.")
    tab = await tab_of(maya_now)
    await tab.open()
    assert (await tab.say(DANGERS["L2"]))[-1]["finish"] == "crisis"
    clock.move_to(NOON + timedelta(hours=10, minutes=1))
    assert await tab.wire.receive_nothing(timeout=0.3)
    for _ in range(socket.BURST + 5):
        await tab.send(type="ping")
    assert (await tab.say("i don't know"))[-1]["finish"] == "crisis"


async def test_when_consent_is_withdrawn_the_open_chat_says_so(maya_now: User, quick_looks: None) -> None:
    tab = await tab_of(maya_now)
    await tab.open()
    await in_database(close_gate, maya_now, "consent")
    told = await notice(tab)
    assert (told["kind"], told["data"]) == ("guardian", {"code": "consent_needed"})


async def test_danger_in_a_message_that_is_too_long_gets_the_card_beside_the_error(maya_now: User) -> None:
    tab = await tab_of(maya_now)
    await tab.open()
    await tab.send(type="say", client_id=uuid.uuid4(), text="so tired of it all. " * 220 + DANGERS["L2"])
    assert (await tab.get())["kind"] == "crisis_card"
    assert (await tab.get())["code"] == "too_long"
    assert await Message.objects.acount() == 0


async def test_without_a_database_the_socket_stays_danger_is_answered_and_the_rest_waits(maya_now: User) -> None:
    says("Back again, hello.")
    tab = await tab_of(maya_now)
    await tab.open()
    async with database_away():
        refused = await tab.send_and_get(type="say", client_id=uuid.uuid4(), text="hello")
        assert (refused["code"], refused["retry_after"]) == ("not_stored", 30)
        assert (await tab.send_and_get(type="ping"))["code"] == "not_stored"
        helped = await tab.send_and_get(type="say", client_id=uuid.uuid4(), text=DANGERS["L4"])
        assert (helped["kind"], helped["data"]["emergency"]) == ("crisis_card", "911")
    assert (await tab.say("hello"))[-1]["finish"] == "complete"


async def test_with_a_wrong_key_nothing_is_stored_or_lost_and_danger_is_answered(
    maya_now: User, settings: Settings
) -> None:
    says("Back again, hello.")
    tab = await tab_of(maya_now)
    await tab.open()
    await tab.say("hello")
    right, settings.MASTER_KEY = settings.MASTER_KEY, crypto.encode_key(crypto.new_key())
    keys.forget_cached()
    refused = await tab.send_and_get(type="say", client_id=uuid.uuid4(), text="is anybody there")
    assert refused["code"] == "not_stored"
    helped = await tab.send_and_get(type="say", client_id=uuid.uuid4(), text=DANGERS["L4"])
    assert helped["kind"] == "crisis_card"
    settings.MASTER_KEY = right
    keys.forget_cached()
    assert (await tab.say("is anybody there"))[-1]["finish"] == "complete"


async def test_after_leaving_quickly_the_socket_is_closed(maya_now: User) -> None:
    tab = await tab_of(maya_now)
    await tab.open()
    session = SessionStore(tab.session_key)
    await session.aset(LOCK, True)
    await session.asave()
    await tab.send(type="ping")
    assert (await goodbye(tab))[0] == socket.SIGNED_OUT


async def test_before_hello_every_other_frame_says_so(maya_now: User) -> None:
    tab = await tab_of(maya_now)
    await tab.wire.connect()
    for frame in ({"type": "ping"}, {"type": "say", "client_id": uuid.uuid4(), "text": "hello"}):
        assert (await tab.send_and_get(**frame))["code"] == "no_hello"
    assert (await tab.send_and_get(type="hello"))["type"] == "ready"
    assert (await tab.send_and_get(type="hello"))["code"] == "bad_frame"


async def test_bytes_are_an_error_that_says_so(maya_now: User) -> None:
    tab = await tab_of(maya_now)
    await tab.open()
    await tab.wire.send_to(bytes_data=b"\x00\x01")
    assert (await tab.get())["message"] == "Frames are text, not bytes."


async def test_half_a_character_is_a_message_and_nothing_breaks(maya_now: User) -> None:
    says("Hi!")
    tab = await tab_of(maya_now)
    await tab.open()
    await tab.send(type="say", client_id=uuid.uuid4(), text="hi \ud83d")  # JSON writes it as an escape
    assert (await tab.until("done"))[-1]["finish"] == "complete"
    assert await in_database(lambda: Message.objects.get(author="user").body) == "hi \ufffd"


async def test_right_to_left_tricks_are_kept_as_they_are_and_read_through(maya_now: User) -> None:
    says("Hi!")
    tab = await tab_of(maya_now)
    await tab.open()
    await tab.say("\u202eolleh\u202c there")
    assert await in_database(lambda: Message.objects.get(author="user").body) == "\u202eolleh\u202c there"


@pytest.mark.parametrize("code", sorted(socket.REASONS))
@pytest.mark.parametrize("language", ["en", "pt-BR", "es", "fr"])
async def test_every_close_has_a_sentence_that_fits(maya_now: User, code: int, language: str) -> None:
    maya_now.language = language
    await maya_now.asave()
    tab = await tab_of(maya_now)
    await tab.open()
    consumer = socket.ChatSocket()
    consumer.person = maya_now
    said: list[tuple[int, str]] = []

    async def close(code: int, reason: str) -> None:
        said.append((code, reason))

    consumer.close = close  # type: ignore[method-assign,assignment]  # nobody is at the other end
    await consumer._leave(code)
    assert said[0][0] == code
    assert said[0][1].endswith((".", "!"))
    assert len(said[0][1].encode()) <= 123
