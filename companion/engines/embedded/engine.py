"""The default engine: finds what to say in the bank, says it sentence by sentence. No sentence that nobody wrote."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from chatbot.core.encoder import EncoderError, encode_many_async
from chatbot.core.encoder.values import Floats
from companion.bank import Bank, BankError, bank_load, languages_written
from companion.engines.base import EngineUnavailable, limited
from companion.engines.embedded.following import KNOWN, Followed, Following
from companion.engines.embedded.index import BankIndex
from companion.engines.embedded.mind import Turn
from companion.engines.embedded.next_turn import BEFORE
from companion.engines.embedded.reading import needed, parts_of, read
from companion.engines.embedded.replying import Reply, another, reply_to
from companion.engines.embedded.state import talk_of
from companion.engines.embedded.understanding import EVEN, UnderstandingError, Understood, heads_for
from companion.engines.embedded.vectors import Encode, VectorCache, encoded
from companion.engines.embedded.weighing import Weigher, WeighingError, weigher
from companion.types import Delta, Language, Limits, ModelCard, Prompt
from companion.words import spoken

logger = logging.getLogger(__name__)
KEPT_VECTORS = 512  # of recent messages, for reading a message with the ones before it


class _Kept:
    """The last vectors by text, so that a turn's context costs no pass of its own."""

    def __init__(self) -> None:
        self._vectors: OrderedDict[str, Floats] = OrderedDict()

    def get(self, text: str) -> Floats | None:
        return self._vectors.get(text)

    def put(self, text: str, vector: Floats) -> None:
        self._vectors[text] = vector
        self._vectors.move_to_end(text)
        while len(self._vectors) > KEPT_VECTORS:
            self._vectors.popitem(last=False)


