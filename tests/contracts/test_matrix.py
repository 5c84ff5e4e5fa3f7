"""The matrix: every address and every frame against everybody of the cast. The table is matrix.txt."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import reverse

from chatbot.chat import engine, talk
from chatbot.core import clock, keys
from chatbot.core.database import in_database
from tests.chat.house import says
from tests.chat.tab import Tab, tab_of
from tests.contracts.cast import (
    BACKEND,
    NOON,
    PASSWORD,
    PRIVATE,
    ROLES,
    TAUGHT,
    Cast,
    addresses,
    cast_make,
    frame_types,
    saved,
    table,
)

METHODS = ("GET", "POST")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# Those that hand their work to the turn's own threads: they see only what is committed.
LIVE = (("POST", "/api/v1/messages"), ("POST", "/api/v1/turns/<turn>/stop"))
FRIEND = {"name": "Pixel", "colour": "leaf", "playful": "50", "curious": "50", "gentle": "50"}
NEW_PASSWORD = "four odd words here"
SIGN_UP = {
    "birth_month": "1", "birth_year": "2009", "country": "US", "region": "", "language": "en",
    "username": "somebody_new", "password1": NEW_PASSWORD,
}  # fmt: skip


def body(address: str, cast: Cast) -> Mapping[str, Any]:
    """What a browser would send there: right in every field, so that only who asks can be wrong."""
    hers = cast.hers
    bodies: dict[str, Mapping[str, Any]] = {
        "/chat/friend/": FRIEND,
        "/me/place/": {"language": "fr", "time_zone": "Europe/Paris"},
        "/me/memory/import/": {"file": SimpleUploadedFile("memory.json", json.dumps(saved()).encode())},
        "/me/memory/pause/": {"pause": "on"},
        "/me/memory/<uuid:memory_id>/": {"value": "handball"},
        "/me/shelf/words/remove/": {"word": TAUGHT},
        "/me/delete/": {"password": PASSWORD},
        "/api/v1/messages": {"client_id": str(uuid.uuid4()), "text": "hello", "conversation": hers["conversation"]},
        "/api/v1/messages/<message>/report": {"reason": "wrong"},
        "/api/v1/moderate": {"text": "hello"},
        "/api/v1/moderations": {"input": "hello"},
        "/account/signup/": SIGN_UP,
        "/account/login/": {"login": "maya", "password": PASSWORD},
        "/account/reauthenticate/": {"password": PASSWORD},
        "/account/password/change/": {
            "oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD,
        },
        "/account/password/set/": {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        "/account/recover/": {"username": "maya", "code": hers["code"], "password": NEW_PASSWORD},
        "/account/recover/<str:secret>/": {"password": NEW_PASSWORD},
        "/account/recovery-code/": {"password": PASSWORD},
        "/account/unlock/": {"password": PASSWORD},
        "/family/join/": {
            "username": "somebody_grown", "password": NEW_PASSWORD, "adult": "on", "code": "ABCD-EFGH",
        },
        "/family/code/enter/": {"code": "ABCD-EFGH"},
        "/family/requests/<uuid:link_id>/": {"answer": "yes", "agree": "on"},
        "/family/<uuid:teen_id>/limits/": {
            "quiet_from": "21:00", "quiet_to": "07:00", "minutes": "45", "time_zone": "UTC",
        },
        "/review/<uuid:incident_id>/decide/": {"outcome": "talked_to", "reason": "Talked with them on the phone."},
        "/review/<uuid:incident_id>/release/": {"release-reason": "Somebody else knows them better."},
        "/review/<uuid:incident_id>/home-safe/": {"home-reason": "Their aunt said so on the phone."},
        "/account/second-factor/": {"code": "000000"},
        "/account/second-factor/code/": {"code": "000000"},
        "/account/second-factor/again/": {"code": "000000"},
        "/i18n/setlang/": {"language": "fr"},
    }  # fmt: skip
    return bodies.get(address, {})


def filled(address: str, ids: Mapping[str, str]) -> str:
    """The address with ids in the place of its parameters."""
    return PARAMETER.sub(lambda found: ids[found[1]], address)


def others(ids: Mapping[str, str]) -> dict[str, str]:
    """Ids of the same kinds that belong to nothing."""
    nothing = str(uuid.uuid4())
    return {**dict.fromkeys(ids, nothing), "device_id": "0" * 24, "rest": ids["rest"]}


def ask(client: Client, method: str, address: str, ids: Mapping[str, str], given: Mapping[str, Any]) -> HttpResponse:
    path = filled(address, ids)
    if method == "GET":
        return client.get(path)
    if address.startswith("/api/"):
        return client.post(path, json.dumps(given), content_type="application/json")
    return client.post(path, given)


def cell(response: HttpResponse, ids: Mapping[str, str]) -> str:
    """How the table writes an answer: `in` for the way to the sign-in, 302>where, else the status."""
    if response.status_code != 302:
        return str(response.status_code)
    where = response.headers["Location"]
    if where.startswith(reverse("account_login") + "?next="):
        return "in"
    for name, value in ids.items():
        where = where.replace(value, f"<{name}>")
    return "302>" + re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<new>", where)


def words(response: HttpResponse, ids: Mapping[str, str]) -> str:
    """The answer's text without what is new each time (tokens, nonces) and without the address that was asked for."""
    text = response.content.decode("utf-8")
    for value in ids.values():
        text = text.replace(value, "*")
    return re.sub(r'(csrfmiddlewaretoken" value=|nonce=)"[^"]+"', r"\1", text)


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    says("Nobody is asked here.")  # /ready asks whether an engine is loaded
    yield cast_make()
    async_to_sync(engine.engines_close)()


