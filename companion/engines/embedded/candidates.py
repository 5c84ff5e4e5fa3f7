"""What might be said: lines from every source that has something for this place of the talk, each of which may be said
now (lines.py). Which of them makes the most sense is weighed elsewhere (weighing.py)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from companion.engines.embedded.answering import FOLLOWS, follow_ups
from companion.engines.embedded.lines import Pick
from companion.types import ABOUTS, DOES

if TYPE_CHECKING:
    from companion.bank import BankLine, Exchange
    from companion.engines.embedded.mind import Turn

NEAREST: Final = 8  # exchanges by likeness
BLENDED: Final = 3  # ... of the message together with those before it
FOLLOW_UPS: Final = 3  # of what was asked
SUBJECTS, DOINGS = 2, 2  # likeliest ones, of which the lines for what was heard are taken
OF_ONE: Final = 10  # lines of one exchange
LOW: Final = "/low"  # what is listened with where something weighs


@dataclass(frozen=True)
class Candidate:
    """step: that of the rules which chose its exchange (mind.py); empty where none did."""

    pick: Pick
    step: str = ""


def candidates(turn: Turn) -> list[Candidate]:
    """Each line once. Empty where nothing may be said."""
    found: dict[str, Candidate] = {}
    for exchange, lines in _sources(turn):
        if turn.foreign(exchange) or turn.out_of_place(exchange):
            continue
        some = _some(list(lines), turn.prompt.seed)
        chosen = (turn.chooser.fitting(line) for line in some if line.id not in found)
        found |= {one.line.id: Candidate(Pick(one, exchange)) for one in chosen if one is not None}
    return list(found.values())


def _some(lines: Sequence[BankLine], seed: int) -> Sequence[BankLine]:
    """OF_ONE of them, from another place on each time, so that long lists are not always said from their beginning."""
    if len(lines) <= OF_ONE:
        return lines
    first = seed % len(lines)
    return [*lines[first:], *lines[:first]][:OF_ONE]


def _sources(turn: Turn) -> Iterator[tuple[Exchange, Iterable[BankLine]]]:
    for hit in turn.hits[:NEAREST]:
        yield hit.exchange, hit.exchange.replies
    pending = turn.talk.pending
    if pending is not None:
        for hit in follow_ups(turn, pending)[:FOLLOW_UPS]:
            if hit.score >= FOLLOWS:
                yield hit.exchange, hit.exchange.replies
        yield pending, pending.otherwise
    for exchange in _heard(turn):
        yield exchange, exchange.replies
    for exchange in turn.bank.acts.get("listening", ()):
        if not turn.heavy or exchange.id.endswith(LOW):
            yield exchange, exchange.replies
    for line_id in turn.fitting:
        yield turn.bank.owners[line_id], (turn.bank.lines[line_id],)
    blended = turn.reading.blended()
    for hit in turn.index.best(blended, most=BLENDED) if blended is not None else ():
        yield hit.exchange, hit.exchange.replies


def _heard(turn: Turn) -> Iterator[Exchange]:
    understood = turn.reading.understood
    if understood is None:
        return
    doings = heapq.nlargest(DOINGS, range(len(DOES)), key=understood.does.__getitem__)
    subjects = heapq.nlargest(SUBJECTS, range(len(ABOUTS)), key=understood.about.__getitem__)
    for doing in doings:
        for about in dict.fromkeys((*(ABOUTS[at] for at in subjects), turn.about, "anything")):
            exchange = turn.bank.heard.get((about, DOES[doing]))
            if exchange is not None:
                yield exchange
