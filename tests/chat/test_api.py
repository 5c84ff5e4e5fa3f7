"""/api/v1 through the whole ASGI stack: what it gives, and every no with its code and its sentence."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.test import AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.accounts import services as people
from chatbot.accounts.adapter import LOCK
from chatbot.accounts.models import Role, User
from chatbot.chat import services, talk
from chatbot.chat.api import api
from chatbot.chat.models import Message, Turn
from chatbot.core import clock, jobs
from chatbot.core.database import in_database
from companion.engines.scripted import Stall
from moderation.incidents.models import Incident
from tests.chat.house import NOON, close_gate, says
from tests.conftest import make_person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]
ROOT = Path(__file__).resolve().parents[2]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
DANGER = "i want to kill myself and im not joking"


class Program:
    """Somebody's own program, with the cookie and the token of the pages."""

    def __init__(self, person: User | None, *, csrf: bool = True) -> None:
        self.client = AsyncClient(enforce_csrf_checks=True)
        if person is not None:
            self.client.force_login(person, backend=BACKEND)
        token = "a" * 32
        self.client.cookies["csrftoken"] = token
        self.headers = {"x-csrftoken": token} if csrf else {}

    async def get(self, path: str) -> tuple[int, Any]:
        answer = await self.client.get(f"/api/v1{path}")
        return answer.status_code, answer.json()

    async def post(self, path: str, body: object = None, kind: str = "application/json") -> tuple[int, Any]:
        raw = body if isinstance(body, str | bytes) else json.dumps({} if body is None else body, default=str)
        answer = await self.client.post(f"/api/v1{path}", raw, content_type=kind, headers=self.headers)
        return answer.status_code, answer.json()

    async def say(self, text: str, **more: object) -> tuple[int, Any]:
        return await self.post("/messages", {"client_id": uuid.uuid4(), "text": text, **more})


async def program_of(person: User | None, *, csrf: bool = True) -> Program:
    return await sync_to_async(Program)(person, csrf=csrf)


def is_no(answer: tuple[int, Any], status: int, code: str) -> None:
    assert answer[0] == status, answer
    assert answer[1]["code"] == code
    assert answer[1]["message"].endswith((".", "!", "?"))


async def test_say_and_wait_for_the_reply_then_read_it_again(maya_now: User) -> None:
    says("That sounds like a plan. ", "Which trick first?")
    program = await program_of(maya_now)
    status, said = await program.say("going skating later", wait=20)
    assert status == 200
    assert [row["text"] for row in said["reply"]["sentences"]] == ["That sounds like a plan.", "Which trick first?"]
    assert (said["reply"]["done"], said["reply"]["finish"]) == (True, "complete")
    status, listed = await program.get("/conversations")
    assert (status, listed[0]["id"], listed[0]["messages"]) == (200, said["conversation"], 2)
    assert said["off_record"] is False
    status, page = await program.get(f"/conversations/{said['conversation']}/messages")
    assert (status, page["more"]) == (200, False)
    assert [row["author"] for row in page["messages"]] == ["user", "companion"]
    newest = page["messages"][-1]["id"]
    status, page = await program.get(f"/conversations/{said['conversation']}/messages?before={newest}&limit=1")
    assert [row["text"] for row in page["messages"]] == ["going skating later"]
    status, rest = await program.get(f"/turns/{said['turn']}?after=1")
    assert [row["seq"] for row in rest["sentences"]] == [2]


async def test_a_message_off_the_record_says_so_in_the_answer_and_in_the_list(maya_now: User) -> None:
    says("Mhm.")
    program = await program_of(maya_now)
    _, said = await program.say("i love surfing", wait=20, off_record=True)
    assert said["off_record"] is True
    _, page = await program.get(f"/conversations/{said['conversation']}/messages")
    assert [one["off_record"] for one in page["messages"]] == [True, True]
    is_no(await program.say("hi", off_record="maybe"), 422, "bad_field")


