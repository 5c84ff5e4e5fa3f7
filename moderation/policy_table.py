"""The table of policy.yaml as values: a category's rows by side, severity, band and plain mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from moderation.taxonomy import SEQUENCES
from moderation.types import Action, Band, Side

BANDS: Final[tuple[Band, ...]] = ("13-15", "16-17", "18+")
SIDES: Final[tuple[Side, ...]] = ("message", "reply")
SEVERITIES: Final = range(1, 5)
PLAYED: Final = 2  # the severity from which a playbook answers
TURNS_AWAY: Final = frozenset({"refuse", "block"})  # answered by a playbook at every severity: see plays()
# How much an action protects. Care in danger stands above every refusal: see protection().
_RANK: Final[Mapping[Action, int]] = {"allow": 0, "support": 1, "warn": 2, "refuse": 3, "block": 4, "crisis": 7}
_CARE: Final = 6

Words = tuple[str, ...]


def playbook_speaks(action: Action, severity: int) -> bool:
    """Whoever is turned away hears it in people's words, at severity 1 as well: nothing of that reaches an engine."""
    return action in TURNS_AWAY or (action != "allow" and severity >= PLAYED)


def protection(action: Action, playbook: str | None) -> int:
    """How much that protects: crisis, then care in danger, then block, refuse, warn, support, allow."""
    if action == "support" and playbook in SEQUENCES:
        return _CARE
    return _RANK[action]


class ByBand(BaseModel):
    """One action for each band."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    young: Action = Field(alias="13-15")
    older: Action = Field(alias="16-17")
    adult: Action = Field(alias="18+")

    def of(self, band: Band) -> Action:
        return {"13-15": self.young, "16-17": self.older, "18+": self.adult}[band]


class Row(BaseModel):
    """From `severity` on: this action."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    severity: int = Field(ge=1, le=4)
    action: Action | ByBand
    playbook: str | None = None
    incident: bool = False
    plain: Action | None = None

    def of(self, band: Band, *, plain: bool = False) -> Action:
        if plain and self.plain is not None:
            return self.plain
        return self.action.of(band) if isinstance(self.action, ByBand) else self.action


class CategoryPolicy(BaseModel):
    """The rows of one category."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    message: tuple[Row, ...] = Field(min_length=1)
    reply: tuple[Row, ...] = Field(min_length=1)
    by_playbook: dict[str, Action] = Field(default_factory=dict)
    locked: bool = False

    def rows(self, side: Side) -> tuple[Row, ...]:
        return self.message if side == "message" else self.reply

    def row(self, side: Side, severity: int) -> Row | None:
        """The last row whose severity is reached."""
        fitting = [row for row in self.rows(side) if row.severity <= severity]
        return fitting[-1] if fitting else None

    def does(self, side: Side, severity: int, band: Band, *, plain: bool) -> tuple[Action, str | None]:
        """The action, and the playbook that answers where the rule that spoke names none."""
        row = self.row(side, severity)
        if row is None:
            return "allow", None
        action = row.of(band, plain=plain)
        plays = side == "message" and playbook_speaks(action, severity)
        return action, row.playbook if plays else None


class Policy(BaseModel):
    """The whole table. `version` is the semantic version with a hash of the content."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str = Field(pattern=r"^\d+\.\d+\.\d+(\+[0-9a-f.]+)?$")
    always_open: Words
    unsure: ByBand
    categories: dict[str, CategoryPolicy]
