"""One thread that answers many askers: what arrives while it works goes into its next batch."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from chatbot.core.encoder.errors import EncoderError
from chatbot.core.encoder.model import BATCH
from chatbot.core.encoder.values import Part

WAIT_S = 0.003  # how long a batch waits for company, and only where the last one had company: alone nobody waits

Item = str | tuple[Part, ...]  # a text, or the parts of a run that a joined head reads
Answer = Future[Any]  # Encoded for a text, what the head gave for a run
Heads = tuple[str, ...]
Run = Callable[[Sequence[tuple[Item, Heads]]], Sequence[Any]]


@dataclass
class _Asked:
    item: Item
    heads: tuple[str, ...]
    answer: Answer = field(default_factory=Future)

    @property
    def kind(self) -> tuple[str, ...]:
        """What can be run together: texts whatever heads they ask for, runs of the same head."""
        return ("text",) if isinstance(self.item, str) else self.heads


class Worker:
    """Starts its thread at once. `run` is called in it, with texts or with runs of one head, and what each asks for."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._company = False
        self._thread = threading.Thread(target=self._loop, name="encoder", daemon=True)
        self._thread.start()

    def submit(self, item: Item, heads: tuple[str, ...]) -> Answer:
        asked = _Asked(item, heads)
        self._asked.put(asked)
        return asked.answer

    def close(self) -> None:
        self._asked.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _loop(self) -> None:
        while True:
            first = self._asked.get()
            if first is None:
                break
            batch, last = self._gathered(first)
            self._answer(batch)
            if last:
                break
        self._refuse_the_rest()

    def _gathered(self, first: _Asked) -> tuple[list[_Asked], bool]:
        """Up to 32 texts, and whether closing was asked for meanwhile."""
        batch = [first]
        until = time.monotonic() + (WAIT_S if self._company else 0.0)
        while len(batch) < BATCH:
            try:
                left = until - time.monotonic()
                another = self._asked.get(timeout=left) if left > 0 else self._asked.get_nowait()
            except queue.Empty:
                break
            if another is None:
                return batch, True
            batch.append(another)
        self._company = len(batch) > 1
        return batch, False

    def _answer(self, batch: list[_Asked]) -> None:
        wanted = [asked for asked in batch if asked.answer.set_running_or_notify_cancel()]
        for kind in dict.fromkeys(asked.kind for asked in wanted):
            group = [asked for asked in wanted if asked.kind == kind]
            try:
                found = self._run([(asked.item, asked.heads) for asked in group])
            except BaseException as error:  # every asker hears of it (a library's panic too), and the thread lives on
                for asked in group:
                    asked.answer.set_exception(error if isinstance(error, Exception) else EncoderError(repr(error)))
            else:
                for asked, answer in zip(group, found, strict=True):
                    asked.answer.set_result(answer)

    def _refuse_the_rest(self) -> None:
        while True:
            try:
                asked = self._asked.get_nowait()
            except queue.Empty:
                return
            if asked is not None and asked.answer.set_running_or_notify_cancel():
                asked.answer.set_exception(EncoderError("The sentence encoder is closed."))