async def test_without_waiting_the_turn_goes_on_and_can_be_stopped(maya_now: User) -> None:
    says("First sentence of several. ", Stall(), "Second sentence here. ", "Third one.")
    program = await program_of(maya_now)
    _, said = await program.say("tell me")
    assert said["reply"] is None
    for _ in range(500):
        if (await program.get(f"/turns/{said['turn']}"))[1]["sentences"]:
            break
        await asyncio.sleep(0.02)
    assert (await program.post(f"/turns/{said['turn']}/stop"))[0] == 200
    await asyncio.gather(*talk._running)
    _, ended = await program.get(f"/turns/{said['turn']}")
    assert (ended["done"], ended["finish"], len(ended["sentences"])) == (True, "stopped", 1)


async def test_a_double_send_is_one_message_and_the_first_answer(maya_now: User) -> None:
    says("Once is enough for me.")
    program, client_id = await program_of(maya_now), uuid.uuid4()
    _, first = await program.say("hello", client_id=client_id, wait=20)
    status, again = await program.say("other words", client_id=client_id, wait=20)
    assert (status, again["message"], again["reply"]) == (200, first["message"], first["reply"])
    assert await Message.objects.filter(author="user").acount() == 1


async def test_what_is_remembered_is_read_and_a_reply_can_be_reported(maya_now: User) -> None:
    says("Hi, Maya!")
    program = await program_of(maya_now)
    _, said = await program.say("my name is Maya", wait=20)
    await in_database(jobs.drain)
    status, remembered = await program.get("/memory")
    assert (status, [row["kind"] for row in remembered]) == (200, ["name"])
    reported = await program.post(f"/messages/{said['reply']['message']}/report", {"reason": "wrong"})
    assert reported == (200, {"reported": True})
    is_no(await program.post(f"/messages/{said['message']}/report", {"reason": "wrong"}), 409, "not_possible")
    assert await Incident.objects.acount() == 1


async def test_a_stranger_is_401_everywhere() -> None:
    program, thing = await program_of(None), uuid.uuid4()
    for path in ("/conversations", f"/conversations/{thing}/messages", f"/turns/{thing}", "/memory"):
        is_no(await program.get(path), 401, "signed_out")
    is_no(await program.say("hello"), 401, "signed_out")
    for path in (f"/turns/{thing}/stop", "/moderate", f"/messages/{thing}/report"):
        is_no(await program.post(path), 401, "signed_out")


async def test_after_leaving_quickly_the_api_is_locked_too(maya_now: User) -> None:
    program = await program_of(maya_now)
    session = await program.client.asession()
    await session.aset(LOCK, True)
    await session.asave()
    is_no(await program.get("/memory"), 401, "signed_out")
    is_no(await program.say("hello"), 401, "signed_out")


async def test_without_the_page_s_token_nothing_is_changed(maya_now: User) -> None:
    program = await program_of(maya_now, csrf=False)
    is_no(await program.say("hello"), 403, "csrf")
    assert (await program.get("/conversations")) == (200, [])


async def test_what_is_somebody_else_s_answers_like_what_is_not_there(maya_now: User, leo_now: User) -> None:
    says("For Maya only, this one.")
    _, said = await (await program_of(maya_now)).say("hello", wait=20)
    other = await program_of(leo_now)
    for thing in (said, {"conversation": uuid.uuid4(), "turn": uuid.uuid4(), "reply": {"message": uuid.uuid4()}}):
        is_no(await other.get(f"/conversations/{thing['conversation']}/messages"), 404, "not_found")
        is_no(await other.get(f"/turns/{thing['turn']}"), 404, "not_found")
        is_no(await other.post(f"/turns/{thing['turn']}/stop"), 404, "not_found")
        report = {"reason": "wrong"}
        is_no(await other.post(f"/messages/{thing['reply']['message']}/report", report), 404, "not_found")
        is_no(await other.say("hello", conversation=thing["conversation"]), 404, "not_found")
    assert await Message.objects.filter(owner_id=leo_now.id).acount() == 0