def asked(cast: Cast, role: str, method: str, address: str, ids: Mapping[str, str], *, checks: bool = False) -> Any:
    """The answer that this role gets there; what it did to the database is taken back."""
    client = cast.again(role, checks=checks)
    with transaction.atomic():
        response = ask(client, method, address, ids, body(address, cast))
        transaction.set_rollback(True)
    cache.clear()
    keys.forget_cached()
    return response


def test_every_address_and_every_frame_has_its_row_and_no_row_is_left_over() -> None:
    wanted = [(method, address) for address in addresses() for method in METHODS]
    wanted += [("SEND", kind) for kind in frame_types()]
    for method, address in wanted:
        assert (method, address) in table(), (
            f"{method} {address} has no row: add a line to tests/contracts/matrix.txt that says what each of"
            f" {', '.join(ROLES)} gets there. Somebody else's row must answer like one that is missing."
        )
    for method, address in table():
        assert (method, address) in wanted, f"{method} {address} is gone: take its line out of matrix.txt."


def test_every_address_answers_each_role_as_the_table_says(cast: Cast) -> None:
    wrong: list[str] = []
    for (method, address), row in table().items():
        if method == "SEND" or (method, address) in LIVE:
            continue
        for role, expected in row.items():
            response = asked(cast, role, method, address, cast.hers)
            if (got := cell(response, cast.hers)) != expected:
                wrong.append(f"{method} {address}: {role} got {got}, the table says {expected}")
            if role != "maya" and any(word in response.content.decode("utf-8", "replace") for word in PRIVATE):
                wrong.append(f"{method} {address}: {role} was shown what Maya wrote")
    assert not wrong, "\n".join(wrong)


def test_somebody_else_s_row_answers_like_one_that_is_missing(cast: Cast) -> None:
    missing = others(cast.hers)
    for method, address in table():
        named = PARAMETER.findall(address)
        # A recovery link is a key: whoever has it may use it, signed in or not. A site's key stands in its pages.
        if not named or named in (["secret"], ["public_key"]) or (method, address) in LIVE:
            continue
        for role in ROLES:
            # What was flagged is a moderator's to see: the summary, and nothing of it that names her.
            if role == "maya" or (role == "rui" and address.startswith("/review/")):
                continue
            if role == "ana" and address.startswith("/family/"):  # Maya's own guardian
                continue
            hers, nothing = (asked(cast, role, method, address, ids) for ids in (cast.hers, missing))
            assert cell(hers, cast.hers) == cell(nothing, missing), f"{method} {address} tells {role}"
            if hers.status_code != 302:
                assert words(hers, cast.hers) == words(nothing, missing), (
                    f"{method} {address} tells {role} whether the row is there"
                )


def test_no_form_is_taken_without_the_page_s_token(cast: Cast) -> None:
    for method, address in table():
        if method != "POST":
            continue
        response = asked(cast, "maya", "POST", address, cast.hers, checks=True)
        # 401: asks for a key of its own, which no browser sends by itself.
        assert response.status_code in (401, 403, 404, 405), f"POST {address} was taken without a token"


