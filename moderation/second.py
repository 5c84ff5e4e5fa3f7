"""How a guard's guess is heard beside rules and classifier: it may make an answer more protective, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from moderation.policy import weight
from moderation.types import Action, Decision, Hit, level_rank

_TURNS_AWAY: Final[frozenset[Action]] = frozenset({"warn", "refuse", "block"})


def heard(
    found: tuple[Hit, ...], guess: tuple[Hit, ...], decided: Callable[[Sequence[Hit]], Decision]
) -> tuple[Hit, ...]:
    """What is decided about: all hits, or those of `found` alone where the guess would make the answer weaker, put
    other written words in the place of those that were chosen, or turn somebody away who was to be supported.

    `decided`: policy and conversation over these hits, pure.
    """
    if not guess:
        return found
    alone, both = decided(found), decided((*found, *guess))
    lighter = any(now < then for now, then in zip(_ranks(both), _ranks(alone), strict=True))
    replaced = alone.playbook is not None and both.playbook != alone.playbook and weight(both) <= weight(alone)
    supported = alone.action in {"support", "crisis"} or (alone.action == "allow" and alone.low)
    if lighter or replaced or (supported and both.action in _TURNS_AWAY):
        return found
    return (*found, *guess)


def _ranks(decision: Decision) -> tuple[int, int, int, bool]:
    """None of these may sink."""
    return weight(decision), level_rank(decision.level), decision.severity, decision.incident