async def test_danger_said_into_somebody_else_s_conversation_is_answered(maya_now: User, leo_now: User) -> None:
    says("For Maya only, this one.")
    _, said = await (await program_of(maya_now)).say("hello", wait=20)
    status, answered = await (await program_of(leo_now)).say(DANGER, conversation=said["conversation"])
    assert (status, answered["message"], answered["notices"][0]["kind"]) == (200, None, "crisis_card")
    assert (await Incident.objects.aget()).conversation_id is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("not json", 400, "bad_json"),
        (b"\xff\xfe\x00", 400, "bad_json"),
        ('"hello"', 422, "bad_field"),
        ("[]", 422, "bad_field"),
        ("{}", 422, "bad_field"),
        ('{"client_id": "7", "text": "hi"}', 422, "bad_field"),
        ('{"client_id": "%s", "text": 7}', 422, "bad_field"),
        ('{"client_id": "%s", "text": "hi", "wait": 26}', 422, "bad_field"),
        ('{"client_id": "%s", "text": "hi", "extra": 1}', 422, "bad_field"),
        ('{"client_id": "%s", "text": "\\udead"}', 422, "empty"),
        ('{"client_id": "%s", "text": ""}', 422, "empty"),
        ('{"client_id": "%s", "text": "  \\n "}', 422, "empty"),
        ('{"client_id": "%s", "text": "\\u0301\\u202e"}', 422, "empty"),
        ('{"client_id": "%s", "text": "' + "a" * 4001 + '"}', 422, "too_long"),
        ('{"client_id": "%s", "text": "' + "a" * 100_000 + '"}', 413, "too_large"),
        ("[" * 10_000 + "]" * 10_000, 400, "too_deep"),
        ('{"a":' * 9 + "1" + "}" * 9, 400, "too_deep"),
    ],
)
async def test_a_bad_body_says_why_and_stores_nothing(maya_now: User, body: Any, status: int, code: str) -> None:
    program = await program_of(maya_now)
    raw = body.replace("%s", str(uuid.uuid4())) if isinstance(body, str) else body
    is_no(await program.post("/messages", raw), status, code)
    assert await Message.objects.acount() == 0


async def test_a_body_that_is_no_json_by_its_own_word_is_415(maya_now: User) -> None:
    program = await program_of(maya_now)
    is_no(await program.post("/messages", "text=hi", "application/x-www-form-urlencoded"), 415, "not_json")


async def test_an_address_that_is_not_there_is_404_in_json(maya_now: User) -> None:
    program = await program_of(maya_now)
    is_no(await program.get("/nothing/here"), 404, "not_found")
    is_no(await program.get("/turns/7"), 422, "bad_field")


async def test_the_gate_s_no_has_its_own_code_and_nothing_is_kept(maya_now: User) -> None:
    clock.move_to(NOON + timedelta(hours=11))
    program = await program_of(maya_now)
    is_no(await program.say("just one more thing"), 403, "quiet_hours")
    assert await Message.objects.acount() == 0
    await in_database(people.person_lock, maya_now, reason="test")
    is_no(await program.say("just one more thing"), 403, "locked")


async def test_a_break_ends_by_a_tap(maya_now: User) -> None:
    says("Welcome back.")
    program = await program_of(maya_now)
    assert await program.post("/break/end") == (200, {"ended": False})
    await in_database(close_gate, maya_now, "break")
    is_no(await program.say("and another thing"), 403, "break")
    assert await program.post("/break/end") == (200, {"ended": True})
    assert (await program.say("and another thing", wait=20))[1]["reply"]["finish"] == "complete"


async def test_danger_in_a_message_that_is_too_long_is_answered(maya_now: User) -> None:
    program = await program_of(maya_now)
    status, said = await program.say("so tired of it all. " * 220 + DANGER)
    assert (status, said["message"], said["notices"][0]["kind"]) == (200, None, "crisis_card")
    assert said["notices"][0]["data"]["emergency"] == "911"
    assert await Message.objects.acount() == 0


async def test_more_than_anybody_types_is_429_and_says_when(maya_now: User) -> None:
    says("Hi.")
    program = await program_of(maya_now)
    for _ in range(talk.PER_MINUTE):
        assert (await program.say("hi"))[0] == 200
    refused = await program.say("hi")
    is_no(refused, 429, "too_fast")
    assert 0 < refused[1]["retry_after"] <= 61
    assert (await program.say(DANGER, wait=20))[1]["reply"]["finish"] == "crisis"


