"""What the conversation so far says: read from the history's line ids, kept nowhere else."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from companion.bank import Bank, Exchange, opening
from companion.types import Line

NO_REPEAT = 30  # companion lines in which no line comes twice
NO_OPENING = 10  # companion turns in which no two begin alike
REPAIRS = ("not_understood", "not_understood_twice", "change_topic")


@dataclass(frozen=True)
class Talk:
    """pending: the exchange whose question or invitation was said last, if it has something to follow.
    asked: turns in a row, up to now, in which the companion asked. act: of the last thing that it said."""

    used_ids: frozenset[str]
    used_texts: tuple[str, ...]
    openings: frozenset[str]
    asked: int
    turns: int
    pending: Exchange | None
    situation: str | None
    act: str | None
    user_texts: tuple[str, ...]

    def said_before(self, line_id: str, text: str) -> bool:
        return line_id in self.used_ids or any(text in used for used in self.used_texts)


def talk_of(history: tuple[Line, ...], bank: Bank) -> Talk:
    """history: oldest first, without the message to answer."""
    turns = [list(lines) for who, lines in itertools.groupby(history, key=lambda line: line.who) if who == "companion"]
    spoken = [line for line in history if line.who == "companion"][-NO_REPEAT:]
    last = turns[-1][-1] if turns else None
    owner = bank.owners.get(last.line_id) if last and last.line_id else None
    asked = itertools.takewhile(lambda lines: any("?" in line.text for line in lines), reversed(turns))
    return Talk(
        used_ids=frozenset(line.line_id for line in spoken if line.line_id),
        used_texts=tuple(line.text for line in spoken),
        openings=frozenset(opening(lines[0].text) for lines in turns[-NO_OPENING:]),
        asked=sum(1 for _ in asked),
        turns=len(turns),
        pending=owner if owner and last and _follows(owner, last) else None,
        situation=owner.situation if owner else None,
        act=owner.act if owner else None,
        user_texts=tuple(line.text for line in history if line.who == "user")[-2:],
    )


def _follows(owner: Exchange, said: Line) -> bool:
    """After a reply; not after an `otherwise`, whose question is a new one, nor after a reply whose question was left
    out."""
    reply = next((line for line in owner.replies if line.id == said.line_id), None)
    return reply is not None and bool(owner.then or owner.otherwise) and reply.asks <= ("?" in said.text)