class EmbeddedEngine:
    """Options: cache_dir (where the bank's vectors are kept; None keeps nothing and encodes the bank at each start),
    bank_dir (another bank), letters_only (no encoder at all: weaker understanding, no torch)."""

    name = "embedded"

    def __init__(
        self,
        *,
        cache_dir: str | Path | None = None,
        bank_dir: str | Path | None = None,
        letters_only: bool = False,
        encode: Encode = encoded,
    ) -> None:
        self._bank_dir = None if bank_dir is None else Path(bank_dir)
        self._cache = (
            None if letters_only else VectorCache(None if cache_dir is None else Path(cache_dir), encode=encode)
        )
        self._cache_dir = None if cache_dir is None or letters_only or encode is not encoded else Path(cache_dir)
        self._indexes: dict[Language, BankIndex] = {}
        self._following: dict[Language, Following] = {}
        self._building = threading.Lock()
        self._kept = _Kept()
        self._broken: str | None = None
        self._left_out: list[str] = []
        self._closed = False

    def stream(self, prompt: Prompt, limits: Limits) -> AsyncGenerator[Delta, None]:
        return limited(self._pieces(prompt), limits)

    async def _pieces(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        reply = await self.reply(prompt)
        for piece in _deltas(reply):
            yield piece
            await asyncio.sleep(0)  # a stop is heard between two sentences

    async def reply(self, prompt: Prompt) -> Reply:
        """What `stream` would say, at once. Raises EngineUnavailable."""
        reply = await self._chosen(prompt)
        return another(reply, await self._chosen(replace(prompt, passed=()))) if prompt.passed else reply

    async def _chosen(self, prompt: Prompt) -> Reply:
        turn = await self.turn(prompt)
        reply = reply_to(turn, self._weigher() if turn.index.share and turn.reading.understood else None)
        if reply is None:
            raise EngineUnavailable(f"the bank has no line for {prompt.language} that may be said here")
        return reply

    async def turn(self, prompt: Prompt) -> Turn:
        """The message as it is read, before anything is chosen. Raises EngineUnavailable."""
        index = await self._index(prompt.language)
        talk = talk_of(prompt.history, index.bank, prompt.passed)
        vector_of = await self._vectors(prompt, talk.user_texts, index)
        followed = await self._followed(prompt)
        reading = read(
            prompt.text,
            talk.user_texts,
            index=index,
            language=prompt.language,
            vector_of=vector_of,
            understood=self._understood(prompt, vector_of, followed.said),
        )
        return Turn(prompt=prompt, talk=talk, reading=reading, bank=index.bank, index=index, followed=followed)

    def _weigher(self) -> Weigher | None:
        """None without the weights: then, as without sentence vectors, the rules alone choose."""
        try:
            return weigher()
        except WeighingError as error:
            self._broken = str(error)
            return None

    async def _followed(self, prompt: Prompt) -> Followed:
        """How well each line may follow; without the scorer none better than another."""
        following = self._following.get(prompt.language)
        if following is None:
            return Followed()
        said = (*(line.text for line in prompt.history[-BEFORE:]), prompt.text)
        try:
            return await following.followed(said)
        except EncoderError as error:
            self._broken = str(error)
            return Followed()

    def _understood(
        self, prompt: Prompt, vector_of: Callable[[str], Floats | None], said: Floats | None
    ) -> Understood | None:
        """Of the message; what its last sentence does, if that asks or comes after a mere reaction. None without the
        heads: then messages are answered by likeness and rules alone."""
        try:
            heads = heads_for(prompt.language)
        except UnderstandingError as error:
            self._broken = str(error)
            return None
        whole = heads.understood(prompt.text, vector_of(prompt.text), said)
        last = parts_of(prompt.text, prompt.language)[-1]
        if last == prompt.text:
            return whole
        end = heads.understood(last, vector_of(last), None)
        return replace(whole, does=end.does) if end.asks > EVEN or whole.reacts > EVEN else whole

    async def _index(self, language: Language) -> BankIndex:
        if self._closed:
            raise EngineUnavailable("the embedded engine is closed")
        found = self._indexes.get(language)
        return found if found is not None else await asyncio.to_thread(self._built, language)

    def _built(self, language: Language) -> BankIndex:
        """In a thread: reads the bank, encodes what the cache doesn't have."""
        with self._building:
            if language not in self._indexes:
                left_out: list[str] = []
                try:
                    bank = bank_load(language, self._bank_dir, left_out=left_out, parsed_in=self._cache_dir)
                except BankError as error:
                    raise EngineUnavailable(str(error)) from error
                if not bank.exchanges:
                    raise EngineUnavailable("; ".join(left_out) or f"the bank has nothing in {language}")
                for problem in left_out:  # the rest of the language still answers; ready() tells the operator
                    logger.error("left out of the bank: %s", problem)
                self._left_out += left_out
                self._indexes[language] = self._indexed(bank)
                self._follow(bank)
            return self._indexes[language]

    def _follow(self, bank: Bank) -> None:
        """Only beside a cache: the bank's lines take a minute to read."""
        if self._cache_dir is None or bank.language not in KNOWN:
            return
        directory = self._cache_dir
        try:
            self._following[bank.language] = Following(bank, lambda encode: VectorCache(directory, encode=encode))
        except EncoderError as error:
            self._broken = str(error)
            logger.warning("the embedded engine works without the next-turn scorer: %s", error)

    def _indexed(self, bank: Bank) -> BankIndex:
        try:
            return BankIndex(bank, self._cache, self._cache_dir)
        except EncoderError as error:
            # The companion goes on with letters alone; ready() tells the operator.
            self._broken = str(error)
            logger.warning("the embedded engine works without sentence vectors: %s", error)
            return BankIndex(bank, None)

    async def _vectors(self, prompt: Prompt, before: Sequence[str], index: BankIndex) -> Callable[[str], Floats | None]:
        """The vectors that the reading needs, in one batch. Without an encoder there are none."""
        if index.share == 0.0:
            return lambda text: None
        if prompt.vector is not None:
            self._kept.put(prompt.text, np.asarray(prompt.vector, dtype=np.float32))
        missing = [text for text in needed(prompt.text, before, prompt.language) if self._kept.get(text) is None]
        try:
            found = await encode_many_async(missing) if missing else []
        except EncoderError as error:
            self._broken = str(error)
            return self._kept.get
        for text, one in zip(missing, found, strict=True):
            self._kept.put(text, one.array)
        return self._kept.get

    def card(self) -> ModelCard:
        return ModelCard(
            name="Abraço's bank",
            kind="retrieval over lines that people wrote",
            source="companion/bank, found with sentence-transformers/all-MiniLM-L6-v2",
            licence="Apache-2.0 (bank and engine), Apache-2.0 (encoder)",
            languages=languages_written(self._bank_dir),
            note="Says only sentences that a person wrote and that were checked. Nothing leaves the machine.",
        )

    async def ready(self) -> None:
        """Builds what is written. Raises EngineUnavailable, when the rest is built, if a language can't be read or the
        encoder is missing: `stream` then answers in the other languages, or by letters alone."""
        written = languages_written(self._bank_dir)
        if not written:
            raise EngineUnavailable("the bank is empty")
        problems: list[str] = []
        for language in written:
            try:
                await self._index(language)
                heads_for(language)
            except (EngineUnavailable, UnderstandingError) as error:
                problems.append(str(error))
        problems += self._left_out
        if self._broken is not None and self._broken not in problems:
            problems.append(self._broken)
        if problems:
            raise EngineUnavailable("; ".join(problems))

    async def close(self) -> None:
        self._closed = True
        self._indexes.clear()
        self._following.clear()


def _deltas(reply: Reply) -> Iterator[Delta]:
    """Sentences; the last one carries the mood and the chips."""
    last = len(reply.chosen) - 1
    pieces = [
        (chosen.line.id, sentence)
        for at, chosen in enumerate(reply.chosen)
        for sentence in spoken(chosen.text if at == last else chosen.text + " ")
    ]
    for line_id, text in pieces[:-1]:
        yield Delta(text, line_id=line_id)
    line_id, text = pieces[-1]
    yield Delta(text, line_id=line_id, mood=reply.mood, chips=reply.chips, drawing=reply.drawing, end=True)