async def test_a_guardian_and_staff_have_no_chat_and_see_nothing(maya_now: User) -> None:
    for role in (Role.GUARDIAN, Role.MODERATOR, Role.OPERATOR):
        person = await in_database(make_person, role.value, role)
        program = await program_of(person)
        is_no(await program.say("hello"), 403, "no_chat_here")
        assert (await program.get("/conversations")) == (200, [])
        assert (await program.get("/memory")) == (200, [])


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OPERATOR])
async def test_staff_screen_a_text_of_up_to_20000_characters(maya_now: User, role: Role) -> None:
    program = await program_of(await in_database(make_person, "staff", role))
    status, found = await program.post("/moderate", {"id": "1", "text": "im going to kill myself", "lang": "en"})
    assert (status, found["id"], found["action"], found["level"]) == (200, "1", "crisis", "L3")
    assert {"any", "T01"} <= set(found["scores"])
    history = [{"who": "companion", "text": "How was it?"}]
    status, found = await program.post("/moderate", {"text": "ã" * 20_000, "history": history, "side": "reply"})
    assert (status, found["level"]) == (200, None)
    is_no(await program.post("/moderate", {"text": "a" * 20_001}), 422, "bad_field")
    is_no(await program.post("/moderate", {"text": "a" * 300_000}), 413, "too_large")
    assert await Message.objects.acount() == 0


@pytest.mark.parametrize("role", [Role.TEEN, Role.GUARDIAN])
async def test_nobody_else_screens_texts(maya_now: User, role: Role) -> None:
    program = await program_of(await in_database(make_person, "somebody", role))
    is_no(await program.post("/moderate", {"text": "hello"}), 403, "not_allowed")


async def test_a_turn_can_be_read_while_nobody_answers_it(maya_now: User) -> None:
    conversation = await in_database(services.conversation_open, person=maya_now)
    accepted = await in_database(
        services.message_accept, person=maya_now, conversation=conversation, client_id=uuid.uuid4(), text="hi"
    )
    status, found = await (await program_of(maya_now)).get(f"/turns/{accepted.turn_id}")
    assert (status, found["done"], found["finish"], found["sentences"]) == (200, False, None, [])
    assert await Turn.objects.acount() == 1


def test_the_openapi_is_as_written(tmp_path: Path) -> None:
    call_command("openapi", str(tmp_path / "openapi.json"))
    written = json.loads((ROOT / "docs" / "api" / "openapi.json").read_text(encoding="utf-8"))
    assert json.loads((tmp_path / "openapi.json").read_text(encoding="utf-8")) == written


async def test_the_openapi_is_served_to_anybody() -> None:
    status, found = await (await program_of(None)).get("/openapi.json")
    assert (status, found["info"]["title"]) == (200, "Abraço")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.uuids().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)
_NAMES = st.sampled_from(["client_id", "text", "conversation", "wait", "reason", "history", "band", "side", "id", "x"])
_BODIES = st.dictionaries(_NAMES, _ANY, max_size=5) | _ANY
_OPERATIONS = [
    (path, method)
    for path, methods in api.get_openapi_schema(path_prefix="/api/v1/")["paths"].items()
    for method in methods
]


@pytest.mark.parametrize(("path", "method"), _OPERATIONS)
@given(data=st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_sent_the_answer_is_one_that_the_openapi_names(
    maya_now: User, path: str, method: str, data: st.DataObject
) -> None:
    program = await program_of(maya_now)
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    for name in names:
        given_id = data.draw(st.uuids().map(str) | st.text("abc0123456789-", min_size=1, max_size=40))
        path = path.replace("{" + name + "}", given_id)
    short = path.removeprefix("/api/v1")
    if method == "get":
        status, answered = await program.get(short)
    else:
        status, answered = await program.post(short, data.draw(_BODIES))
    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    found = next(entry for entry in schema["paths"] if _same(entry, path))
    assert str(status) in {str(known) for known in schema["paths"][found][method]["responses"]}
    if status != 200:
        openai_s = short == "/moderations"
        assert set(answered) == ({"error"} if openai_s else {"code", "message", "field", "retry_after"})


def _same(entry: str, path: str) -> bool:
    parts, given_parts = entry.split("/"), path.split("/")
    pairs = zip(parts, given_parts, strict=False)
    return len(parts) == len(given_parts) and all(one == two or one.startswith("{") for one, two in pairs)
