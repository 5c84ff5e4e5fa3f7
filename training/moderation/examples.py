"""One example as the trainer sees it, whatever it was read from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

from moderation.detectors.classifier.outputs import LEVELS, MESSAGE, REPLY, SEVERITIES
from moderation.taxonomy import CATEGORIES
from moderation.types import Language, Side, level_rank

Part = Literal["train", "held"]
HELD_OF_TEN: Final = 2  # scenes of ten that are held back for thresholds
UNASKED: Final = frozenset({"T05", "T27", "T29"})  # kinds of harmless text: they make nothing harmful


@dataclass(frozen=True)
class Example:
    """`text` is judged, read together with `before`; `targets` holds 0 and 1 for outputs that are known, the others are
    not learnt from.

    before: what the same person said just before, oldest first; for a reply, what it answers. scene: what must stand on
    one side of a split; source: where it is from; weight: how much it counts.
    """

    text: str
    targets: Mapping[str, int]
    language: Language
    source: str
    scene: str
    weight: float = 1.0
    before: tuple[str, ...] = ()

    @property
    def part(self) -> Part:
        """By the scene alone, so that no scenario stands on both sides, whatever is added later."""
        digest = hashlib.sha256(self.scene.encode()).digest()
        return "held" if digest[0] % 10 < HELD_OF_TEN else "train"


@dataclass(frozen=True)
class Label:
    """`T01:3:L2`: category, severity 1 to 4, and for T01 the level or `friend`."""

    category: str
    severity: int
    level: str | None = None

    @classmethod
    @cache
    def read(cls, written: str) -> Label:
        """Raises ValueError with what is wrong."""
        category, _, rest = written.partition(":")
        severity, _, level = rest.partition(":")
        if category not in CATEGORIES or severity not in {"1", "2", "3", "4"}:
            raise ValueError(f"no label: {written}")
        if level not in {"", "friend", *LEVELS}:
            raise ValueError(f"no level: {written}")
        return cls(category, int(severity), level or None)


@dataclass(frozen=True)
class Labels:
    """All that is wrong with one text."""

    side: Side
    labels: tuple[Label, ...] = field(default=())

    def targets(self) -> dict[str, int]:
        """Every output of the side, as 0 or 1. A category counts from severity 2 on; at 1 it isn't learnt from."""
        return dict(_targets(self))

    def _all_targets(self) -> dict[str, int]:
        found = dict.fromkeys(MESSAGE if self.side == "message" else REPLY, 0)
        found.pop("message/toxic", None)
        worst = max((label.severity for label in self.labels if label.category not in UNASKED), default=0)
        for label in self.labels:
            name = f"{self.side}/{label.category}"
            if label.severity >= 2 or label.category in UNASKED:
                found[name] = 1
            else:
                found.pop(name, None)
        for severity in SEVERITIES:
            found[f"{self.side}/severity{severity}"] = int(worst >= severity)
        if worst == 1:
            found.pop(f"{self.side}/any")
        else:
            found[f"{self.side}/any"] = int(worst >= 2)
        if self.side == "message":
            self._levels(found)
        return found

    def _levels(self, found: dict[str, int]) -> None:
        own = max((level_rank(label.level) for label in self.labels if label.level in LEVELS), default=0)
        for rank, level in enumerate(LEVELS, start=1):
            found[f"message/{level}"] = int(own >= rank)
        found["message/friend"] = int(any(label.level == "friend" for label in self.labels))


@cache  # many rows have the same few labels
def _targets(labels: Labels) -> Mapping[str, int]:
    return labels._all_targets()


def only(side: Side, known: Mapping[str, int], *, zero: Iterable[str] = ()) -> dict[str, int]:
    """Targets for a set whose own labels say only some things: those, and a no for the outputs named in `zero`."""
    return {**{f"{side}/{name}": 0 for name in zero}, **{f"{side}/{name}": value for name, value in known.items()}}
