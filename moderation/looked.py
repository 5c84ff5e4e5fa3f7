"""What the detectors saw in one text, and what it comes to before and beside the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from moderation.detectors.classifier.detector import VIOLENCE
from moderation.detectors.rules import HELD_BACK, SCORES
from moderation.taxonomy import CATEGORIES, HARMFUL
from moderation.types import Decision, Hit, Span, level_rank


@dataclass(frozen=True)
class Looked:
    """weak: categories whose only hit an `unless` held back. failed: what could not look."""

    hits: tuple[Hit, ...] = ()
    weak: frozenset[str] = frozenset()
    signals: frozenset[str] = frozenset()
    spans: tuple[Span, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    failed: tuple[str, ...] = ()


def beside_rules(ruled: Sequence[Hit], learned: Sequence[Hit]) -> list[Hit]:
    """What the classifier adds. Violence that a rule has named keeps that name: whoever is hit is not who hits. Where a
    rule tells L1, a guess of L2 is no news; L3 and L4 are always heard."""
    named = {hit.category for hit in ruled if hit.severity >= 2} & VIOLENCE
    low = max((level_rank(hit.level) for hit in ruled), default=0) == 1
    new = [hit for hit in learned if not (low and hit.level == "L2")]
    return [hit for hit in new if not (named and hit.category in VIOLENCE - named)]


def careful(decision: Decision, failed: tuple[str, ...]) -> Decision:
    """Something could not look: nothing is called fine, and nothing found is taken back."""
    action = "support" if decision.action == "allow" else decision.action
    return replace(decision, action=action, low=True, reason=decision.reason or f"detector_failed: {failed[0]}")


def scores_of(looked: Looked, decision: Decision) -> Mapping[str, float]:
    """Every category, and `any`: whether anything is there at all. Where the classifier read the text, its own answer
    to that counts, beside what rules saw and what the conversation decided; its guesses at names don't."""
    named = frozenset(hit.category for hit in looked.hits if hit.learned)
    scores = dict.fromkeys(CATEGORIES, 0.0)
    for category in looked.weak:
        scores[category] = HELD_BACK
    for hit in looked.hits:
        if not hit.learned:
            scores[hit.category] = max(scores[hit.category], hit.score)
    if looked.signals & {"low", "distress"}:
        scores["T01"] = max(scores["T01"], 0.1)
    if looked.spans:
        scores["T18"] = max(scores["T18"], SCORES[1])
    if decision.playbook is not None:
        for category in frozenset(decision.categories) - named:
            scores[category] = max(scores[category], SCORES[max(decision.severity, 1)])
    seen = max(scores[category] for category in HARMFUL)
    for category, score in looked.scores.items():
        scores[category] = max(scores.get(category, 0.0), round(score, 4))
    scores["any"] = max(scores.get("any", 0.0), seen)
    return scores
