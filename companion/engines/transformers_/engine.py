"""The engine: one thread that owns the model, a short queue before it, pieces handed to whoever waits for them.

One request runs at a time. Closing the iterator sets the request's event; the model hears it at its next token.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field

from companion.engines.base import EngineError, EngineTimeout, EngineUnavailable, limited
from companion.engines.transformers_.model import ChatModel, Raw, Settings
from companion.engines.transformers_.prompt import messages_of
from companion.types import LANGUAGES, Delta, Limits, ModelCard, Prompt

MOST_WAITING = 8


@dataclass
class _Request:
    """prompt: to be answered; Raw: to be completed as it is; None: only load the model. Pieces and the end come through
    `out`, in the asker's event loop."""

    prompt: Prompt | Raw | None
    limits: Limits
    until: float
    loop: asyncio.AbstractEventLoop
    out: asyncio.Queue[str | Exception | None] = field(default_factory=asyncio.Queue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    whole: bool = False  # the model ended it, and not a limit

    def tell(self, piece: str | Exception | None) -> None:
        """From the engine's thread. The asker's loop may be gone; then nobody is waiting either."""
        try:
            self.loop.call_soon_threadsafe(self.out.put_nowait, piece)
        except RuntimeError:
            self.cancelled.set()


class TransformersEngine:
    """Options: model (a folder or a hub id; the only one needed) and those of `Settings`; most_waiting, the length of
    the queue, after which EngineUnavailable is raised at once."""

    name = "transformers"

    def __init__(self, *, model: str, most_waiting: int = MOST_WAITING, **settings: object) -> None:
        self._settings = Settings(model=model, **settings)  # type: ignore[arg-type]  # names and types come from settings.py
        self._most_waiting = most_waiting
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._waiting = 0
        self._running: _Request | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._closed = False
        self._model: ChatModel | None = None
        self._broken: EngineUnavailable | None = None

    @property
    def busy(self) -> int:
        """Requests that run or wait."""
        with self._lock:
            return self._waiting

    def drained(self, timeout_s: float) -> bool:
        """Waits, in the caller's thread, until nothing runs or waits; False if that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting == 0, timeout_s)

    def stream(self, prompt: Prompt, limits: Limits) -> AsyncGenerator[Delta, None]:
        return limited(self._pieces(prompt, limits), limits)

    async def _pieces(self, prompt: Prompt, limits: Limits) -> AsyncGenerator[Delta, None]:
        request = self._ask(prompt, limits)
        try:
            while (piece := await request.out.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                yield Delta(piece)
            if request.whole:
                yield Delta("", end=True)
        finally:
            # DANGER: without this a cancelled turn would go on computing to its end.
            request.cancelled.set()

    async def complete(
        self, prompt: str | Sequence[Mapping[str, str]], *, tokens: int, effort: str | None = None
    ) -> str:
        """The likeliest answer, whole, to a raw prompt or to messages, in the same thread as replies: see model.Raw.
        Cancelling frees the compute. Raises EngineError."""
        request = self._ask(Raw(prompt, tokens, effort), Limits())
        pieces: list[str] = []
        try:
            while (piece := await request.out.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                pieces.append(piece)
        finally:
            request.cancelled.set()
        return "".join(pieces)

    def _ask(self, prompt: Prompt | Raw | None, limits: Limits) -> _Request:
        request = _Request(prompt, limits, time.monotonic() + limits.deadline_s, asyncio.get_running_loop())
        with self._lock:
            self._open()
            if self._waiting > self._most_waiting:
                raise EngineUnavailable(f"{self._waiting} requests are waiting for the model already")
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="language-model", daemon=True)
                self._thread.start()
            self._waiting += 1
            self._requests.put(request)
        return request

    def _loop(self) -> None:
        while (request := self._requests.get()) is not None:
            self._running = request
            try:
                self._answer(request)
            except EngineError as error:
                request.tell(error)
            except Exception as error:  # out of memory and the like: this request fails, the next may not
                request.tell(EngineError(f"the model failed: {type(error).__name__}"))
            else:
                request.tell(None)
            self._running = None
            with self._changed:
                self._waiting -= 1
                self._changed.notify_all()
        self._model = None

    def _answer(self, request: _Request) -> None:
        if request.cancelled.is_set():
            return
        self._open()
        model = self._loaded()
        if request.prompt is None:
            return
        if isinstance(request.prompt, Raw):
            request.whole = model.complete(
                request.prompt, until=request.until, cancelled=request.cancelled, say=request.tell
            )
        else:
            request.whole = model.generate(
                messages_of(request.prompt),
                seed=request.prompt.seed,
                max_chars=request.limits.max_chars,
                until=request.until,
                cancelled=request.cancelled,
                say=request.tell,
            )
        self._open()
        if time.monotonic() >= request.until:
            raise EngineTimeout(f"no end of the reply within {request.limits.deadline_s:g} s")

    def _open(self) -> None:
        if self._closed:
            raise EngineUnavailable("the transformers engine is closed")

    def _loaded(self) -> ChatModel:
        if self._broken is not None:
            raise self._broken
        if self._model is None:
            try:
                self._model = ChatModel(self._settings)
            except EngineUnavailable as error:
                self._broken = error
                raise
        return self._model

    def card(self) -> ModelCard:
        return ModelCard(
            name=self._settings.model.rstrip("/").rsplit("/", 1)[-1],
            kind="language model on this machine",
            source=self._settings.model if "/" not in self._settings.model[:1] else "a folder of the operator",
            licence=self._model.licence if self._model is not None else "see the model's own card",
            languages=LANGUAGES,
            note="Every sentence is checked before it is shown. It can be wrong about facts.",
        )

    async def ready(self) -> None:
        self._open()
        if self._model is not None:
            return
        request = self._ask(None, Limits())
        answer = await request.out.get()
        if isinstance(answer, Exception):
            raise answer

    async def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            thread, running = self._thread, self._running
            self._requests.put(None)
        if running is not None:
            running.cancelled.set()
        if thread is not None:
            await asyncio.to_thread(thread.join)
