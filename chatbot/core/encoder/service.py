"""The encoder as a service of the process: one thread, batches of whoever asks, loaded on first use, closed cleanly."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from chatbot.core.encoder.errors import EncoderError
from chatbot.core.encoder.files import MODEL_SHA256, model_directory
from chatbot.core.encoder.model import BATCH, TrunkModel
from chatbot.core.encoder.tails import Tails
from chatbot.core.encoder.values import SENTENCE, Encoded, Floats, Head, JoinedHead, Part
from chatbot.core.encoder.worker import Answer, Item, Worker

# A head's name is part of every batch key, so keep the number of heads small.
Heads = tuple[str, ...]
TRUNK = "trunk"  # asked for as a head: the trunk alone, without a vector


class Encoder:
    """Thread safe. Nothing is loaded before the first text. Raises EncoderError from every call when the files are
    missing or wrong (kept: it is not tried again), and after `close`."""

    def __init__(self, directory: Path | None = None, *, sha256: str = MODEL_SHA256, threads: int = 1) -> None:
        self._directory = directory
        self._sha256 = sha256
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
                wanted=[heads if TRUNK in heads else (SENTENCE, *heads) for _, heads in texts],
            )
        runs = [item for item, _ in asked if not isinstance(item, str)]
        return model.run_joined(runs, head=self._joined[asked[0][1][0]])

    def _loaded(self) -> TrunkModel:
        if self._broken is not None:
            raise self._broken
        if self._model is None:
            try:
                directory = self._directory or model_directory()
                self._model = TrunkModel(directory, sha256=self._sha256, threads=self._threads)
            except EncoderError as error:
                self._broken = error
                raise
        return self._model


_guard = threading.Lock()
_options: dict[str, Path | int | None] = {"directory": None, "threads": 1}
_shared: Encoder | None = None


def encoder_configure(*, directory: Path | None = None, threads: int = 1) -> None:
    """Options of the process-wide encoder, set once before its first use. Raises RuntimeError after it."""
    with _guard:
        if _shared is not None and _shared.loaded:
            raise RuntimeError("the encoder is already in use")
        _options.update(directory=directory, threads=threads)


def encoder() -> Encoder:
    """The process-wide encoder. Making it is free; using it loads the model."""
    global _shared  # noqa: PLW0603 (one model per process is the point)
    with _guard:
        if _shared is None:
            directory, threads = _options["directory"], _options["threads"]
            _shared = Encoder(
                directory if isinstance(directory, Path) else None, threads=threads if isinstance(threads, int) else 1
            )
        return _shared


def encoder_close() -> None:
    """Closes the process-wide encoder; the next use makes a fresh one."""
    global _shared
    with _guard:
        closing, _shared = _shared, None
    if closing is not None:
        with contextlib.suppress(RuntimeError):  # the interpreter may be too far gone to join threads
            closing.close()


atexit.register(encoder_close)


def encode(texts: Sequence[str], *, heads: Heads = ()) -> list[Encoded]:
    return encoder().encode(texts, heads=heads)


async def encode_async(text: str, *, heads: Heads = ()) -> Encoded:
    return await encoder().encode_async(text, heads=heads)


async def encode_many_async(texts: Sequence[str], *, heads: Heads = ()) -> list[Encoded]:
    return await encoder().encode_many_async(texts, heads=heads)
