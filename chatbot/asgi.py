"""What uvicorn serves: pages, the socket, and the lifespan that owns the job thread and the running turns."""

import asyncio
import contextlib
import io
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
pages = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402  Django has to be set up before
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  as above
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402  as above
from django.core.handlers.asgi import ASGIRequest  # noqa: E402  as above
from django.http import HttpResponse  # noqa: E402  as above
from django.urls import path, reverse  # noqa: E402  as above
from django.utils import translation  # noqa: E402  as above

from chatbot.chat import api_door  # noqa: E402  as above
from chatbot.chat.service import NotFit, house_close, house_open, house_watch  # noqa: E402  as above
from chatbot.chat.socket import ChatSocket  # noqa: E402  as above
from chatbot.me.importing import BODY_BYTES as IMPORT_BYTES  # noqa: E402  as above

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
PAGE_BYTES = 1024 * 1024
PAGES = {reverse("me:memory_import"): IMPORT_BYTES}  # those that take more

router = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(cast(Any, [path("ws/chat", cast(Any, ChatSocket.as_asgi()))])))
        ),
    }
)


async def _lifespan(receive: Receive, send: Send) -> None:
    watch: asyncio.Task[None] | None = None
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await house_open()
            except NotFit as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            watch = asyncio.create_task(house_watch())
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if watch is not None:
                watch.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watch
            await house_close()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _capped(scope: Scope, receive: Receive, send: Send) -> None:
    """The pages and the API, which never see more of a body than they take. DANGER: one that is sent in pieces has no
    Content-Length, and Django would write all of it to the disk before anybody asks who sends it."""
    in_api = scope["path"].startswith("/api/")
    most = api_door.body_most(scope["path"]) if in_api else PAGES.get(scope["path"], PAGE_BYTES)
    size = 0

    async def counted() -> MutableMapping[str, Any]:
        nonlocal size
        if size <= most:
            message = await receive()
            size += len(message.get("body", b""))
            if size <= most:
                return message
        return {"type": "http.disconnect"}  # Django drops what it has, and answers nothing

    await cast(Any, router)(scope, counted, send)
    if size > most:
        await _answer(_too_large(scope, most, in_api=in_api), send)


def _too_large(scope: Scope, most: int, *, in_api: bool) -> HttpResponse:
    language = translation.get_language_from_request(ASGIRequest(cast(Any, scope), io.BytesIO()))
    with translation.override(language):
        refusal = api_door.too_large(most)
    if in_api:
        return api_door.answer(refusal, scope["path"])
    return HttpResponse(refusal.sentence, status=refusal.status, content_type="text/plain; charset=utf-8")


async def _answer(response: HttpResponse, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    headers.append((b"content-length", str(len(response.content)).encode("ascii")))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The router, with a lifespan that Django's and Channels' own applications don't have."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http":
        await _capped(scope, receive, send)
    else:
        await cast(Any, router)(scope, receive, send)
