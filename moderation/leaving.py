"""How a teen leaves a written conversation in so many words. Pure.

"I was joking" is heard at L2 and below, once: `joking_check` answers, then humour is back.

"I'm safe now", typed or tapped below an answer, is heard once the conversation has said what 4.4 asks for (`way_out`).
`safe_now` answers, with the card, and ordinary talk goes on; no joke comes in it until the topic has changed twice.

Neither lowers the level, takes anything from a sign of danger that stands beside it, or makes a later sign weaker: that
begins a written conversation at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from moderation.taxonomy import DANGER, QUESTIONS, SEQUENCE_CATEGORY
from moderation.types import UNSURE, Decision, Sequence, WatchState, level_rank

JOKING: Final = "joking"
SAFE: Final = "safe_now"  # the signal, the playbook and the reason
_FRIEND: Final = "friend_in_danger"
_UNSAFE: Final = frozenset({"low", "distress", "final"})  # beside these "I'm safe" is no way out
_GRAVE: Final = frozenset({"medical", "threat", "farewell_danger"})  # as grave as L3, whatever the level


@dataclass(frozen=True)
class Left:
    """What answers, why, and what it belongs to."""

    playbook: str
    reason: str
    categories: tuple[str, ...]


def way_out(state: WatchState) -> bool:
    """Whether the written conversation ends when the teen says that they are safe now.

    Only once it has said what 4.4 asks for within three turns: from the second answer on, and from the third where a
    life may be in danger. Before that "I'm safe" is an answer to what was asked, and the conversation goes on.
    """
    running = state.sequence
    if running is None or running.playbook in QUESTIONS:
        return False
    grave = level_rank(state.level) >= 3 or running.playbook in _GRAVE
    return running.step >= (3 if grave else 2)


def left(state: WatchState, decision: Decision, named: frozenset[str]) -> Left | None:
    """What answers "I was joking" and "I'm safe now", where they are heard. `decision` carries no sign of danger."""
    if "joking" in named and _may_have_joked(state):
        return Left("joking_check", JOKING, tuple(dict.fromkeys(("T01", *decision.categories))))
    if state.sequence is None or not _says_safe(state, state.sequence, decision, named):
        return None
    return Left(SAFE, SAFE, (SEQUENCE_CATEGORY[state.sequence.playbook],))


def _may_have_joked(state: WatchState) -> bool:
    recent = state.sequence is not None or state.level != "L0"
    return recent and level_rank(state.level) <= 2 and state.joked_at is None


def _says_safe(state: WatchState, running: Sequence, decision: Decision, named: frozenset[str]) -> bool:
    """DANGER: asked after danger and goodbyes, so that "I'm safe now" takes nothing from what stands beside it. Low
    words, and what a rule finds at any severity, keep the conversation where it is."""
    if not way_out(state) or _UNSAFE.intersection(named):
        return False
    if decision.severity > UNSURE and DANGER.intersection(decision.categories):
        return False
    return SAFE in named or (running.playbook == _FRIEND and "friend_safe" in named)


def advanced(state: WatchState, decision: Decision, now: datetime) -> WatchState | None:
    """The state after either; None after any other decision. The level stays, and "I'm safe now" leaves the low day as
    it is."""
    if decision.reason == SAFE:
        was = "" if state.sequence is None else state.sequence.playbook
        return replace(state, sequence=Sequence(SAFE, then=was))
    if decision.reason != JOKING:
        return None
    return replace(state, joked_at=now, low_streak=0, lows=0, low_at=None, sequence=Sequence("joking_check"))
