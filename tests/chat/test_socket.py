"""The socket through the whole ASGI stack: every frame's welcome and refusal, every close code."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from chatbot.accounts import services as people
from chatbot.accounts.models import User
from chatbot.chat import socket
from chatbot.chat.models import Message
from chatbot.core import clock
from chatbot.core.database import in_database
from companion.engines.scripted import Stall
from tests.chat.house import NOON, says
from tests.chat.tab import tab_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]


async def test_hello_say_and_the_reply_by_sentence(maya_now: User) -> None:
    says("That sounds like a plan. ", "Which trick first?")
    tab = await tab_of(maya_now)
    ready = await tab.open()
    assert ready["type"] == "ready"
    assert "not a person" in ready["disclosure"]["body"]
    assert ready["companion"]["ai_label"] == "AI"
    frames = await tab.say("going skating later")
    assert [frame["type"] for frame in frames] == ["accepted", "delta", "delta", "done"]
    assert [frame["seq"] for frame in frames[1:3]] == [1, 2]
    assert frames[-1]["finish"] == "complete"


async def test_a_double_send_is_one_message(maya_now: User) -> None:
    says("Once is enough for me.")
    tab = await tab_of(maya_now)
    await tab.open()
    client_id = uuid.uuid4()
    first = await tab.say("hello", client_id)
    again = await tab.send_and_get(type="say", client_id=client_id, text="hello")
    assert (again["type"], again["message"]) == ("accepted", first[0]["message"])
    assert await Message.objects.filter(author="user").acount() == 1


async def test_two_tabs_see_the_same_reply(maya_now: User) -> None:
    says("Both of you can read this.")
    one, two = await tab_of(maya_now), await tab_of(maya_now)
    first, second = await one.open(), await two.open()
    assert first["conversation"] == second["conversation"]
    mine = await one.say("hello")
    theirs = await two.until("done")
    assert [f["text"] for f in theirs if f["type"] == "delta"] == [f["text"] for f in mine if f["type"] == "delta"]


async def test_a_lost_socket_loses_nothing_and_resumes_after_what_was_seen(maya_now: User) -> None:
    says("First sentence is here. ", Stall(0.4), "Second sentence is here. ", "And the third one.")
    one = await tab_of(maya_now)
    ready = await one.open()
    await one.send(type="say", client_id=uuid.uuid4(), text="tell me")
    accepted, delta = await one.get(), await one.get()
    assert delta["seq"] == 1
    await one.wire.disconnect()
    two = await tab_of(maya_now)
    await two.wire.connect()
    seen = {"turn": accepted["turn"], "seq": 1}
    await two.send(type="hello", conversation=ready["conversation"], seen=seen)
    frames = await two.until("done")
    assert [f["seq"] for f in frames if f["type"] == "delta"] == [2, 3]


async def test_danger_shows_the_card_before_the_end(maya_now: User) -> None:
    says("This must never be said.")
    tab = await tab_of(maya_now)
    await tab.open()
    frames = await tab.say("i want to kill myself and im not joking")
    card = next(frame for frame in frames if frame["type"] == "notice")
    assert card["kind"] == "crisis_card"
    assert card["data"]["emergency"] == "911"
    assert frames[-1]["finish"] == "crisis"
    assert not any("never be said" in frame.get("text", "") for frame in frames)


async def test_at_night_a_thirteen_year_old_is_told_kindly_and_danger_is_answered(maya_now: User) -> None:
    clock.move_to(NOON + timedelta(hours=11))
    tab = await tab_of(maya_now)
    assert (await tab.open())["type"] == "ready"
    assert (await tab.get())["kind"] == "quiet_hours"
    refused = await tab.send_and_get(type="say", client_id=uuid.uuid4(), text="one more thing")
    assert refused["kind"] == "quiet_hours"
    assert (await tab.say("i want to kill myself and im not joking"))[-1]["finish"] == "crisis"


async def test_stop_again_edit_react_and_report(maya_now: User) -> None:
    says("A fine answer to that.")
    tab = await tab_of(maya_now)
    await tab.open()
    done = (await tab.say("hello"))[-1]
    await tab.send(type="stop", turn=done["turn"])
    await tab.send(type="react", message=done["message"], emoji="👍")
    report = await tab.send_and_get(type="report", message=done["message"], reason="wrong")
    assert report["kind"] == "safety_tip"
    await tab.send(type="again", turn=done["turn"])
    assert (await tab.until("done"))[-1]["turn"] != done["turn"]
    message = await in_database(lambda: Message.objects.filter(author="user").get().id)
    await tab.send(type="edit", message=message, text="hello there")
    assert (await tab.until("done"))[-1]["finish"] == "complete"
    assert (await tab.send_and_get(type="edit", message=done["message"], text="x"))["code"] == "not_possible"
    assert (await tab.send_and_get(type="ping"))["type"] == "pong"


async def test_nothing_of_somebody_else_s_can_be_touched(maya_now: User, leo_now: User) -> None:
    says("For Maya only, this one.")
    tab = await tab_of(maya_now)
    ready = await tab.open()
    done = (await tab.say("hello"))[-1]
    other = await tab_of(leo_now)
    await other.open()
    for frame in (
        {"type": "stop", "turn": done["turn"]},
        {"type": "again", "turn": done["turn"]},
        {"type": "edit", "message": done["message"], "text": "mine"},
        {"type": "react", "message": done["message"], "emoji": "👍"},
        {"type": "report", "message": done["message"], "reason": "wrong"},
    ):
        assert (await other.send_and_get(**frame))["code"] == "not_allowed"
    third = await tab_of(leo_now)
    await third.wire.connect()
    await third.send(type="hello", conversation=ready["conversation"])
    assert await third.closed_with() == socket.NOT_ALLOWED


async def test_a_stranger_without_a_session_is_4401() -> None:
    for frame in ({"type": "hello"}, {"type": "say", "client_id": uuid.uuid4(), "text": "hello"}):
        tab = await tab_of(None)
        await tab.wire.connect()
        await tab.send(**frame)
        assert await tab.closed_with() == socket.SIGNED_OUT


@pytest.mark.parametrize("protocols", [["abraco.v9"], []])
async def test_an_unknown_version_is_4409(maya_now: User, protocols: list[str]) -> None:
    tab = await tab_of(maya_now, protocols)
    await tab.wire.connect()
    assert await tab.closed_with() == socket.WRONG_VERSION


async def test_no_hello_is_4408(maya_now: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "HELLO_S", 0.05)
    tab = await tab_of(maya_now)
    await tab.wire.connect()
    assert await tab.closed_with() == socket.NO_HELLO


async def test_three_bad_frames_in_a_row_are_4400_and_each_says_why(maya_now: User) -> None:
    tab = await tab_of(maya_now)
    await tab.open()
    for rubbish in ("not json", "[]", '{"type": "shout"}'):
        await tab.wire.send_to(text_data=rubbish)
        assert (await tab.get())["type"] == "error"
    assert await tab.closed_with() == socket.BAD


async def test_a_frame_over_64_kib_is_4413(maya_now: User) -> None:
    tab = await tab_of(maya_now)
    await tab.open()
    await tab.wire.send_to(text_data='{"type": "say", "text": "' + "a" * 70_000 + '"}')
    assert await tab.closed_with() == socket.TOO_LARGE


async def test_an_empty_or_long_message_is_an_error_and_never_closes(maya_now: User) -> None:
    tab = await tab_of(maya_now)
    await tab.open()
    for text in ("", "   ", "a" * 4001, "\u202e", "a" * 5000):
        assert (await tab.send_and_get(type="say", client_id=uuid.uuid4(), text=text))["type"] == "error"
    assert (await tab.send_and_get(type="ping"))["type"] == "pong"


async def test_a_flood_of_frames_is_4429(maya_now: User) -> None:
    tab = await tab_of(maya_now)
    await tab.open()
    for _ in range(socket.BURST + 1):
        await tab.send(type="ping")
    assert await tab.closed_with() == socket.TOO_FAST


async def test_signing_out_elsewhere_closes_the_socket_with_4401(maya_now: User) -> None:
    tab = await tab_of(maya_now)
    await tab.open()
    await in_database(people.sessions_end, maya_now)
    await tab.send(type="ping")
    assert await tab.closed_with() == socket.SIGNED_OUT


async def test_a_guardian_has_no_chat(maya_now: User) -> None:
    maya_now.role = "guardian"
    await maya_now.asave()
    tab = await tab_of(maya_now)
    await tab.wire.connect()
    assert (await tab.send_and_get(type="hello"))["data"]["code"] == "no_chat_here"
    assert await tab.closed_with() == socket.NOT_ALLOWED


async def test_danger_typed_where_nobody_is_signed_in_any_more_gets_its_card_before_the_door_closes(
    maya_now: User,
) -> None:
    tab = await tab_of(maya_now)
    await tab.open()
    await in_database(people.sessions_end, maya_now)
    await tab.send(type="say", client_id=uuid.uuid4(), text="im going to kill myself")
    (card,) = await tab.until("notice")
    assert (card["kind"], card["data"]["emergency"]) == ("crisis_card", "911")
    assert await tab.closed_with() == socket.SIGNED_OUT
    assert await Message.objects.acount() == 0