# --- what needs committed rows: the socket, and two addresses of the API ----------------------------------------------


@pytest.fixture
async def live(transactional_db: None) -> AsyncIterator[Cast]:
    made = await in_database(cast_make)
    says("Noted, and filed under plans.")
    yield made
    await talk.turns_release()
    await engine.engines_close()


async def test_the_api_s_live_addresses_answer_each_role_as_the_table_says(live: Cast) -> None:
    wrong: list[str] = []
    for method, address in LIVE:
        for role, expected in table()[method, address].items():
            client = AsyncClient()
            if role != "out":
                await client.aforce_login(live.people[role], backend=BACKEND)
            answers = []
            for ids in (live.hers, others(live.hers)):
                given = dict(body(address, live))
                if "conversation" in given:
                    given["conversation"] = ids["conversation"]
                path = filled(address, ids)
                answers.append(await client.post(path, json.dumps(given), content_type="application/json"))
            if (got := str(answers[0].status_code)) != expected:
                wrong.append(f"{method} {address}: {role} got {got}, the table says {expected}")
            if role != "maya" and answers[0].content != answers[1].content:
                wrong.append(f"{method} {address} tells {role} whether the row is there")
    assert not wrong, "\n".join(wrong)


def frame_of(kind: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """A frame of that kind, right in every field, about the rows with these ids."""
    fields: dict[str, dict[str, Any]] = {
        "hello": {"conversation": ids["conversation"]},
        "say": {"client_id": uuid.uuid4(), "text": "hello there"},
        "stop": {"turn": ids["turn"]},
        "again": {"turn": ids["turn"]},
        "edit": {"message": ids["own_message"], "text": "another aubergine rehearsal"},
        "react": {"message": ids["message"], "emoji": "👍"},
        "report": {"message": ids["message"], "reason": "wrong"},
        "ack": {"kind": "break"},
    }
    return {"type": kind, **fields.get(kind, {})}


async def answer(tab: Tab, frame: Mapping[str, Any]) -> str:
    """What the socket does with it: a close code, an error's code, a notice's kind, the type, or `-` for nothing."""
    await tab.send(**frame)
    output = await tab.wire.receive_output(timeout=10)
    if output["type"] == "websocket.close":
        return str(output["code"])
    got = json.loads(output["text"])
    if got["type"] == "notice" and got["kind"] == "guardian":
        return str(await tab.closed_with())
    return str({"error": got.get("code"), "notice": got.get("kind")}.get(got["type"], got["type"]))


async def sent(cast: Cast, role: str, kind: str, ids: Mapping[str, str]) -> str:
    """Connects as that role, says hello where the frame is not hello itself, sends the frame."""
    tab = await tab_of(cast.people.get(role))
    await tab.wire.connect()
    if role == "out":
        return await answer(tab, frame_of(kind, ids))
    if kind == "hello" or role not in ("maya", "stranger"):
        return await answer(tab, frame_of(kind, ids))
    own = {"conversation": cast.hers["conversation"]} if role == "maya" else {}
    assert (await tab.send_and_get(type="hello", **own))["type"] == "ready"
    if kind in ("stop", "react", "ack"):  # a yes to these is silent: what comes next is the answer to the ping
        await tab.send(**frame_of(kind, ids))
        got = await answer(tab, {"type": "ping"})
        return "-" if got == "pong" else got
    got = await answer(tab, frame_of(kind, ids))
    if got in ("accepted", "delta"):
        await tab.until("done")
    await tab.wire.disconnect()
    return got


async def test_every_frame_answers_each_role_as_the_table_says(live: Cast) -> None:
    clock.move_to(NOON)
    wrong: list[str] = []
    # Another answer and a correction are Maya's for her last message only: they come before she says more.
    order = ("hello", "stop", "react", "report", "again", "edit", "ack", "ping", "say")
    assert sorted(order) == sorted(frame_types()), "a new frame needs its place in `order` and a row in matrix.txt"
    for kind in order:
        for role, expected in reversed(table()["SEND", kind].items()):
            got = await sent(live, role, kind, live.hers)
            if got != expected:
                wrong.append(f"{kind}: {role} got {got}, the table says {expected}")
            if role == "stranger" and (missing := await sent(live, role, kind, others(live.hers))) != got:
                wrong.append(f"{kind} tells a stranger whether the row is there ({got}, {missing})")
    assert not wrong, "\n".join(wrong)
