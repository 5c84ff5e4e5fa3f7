"""A screening in the shape of OpenAI's moderation API, with ours beside it under `abraco`."""

from __future__ import annotations

from typing import Any, Final

from moderation.detectors.classifier.detector import ACTED
from moderation.lines import shown
from moderation.taxonomy import CATEGORIES
from moderation.types import Decision, Screening

NAMES: Final = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
_OURS: Final = ("action", "severity", "level", "playbook", "scores", "spans", "policy", "lang")


def result_of(found: Screening) -> dict[str, Any]:
    """One entry of `results`. What is no harm here (swearing, a question on sexual health) is none of theirs either."""
    scores = {
        name: max(
            (found.scores[own.id] for own in CATEGORIES.values() if own.harmful and name in own.openai), default=0.0
        )
        for name in NAMES
    }
    categories = {name: score >= ACTED for name, score in scores.items()}
    ours = shown(found, "message")
    return {
        "flagged": any(categories.values()) or _asks_for_more(found.decision),
        "categories": categories,
        "category_scores": {name: round(score, 4) for name, score in scores.items()},
        "category_applied_input_types": {name: ["text"] for name in NAMES},
        "abraco": {**{name: ours[name] for name in _OURS}, "categories": list(found.decision.categories)},
    }


def _asks_for_more(decision: Decision) -> bool:
    """Most of what endangers a teen has no name over there: more than a warm answer is a flag as well."""
    return decision.action not in {"allow", "support"} or decision.playbook is not None
