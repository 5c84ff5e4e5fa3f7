"""An encoder as a service of the process: one thread, batches of whoever asks, loaded on first use, closed cleanly."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
from collections.abc import Callable, Sequence

from chatbot.core.encoder.english import english_opened
from chatbot.core.encoder.errors import EncoderError
from chatbot.core.encoder.model import BATCH, Opened, TrunkModel
from chatbot.core.encoder.tails import Tails
from chatbot.core.encoder.values import SENTENCE, Encoded, Floats, Head, JoinedHead, Part
from chatbot.core.encoder.worker import Answer, Item, Worker

# A head's name is part of every batch key, so keep the number of heads small.
Heads = tuple[str, ...]
TRUNK = "trunk"  # asked for as a head: the trunk alone, without a vector


class Encoder:
    """Thread safe. Nothing is loaded before the first text. `opened` raises EncoderError where the files are missing or
    wrong; so does every call then (kept: it is not tried again), and after `close`."""

    def __init__(self, opened: Callable[[], Opened] = english_opened, *, threads: int = 1) -> None:
        self._opened = opened
        self._threads = threads
        self._heads: dict[str, Head] = {}
        self._joined: dict[str, JoinedHead] = {}
        self._model: TrunkModel | None = None
        self._broken: EncoderError | None = None
        self._worker: Worker | None = None
        self._lock = threading.Lock()
        self._closed = False
        self.tails = Tails()

    def head_ensure(self, name: str, make: Callable[[], Head]) -> None:
        """Adds a head, unless there is one of that name; texts encoded with `heads=(name,)` carry its output. Raises
        ValueError for the name of the sentence's own."""
        with self._lock:
            if name == SENTENCE:
                raise ValueError(f"the encoder already has a head called {name}")
            if name not in self._heads:
                self._heads[name] = make()

    def joined_head_ensure(self, name: str, make: Callable[[], JoinedHead]) -> None:
        """Adds a head that reads several texts side by side, unless there is one of that name; see `joined`."""
        with self._lock:
            if name not in self._joined:
                self._joined[name] = make()

    @property
    def loaded(self) -> bool:
        return self._model is not None

    def warm(self) -> None:
        """Loads the model and runs it once, so that the first message doesn't wait for it."""
        self.encode(["hello"])

    def encode(self, texts: Sequence[str], *, heads: Heads = ()) -> list[Encoded]:
        """Encodes in the caller's order. Long lists go in chunks of 32, so that a waiting message gets in between."""
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        found: dict[int, Encoded] = {}
        for start in range(0, len(order), BATCH):
            chunk = order[start : start + BATCH]
            answers = [self._submit(texts[at], heads) for at in chunk]
            for at, answer in zip(chunk, answers, strict=True):
                found[at] = answer.result()
        return [found[at] for at in range(len(texts))]

    def joined(self, runs: Sequence[Sequence[Part]], *, head: str) -> list[Floats]:
        """What a joined head gives for each run of parts, in the caller's order. What it raises is raised here."""
        return [answer.result() for answer in [self._submit(tuple(run), (head,)) for run in runs]]

    async def joined_async(self, runs: Sequence[Sequence[Part]], *, head: str) -> list[Floats]:
        """Like `joined`."""
        waiting = [asyncio.wrap_future(self._submit(tuple(run), (head,))) for run in runs]
        return list(await asyncio.gather(*waiting))

    async def encode_async(self, text: str, *, heads: Heads = ()) -> Encoded:
        return await asyncio.wrap_future(self._submit(text, heads))

    async def encode_many_async(self, texts: Sequence[str], *, heads: Heads = ()) -> list[Encoded]:
        """A few texts at once (a message and its sentences): they share a batch."""
        return list(await asyncio.gather(*(self.encode_async(text, heads=heads) for text in texts)))

    def close(self) -> None:
        """Ends the thread after what is running; texts still waiting get EncoderError. Harmless twice."""
        with self._lock:
            self._closed = True
            worker = self._worker
        if worker is not None:
            worker.close()

    def _submit(self, item: Item, heads: Heads) -> Answer:
        with self._lock:
            if self._closed:
                raise EncoderError("The sentence encoder is closed.")
            if self._worker is None:
                self._worker = Worker(self._run)
            return self._worker.submit(item, heads)

    def _run(self, asked: Sequence[tuple[Item, Heads]]) -> Sequence[Encoded | Floats]:
        """In the encoder's thread. All items are of one kind: see Worker."""
        model = self._loaded()
        texts = [(item, heads) for item, heads in asked if isinstance(item, str)]
        if texts:
            names = {name for _, heads in texts for name in heads if name != TRUNK}
            return model.run(
                [text for text, _ in texts],
                heads={name: self._heads[name] for name in names},
                wanted=[heads if TRUNK in heads else (*model.own, *heads) for _, heads in texts],
            )
        runs = [item for item, _ in asked if not isinstance(item, str)]
        return model.run_joined(runs, head=self._joined[asked[0][1][0]])

    def _loaded(self) -> TrunkModel:
        if self._broken is not None:
            raise self._broken
        if self._model is None:
            try:
                self._model = TrunkModel(self._opened(), threads=self._threads)
            except EncoderError as error:
                self._broken = error
                raise
        return self._model


_every: list[Shared] = []


class Shared:
    """One encoder for the process. Calling it is free; using what it gives loads the model."""

    def __init__(self, opened: Callable[[], Opened]) -> None:
        self._opened = opened
        self._threads = 1
        self._one: Encoder | None = None
        self._guard = threading.Lock()
        _every.append(self)

    def __call__(self) -> Encoder:
        with self._guard:
            if self._one is None:
                self._one = Encoder(self._opened, threads=self._threads)
            return self._one

    def configure(self, *, threads: int) -> None:
        """Set once, before its first use. Raises RuntimeError after it."""
        with self._guard:
            if self._one is not None and self._one.loaded:
                raise RuntimeError("the encoder is already in use")
            self._threads = threads
            self._one = None

    def expire(self) -> None:
        with self._guard:
            here = self._one
        if here is not None:
            here.tails.expire()

    def close(self) -> None:
        """The next use makes a fresh one."""
        with self._guard:
            closing, self._one = self._one, None
        if closing is not None:
            with contextlib.suppress(RuntimeError):  # the interpreter may be too far gone to join threads
                closing.close()


encoder = Shared(english_opened)


def tails_expire() -> None:
    """Drops the ends of texts that are kept for too long; for a sweep."""
    for one in _every:
        one.expire()


def encoder_close() -> None:
    """Closes the process's encoders."""
    for one in _every:
        one.close()


atexit.register(encoder_close)


def encode(texts: Sequence[str], *, heads: Heads = ()) -> list[Encoded]:
    return encoder().encode(texts, heads=heads)


async def encode_async(text: str, *, heads: Heads = ()) -> Encoded:
    return await encoder().encode_async(text, heads=heads)


async def encode_many_async(texts: Sequence[str], *, heads: Heads = ()) -> list[Encoded]:
    return await encoder().encode_many_async(texts, heads=heads)
