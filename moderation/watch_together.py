"""Two changes of one watch at once: two conversations of one person, or a moderator beside a message. Pure.

Each began at the same state and knows nothing of the other. Where only one of them changed something, that change
stands; where both did, what is graver stands, and what was counted is counted together. Nothing is lowered by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from moderation.taxonomy import QUESTIONS
from moderation.types import LEVELS, Sequence, WatchState, level_rank
from moderation.watch import MARKS_KEPT, settle

T = TypeVar("T")


def together(before: WatchState, mine: WatchState, theirs: WatchState, now: datetime) -> WatchState:
    """The state after both. `before`: what mine was made from; `theirs`: what stands in its place by now."""
    before, mine, theirs = settle(before, now), settle(mine, now), settle(theirs, now)
    if theirs == before:
        return mine
    if mine == before:
        return theirs
    return WatchState(
        level=LEVELS[_either(level_rank(before.level), level_rank(mine.level), level_rank(theirs.level))],
        signal_at=_latest(mine.signal_at, theirs.signal_at),
        rises=tuple(sorted(_all(before.rises, mine.rises, theirs.rises))),
        sequence=_sequence(before, mine, theirs),
        home_danger=bool(_either(before.home_danger, mine.home_danger, theirs.home_danger)),
        low_streak=_counted(before.low_streak, mine.low_streak, theirs.low_streak),
        lows=_counted(before.lows, mine.lows, theirs.lows),
        low_at=_latest(mine.low_at, theirs.low_at),
        joked_at=_latest(mine.joked_at, theirs.joked_at),
        denied_at=_latest(mine.denied_at, theirs.denied_at),
        cards=_counted(before.cards, mine.cards, theirs.cards),
        said=_all(before.said, mine.said, theirs.said)[-max(len(mine.said), len(theirs.said)) :],
        marks=tuple(sorted(_all(before.marks, mine.marks, theirs.marks), key=lambda mark: mark.at))[-MARKS_KEPT:],
    )


def _either(before: int, mine: int, theirs: int) -> int:
    """The one that changed; the graver one where both did."""
    if mine == before:
        return theirs
    return mine if theirs == before else max(mine, theirs)


def _counted(before: int, mine: int, theirs: int) -> int:
    """Counted up by both: together. Set back by one of them: what the other still has."""
    return max(mine + theirs - before, mine, theirs) if min(mine, theirs) >= before else max(mine, theirs)


def _latest(mine: datetime | None, theirs: datetime | None) -> datetime | None:
    return max((at for at in (mine, theirs) if at is not None), default=None)


def _all(before: Iterable[T], mine: Iterable[T], theirs: Iterable[T]) -> tuple[T, ...]:
    """What both kept of before, and what either added."""
    old, own, other = tuple(before), tuple(mine), tuple(theirs)
    kept = [one for one in other if one not in old or one in own]
    return tuple(dict.fromkeys([*kept, *(one for one in own if one not in old)]))


def _sequence(before: WatchState, mine: WatchState, theirs: WatchState) -> Sequence | None:
    """The written conversation that goes on: the one that danger was met in last, at the graver level."""
    own, other = mine.sequence, theirs.sequence
    if own == before.sequence:
        return other
    if other == before.sequence:
        return own
    if own is None or other is None:
        return own or other
    if own.playbook == other.playbook:
        return Sequence(
            own.playbook,
            step=max(own.step, other.step),
            changes=min(own.changes, other.changes),
            safe=own.safe and other.safe,
            deniable=own.deniable and other.deniable,
            guessed=own.guessed and other.guessed,
            then=own.then or other.then,
        )
    return own if _weight(mine) >= _weight(theirs) else other


def _weight(state: WatchState) -> tuple[bool, int, float]:
    real = state.sequence is not None and state.sequence.playbook not in QUESTIONS
    return real, level_rank(state.level), state.signal_at.timestamp() if state.signal_at is not None else 0.0
