"""Facts: what is remembered, in the terms of the house. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from companion.memory.text import flat, fold

__all__ = ["KINDS", "NAMES", "Fact", "Kind", "fact_read", "fact_row", "flat", "fold"]

Kind = Literal[
    "name", "from", "year", "pet", "person", "like", "dislike", "favourite", "does", "plan", "win", "feeling",
    "joke", "boundary",
]  # fmt: skip
KINDS: tuple[Kind, ...] = (
    "name", "from", "year", "pet", "person", "favourite", "like", "dislike", "does", "plan", "win", "feeling",
    "joke", "boundary",
)  # fmt: skip
NAMES: tuple[Kind, ...] = ("name", "pet", "person")


@dataclass(frozen=True)
class Fact:
    """One remembered thing. who: "dog", "sister", ... for pets and people, the sort for a favourite ("colour"), else
    empty. value: empty only for a pet whose name is not known. day: of a plan."""

    kind: Kind
    value: str
    who: str = ""
    day: date | None = None

    def same_thing(self, other: Fact) -> bool:
        """Whether both say the same, letter for letter."""
        mine = (self.kind, fold(self.who), fold(self.value), self.day)
        return mine == (other.kind, fold(other.who), fold(other.value), other.day)


def fact_row(fact: Fact) -> dict[str, Any]:
    """The fact as it is stored."""
    row: dict[str, Any] = {"kind": fact.kind, "value": fact.value, "who": fact.who}
    return row if fact.day is None else {**row, "day": fact.day.isoformat()}


def fact_read(row: Mapping[str, Any]) -> Fact:
    """A stored fact; those from before days were kept have none."""
    day = row.get("day")
    return Fact(row["kind"], row["value"], row.get("who", ""), date.fromisoformat(day) if day else None)
