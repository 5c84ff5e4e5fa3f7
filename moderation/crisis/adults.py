"""When a linked guardian is asked to look after their teen (4.9): data, and two questions about it.

Only where a life may be in danger and somebody near can do something about it. Never where home may be the danger.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Literal

from moderation.asking import ASKED
from moderation.types import Decision, level_rank

HelpKind = Literal["person", "medical", "away"]

# Category: from which severity on a guardian is asked, and for which kind of help.
ASKED_FOR: Final[Mapping[str, tuple[int, HelpKind]]] = {
    "T30": (3, "medical"),
    "T31": (3, "away"),
    "T01": (3, "person"),
}
# From this level on, where the decision has one: thoughts are for the teen to tell, a plan or an act isn't.
LEVEL: Final = 3
# Staff's alone: it may be the guardian, or somebody whom they protect.
STAFF_ONLY: Final = frozenset({"T08"})


def help_kind(categories: Collection[str], severity: int, level: str | None) -> HelpKind | None:
    """Which kind of help a guardian is asked for; None: they are not asked."""
    if STAFF_ONLY.intersection(categories):
        return None
    for name, (least, kind) in ASKED_FOR.items():
        thought = name == "T01" and level_rank(level) < LEVEL
        if name in categories and severity >= least and not thought:
            return kind
    return None


def adult_wanted(decision: Decision) -> bool:
    """Whether a guardian is asked because of this decision: filed, about the teen themself, grave enough, and no
    guess that the teen has still to answer."""
    if not decision.incident or decision.about in {"friend", "other"} or decision.reason == ASKED or decision.learned:
        return False
    return help_kind(decision.categories, decision.severity, decision.level) is not None
