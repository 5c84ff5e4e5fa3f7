"""What happens on the person's pages reaches their open chats at once, without a frame from the browser."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from chatbot.accounts.devices import devices_of
from chatbot.accounts.models import User
from chatbot.asgi import application
from chatbot.chat import engine, frames, talk
from chatbot.core.choices import choice_set
from companion.engines.scripted import ScriptedEngine
from tests.conftest import make_teen

pytestmark = pytest.mark.django_db(transaction=True)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SIGNED_OUT = 4401


@pytest.fixture(autouse=True)
async def _answering() -> AsyncIterator[None]:
    engine.engine_use(ScriptedEngine(["Cold pizza is sacred."]))
    yield
    await talk.turns_release()
    await engine.engines_close()


@pytest.fixture
def leo_now() -> User:
    """17, so that no quiet hours come in between."""
    choice_set("regions", {"*": "allow"})
    return make_teen("leo", age=17)


class Browser:
    """A signed-in browser with an open chat."""

    def __init__(self, person: User) -> None:
        self.client = Client()
        self.client.force_login(person, backend=BACKEND)
        self.key = self.client.session.session_key
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in self.client.cookies.items())
        self.wire = WebsocketCommunicator(
            application,  # type: ignore[arg-type]  # the stubs know another kind of application
            "/ws/chat",
            headers=[(b"cookie", cookie.encode()), (b"origin", b"http://localhost"), (b"host", b"localhost")],
            subprotocols=[frames.SUBPROTOCOL],
        )

    async def open(self) -> None:
        await self.wire.connect()
        await self.wire.send_to(text_data='{"type": "hello"}')
        await self.wire.receive_from(timeout=10)

    async def post(self, path: str, **fields: str) -> int:
        response = await sync_to_async(self.client.post)(path, fields)
        return response.status_code

    async def closed(self) -> int:
        while True:
            output = await self.wire.receive_output(timeout=10)
            if output["type"] == "websocket.close":
                return int(output["code"])


async def browser_of(person: User) -> Browser:
    browser = await sync_to_async(Browser)(person)
    await browser.open()
    return browser


async def test_signing_out_closes_the_chat_of_that_browser_and_no_other(leo_now: User) -> None:
    here, there = await browser_of(leo_now), await browser_of(leo_now)
    assert await here.post("/account/logout/") == 302
    assert await here.closed() == SIGNED_OUT
    assert await there.wire.receive_nothing()


async def test_leaving_quickly_closes_the_chats_of_that_browser_and_no_other(leo_now: User) -> None:
    here, there = await browser_of(leo_now), await browser_of(leo_now)
    assert (await sync_to_async(here.client.get)("/leave/")).status_code == 200
    assert await here.closed() == SIGNED_OUT
    assert await there.wire.receive_nothing()


async def test_signing_out_one_device_closes_its_chat(leo_now: User) -> None:
    here, there = await browser_of(leo_now), await browser_of(leo_now)
    devices = await sync_to_async(devices_of)(leo_now.id, here=here.key)
    other = next(one for one in devices if not one.here)
    assert await here.post(f"/me/devices/{other.id}/end/") == 302
    assert await there.closed() == SIGNED_OUT
    assert await here.wire.receive_nothing()


async def test_signing_out_everywhere_else_closes_the_chats_there(leo_now: User) -> None:
    here, there = await browser_of(leo_now), await browser_of(leo_now)
    assert await here.post("/me/devices/others/end/") == 302
    assert await there.closed() == SIGNED_OUT
    assert await here.wire.receive_nothing()


async def test_a_new_password_closes_the_chats_elsewhere(leo_now: User) -> None:
    here, there = await browser_of(leo_now), await browser_of(leo_now)
    fields = {"oldpassword": "abraco-tests", "password1": "quite another one", "password2": "quite another one"}
    assert await here.post("/account/password/change/", **fields) == 302
    assert await there.closed() == SIGNED_OUT
    assert (await sync_to_async(here.client.get)("/me/devices/")).status_code == 200


async def test_deleting_the_account_closes_every_chat(leo_now: User) -> None:
    here, there = await browser_of(leo_now), await browser_of(leo_now)
    assert await here.post("/me/delete/", password="abraco-tests") == 200
    assert await here.closed() == SIGNED_OUT
    assert await there.closed() == SIGNED_OUT


async def test_an_account_that_closes_over_its_age_is_told_in_the_chat_and_help_stays(leo_now: User) -> None:
    here = await browser_of(leo_now)
    text = '{"type": "say", "client_id": "7d5f9f2e-9f1e-4c40-8d0c-000000000001", "text": "%s"}'
    await here.wire.send_to(text_data=text % "im 11 years old")
    seen = ""
    while "closed for now" not in seen:
        seen = await here.wire.receive_from(timeout=10)
    await here.wire.send_to(text_data=(text % "i want to die").replace("001", "002"))
    while "crisis_card" not in seen or "closed for now" in seen:
        seen = await here.wire.receive_from(timeout=10)
