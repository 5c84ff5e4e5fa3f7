"""One browser tab on the whole ASGI stack, for the tests of the socket."""

from __future__ import annotations

import json
import uuid
from typing import Any

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from chatbot.accounts.models import User
from chatbot.asgi import application

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class Tab:
    """One browser tab."""

    def __init__(self, person: User | None, protocols: list[str] | None = None) -> None:
        client = Client()
        if person is not None:
            client.force_login(person, backend=BACKEND)
        self.session_key = client.session.session_key if person else ""
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        self.wire = WebsocketCommunicator(
            application,  # type: ignore[arg-type]  # the stubs know another kind of application
            "/ws/chat",
            headers=[(b"cookie", cookie.encode()), (b"origin", b"http://localhost"), (b"host", b"localhost")],
            subprotocols=["abraco.v1"] if protocols is None else protocols,
        )

    async def open(self) -> dict[str, Any]:
        await self.wire.connect()
        return await self.send_and_get(type="hello")

    async def send(self, **frame: object) -> None:
        await self.wire.send_to(text_data=json.dumps(frame, default=str))

    async def send_and_get(self, **frame: object) -> dict[str, Any]:
        await self.send(**frame)
        return await self.get()

    async def get(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.wire.receive_from(timeout=10))
        return frame

    async def until(self, kind: str) -> list[dict[str, Any]]:
        frames = [await self.get()]
        while frames[-1]["type"] != kind:
            frames.append(await self.get())
        return frames

    async def say(self, text: str, client_id: uuid.UUID | None = None, **more: object) -> list[dict[str, Any]]:
        await self.send(type="say", client_id=client_id or uuid.uuid4(), text=text, **more)
        return await self.until("done")

    async def closed_with(self) -> int:
        while True:
            output = await self.wire.receive_output(timeout=10)
            if output["type"] == "websocket.close":
                return int(output["code"])


async def tab_of(person: User | None, protocols: list[str] | None = None) -> Tab:
    return await sync_to_async(Tab)(person, protocols)
