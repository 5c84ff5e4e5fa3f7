"""A talk through the real screen and the real engine, and no database: what is said to the last of some messages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from companion.bank import Bank, BankLine
from companion.bank.lint_lines import QUOTED, banned, folded
from companion.engines.embedded.engine import EmbeddedEngine
from companion.types import Language, Limits, Line, Prompt
from moderation import crisis, screen
from moderation.types import Band, Decision, Exchanged, Screening, WatchState

BAND: Final[Band] = "13-15"
NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
COUNTRY: Final[dict[Language, str]] = {"en": "US", "pt-BR": "BR", "es": "MX", "fr": "FR"}
FAREWELLS: Final = ("farewell", "farewell_night")
DRAWS: Final = 6  # of what the engine says to a row


@dataclass(frozen=True)
class Row:
    """A message under its kind, and what the same person said before it."""

    language: Language
    kind: str
    text: str
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What is said to a row: sentences of the bank, or the bubbles that people wrote in their place.

    language: the one that is answered in. acts: of the bank's exchanges. others: what the same exchanges say to this on
    another day. card: helplines come with it.
    """

    row: Row
    decision: Decision
    language: Language
    sentences: tuple[str, ...]
    acts: frozenset[str | None] = frozenset()
    others: tuple[BankLine, ...] = ()
    card: bool = False

    @property
    def free(self) -> bool:
        """The engine was asked."""
        return self.decision.playbook is None

    @property
    def reply(self) -> str:
        return "".join(self.sentences) if self.free else " ".join(self.sentences)


def rows_of(path: Path) -> dict[Language, list[Row]]:
    """The rows of a file by language. A row is a text, or {before: [...], text: ...}."""
    given: dict[Language, dict[str, list[Any]]] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {
        language: [
            Row(language, kind, row) if isinstance(row, str) else Row(language, kind, row["text"], tuple(row["before"]))
            for kind, rows in kinds.items()
            for row in rows
        ]
        for language, kinds in given.items()
    }


def answers_of(rows: Iterable[Row], *, draws: int = DRAWS, opening: Sequence[Line] = ()) -> list[list[Answer]]:
    """The different answers that the draws give to each row; one where people wrote it. `opening`: said before it."""

    async def every() -> list[list[Answer]]:
        return [await _answers(row, draws, tuple(opening)) for row in rows]

    return asyncio.run(every())


def banned_in(answer: Answer) -> list[str]:
    """Why the bank's linter would not have these words: its reasons. What is quoted is what the teen wrote."""
    plain = folded(QUOTED.sub(" ", answer.reply))
    return [reason for pattern, reason in banned(answer.language) if pattern.search(plain)]  # type: ignore[attr-defined]


def held_in(answer: Answer) -> list[str]:
    """The sentences that the rules for replies would not let through."""
    asked = [Exchanged("user", answer.row.text)]
    held = []
    for number, sentence in enumerate(answer.sentences):
        decision = screen.check_reply(
            sentence,
            so_far="".join(answer.sentences[:number]),
            history=asked,
            band=BAND,
            language=answer.language,
            watch=WatchState(),
            written=True,
        )
        if decision.action != "allow":
            held.append(sentence.strip())
    return held


def bank_of(language: Language) -> Bank:
    """The engine's own."""
    return _engine()._built(language).bank


@cache
def _engine() -> EmbeddedEngine:
    return EmbeddedEngine(letters_only=True)


async def _answers(row: Row, draws: int, history: tuple[Line, ...]) -> list[Answer]:
    """What stands before the row is screened and answered too, a minute apart."""
    watch = WatchState()
    for number, text in enumerate(row.before):
        said = _screened(row, text, history, watch, number)
        answer, watch = await _answered(row, text, said, history, seed=0)
        history = (*history, Line("user", text), Line("companion", answer.reply))
    said = _screened(row, row.text, history, watch, len(row.before))
    drawn: dict[str, Answer] = {}
    for seed in range(draws if said.decision.playbook is None else 1):
        answer, _ = await _answered(row, row.text, said, history, seed)
        drawn[answer.reply] = answer
        if seed and all(not answer.acts.isdisjoint(FAREWELLS) for answer in drawn.values()):
            break  # a goodbye is heard or it isn't, whatever is drawn
    return list(drawn.values())


def _screened(row: Row, text: str, history: Sequence[Line], watch: WatchState, minute: int) -> Screening:
    """One by one, though the encoder reads many faster: what it says of a text moves a little with its batch."""
    return screen.check_message(
        text,
        history=[Exchanged(line.who, line.text) for line in history],
        band=BAND,
        language=row.language,
        watch=watch,
        now=NOON + timedelta(minutes=minute),
    )


async def _answered(
    row: Row, text: str, said: Screening, history: tuple[Line, ...], seed: int
) -> tuple[Answer, WatchState]:
    """As chatbot.chat.turn chooses it: the written flow where there is a playbook, else the engine."""
    decision, language = said.decision, said.language
    if decision.playbook is not None:
        written = crisis.answer(
            decision, said.watch,
            text=text, language=language, country=COUNTRY[row.language], now=NOON, production=False,
        )  # fmt: skip
        return Answer(row, decision, language, written.bubbles, card=written.card is not None), written.watch
    prompt = Prompt(
        text=text, language=language, band=BAND, history=history, low=decision.low, seed=seed,
        leaves="farewell" in said.signals,
    )  # fmt: skip
    pieces = [piece async for piece in _engine().stream(prompt, Limits())]
    bank = bank_of(language)
    exchanges = [bank.owners[piece.line_id] for piece in pieces if piece.line_id is not None]
    acts = frozenset(exchange.act for exchange in exchanges)
    others = tuple(line for exchange in exchanges for line in exchange.replies)
    return Answer(row, decision, language, tuple(piece.text for piece in pieces), acts, others), said.watch
