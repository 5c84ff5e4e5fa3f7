"""What uvicorn serves: pages, the socket, and the lifespan that owns the job thread and the running turns."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
pages = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402  Django has to be set up before
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  as above
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402  as above
from django.urls import path  # noqa: E402  as above

from chatbot.chat.service import NotFit, house_close, house_open, house_watch  # noqa: E402  as above
from chatbot.chat.socket import ChatSocket  # noqa: E402  as above

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

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


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The router, with a lifespan that Django's and Channels' own applications don't have."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    else:
        await cast(Any, router)(scope, receive, send)
