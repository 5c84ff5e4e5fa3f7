"""What another policy would have decided about what was found then. Pure, and without a word of the text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from moderation.policy import Policy, decide, weight
from moderation.taxonomy import CATEGORIES, PLAYBOOKS
from moderation.types import UNSURE, About, Action, Band, Decision, Hit, Level, Side, WatchState
from moderation.watch import consider

_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)  # no time passes in a replay


def _known(value: str) -> str:
    if value not in CATEGORIES:
        raise ValueError("no such category")
    return value


def _written(value: str) -> str:
    if value not in PLAYBOOKS:
        raise ValueError("no such playbook")
    return value


_Playbook = Annotated[str, AfterValidator(_written)]


class _Kept(BaseModel):
    """A hit, as it was kept."""

    model_config = ConfigDict(extra="ignore")
    rule: str
    category: Annotated[str, AfterValidator(_known)]
    severity: int = Field(ge=UNSURE, le=4)
    level: Level | None = None
    about: About | None = None
    playbook: _Playbook | None = None
    score: float = 0.0
    start: int = 0
    end: int = 0


class Was(BaseModel):
    """What was decided then, and about what. Raises pydantic's ValidationError where hits were not kept."""

    model_config = ConfigDict(extra="ignore")
    action: Action
    severity: int = 0
    level: Level | None = None
    playbook: _Playbook | None = None
    reason: str | None = None
    band: Band = "13-15"
    plain: bool = False
    hits: tuple[_Kept, ...]

    def found(self) -> tuple[Hit, ...]:
        return tuple(Hit(**hit.model_dump()) for hit in self.hits)

    def by_policy(self) -> bool:
        """Whether policy decided, and not the conversation before it or a detector that failed."""
        return self.reason is None or any(hit.rule == self.reason for hit in self.hits)


def hits_kept(hits: Iterable[Hit]) -> list[dict[str, Any]]:
    """Hits as JSON keeps them: numbers and names of rules."""
    return [asdict(hit) for hit in hits]


def replayed(was: Was, *, policy: Policy, side: Side, band: Band, plain: bool = False) -> Decision:
    """What that policy decides. What the conversation decided stands, unless policy asks for more by itself now."""
    decision = decide(was.found(), side=side, band=band, watch=WatchState(), policy=policy, plain=plain)
    if side == "message":  # a level that had risen before chooses the words
        risen = WatchState(level=was.level or "L0", signal_at=_ANY_TIME)
        decision = consider(risen, decision, (), _ANY_TIME)
    stood = Decision(was.action, was.severity, was.level, playbook=was.playbook, reason=was.reason)
    return stood if not was.by_policy() and weight(stood) >= weight(decision) else decision


def differs(was: Was, now: Decision) -> bool:
    """Whether somebody would have been answered otherwise."""
    return (was.action, was.playbook) != (now.action, now.playbook)
