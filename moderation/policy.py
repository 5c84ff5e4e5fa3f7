"""Policy: what is done about what the detectors found. `decide` is pure; the table is policy.yaml.

policy_table says what the table is, policy_file reads and checks it.
"""

from __future__ import annotations

from collections.abc import Iterable

from moderation.policy_file import PolicyError, policy_load, policy_shipped
from moderation.policy_table import Policy, Row, playbook_speaks, protection
from moderation.taxonomy import SUICIDE
from moderation.types import UNSURE, Band, Decision, Hit, Level, Side, WatchState, level_rank

__all__ = ["Policy", "PolicyError", "Row", "decide", "policy_load", "policy_shipped", "weight"]


def weight(decision: Decision) -> int:
    """How much a decision protects."""
    return protection(decision.action, decision.playbook)


def decide(
    hits: Iterable[Hit], *, side: Side, band: Band, watch: WatchState, policy: Policy, plain: bool = False
) -> Decision:
    """The decision about one text. Pure: no clock, no settings, no files.

    Every hit gets its own decision from the table; the most protective one gives action and playbook. Severity, level
    and categories are those of all hits together, and more severity never gives a weaker decision.
    """
    ordered = sorted(hits, key=lambda hit: (-hit.severity, hit.category, hit.rule))
    singles = [(hit, _single(hit, side=side, band=band, watch=watch, policy=policy, plain=plain)) for hit in ordered]
    spoken = [(hit, decision) for hit, decision in singles if decision is not None]
    spoken = _told_of_friends(spoken)
    if not spoken:
        return Decision("allow", policy=policy.version)
    first, best = max(spoken, key=lambda pair: _urgency(*pair))
    sure = [hit for hit, _ in spoken if hit.severity > UNSURE] or [first]
    together = tuple(dict.fromkeys(hit.category for hit in sure))
    level = _level(hit for hit, _ in spoken) if side == "message" else None
    return Decision(
        action=best.action,
        severity=max(hit.severity for hit, _ in spoken),
        level=level,
        categories=together,
        playbook=best.playbook,
        incident=any(decision.incident for _, decision in spoken) or (side == "message" and level_rank(level) >= 2),
        about=first.about,
        low=best.action != "allow",
        policy=policy.version,
        reason=first.rule if best.action != "allow" else None,
    )


def _told_of_friends(spoken: list[tuple[Hit, Decision]]) -> list[tuple[Hit, Decision]]:
    """A sentence about a friend is about a friend, up to L2; from L3 on the teller is never explained away."""
    friends: dict[tuple[str, int, int], int] = {}
    for hit, _ in spoken:
        if hit.about == "friend":
            place = (hit.category, hit.start, hit.end)
            friends[place] = max(friends.get(place, 0), hit.severity)
    return [
        (hit, decision)
        for hit, decision in spoken
        if hit.about == "friend"
        or hit.category != "T01"
        or level_rank(hit.level) >= 3
        or hit.severity > friends.get((hit.category, hit.start, hit.end), UNSURE - 1)
    ]


def _urgency(hit: Hit, decision: Decision) -> tuple[int, int, int, int]:
    """Order among hits of one text: what protects most; then level; then severity; then the teller before a friend."""
    return weight(decision), level_rank(hit.level), hit.severity, int(hit.about != "friend")


def _single(hit: Hit, *, side: Side, band: Band, watch: WatchState, policy: Policy, plain: bool) -> Decision | None:
    if hit.severity == UNSURE:
        return Decision(policy.unsure.of(band) if side == "message" else "allow")
    rules = policy.categories[hit.category]
    row = rules.row(side, hit.severity)
    if row is None:
        return None
    action = row.of(band, plain=plain)
    playbook: str | None = None
    if side == "message" and playbook_speaks(action, hit.severity):
        playbook = hit.playbook or _by_level(hit, watch) or row.playbook
        if playbook in rules.by_playbook:
            action = rules.by_playbook[playbook]
    return Decision(action, hit.severity, hit.level, (hit.category,), playbook, row.incident)


def _by_level(hit: Hit, watch: WatchState) -> str | None:
    """The playbook of T01 where the rule names none: by the level, and not below what is known already."""
    if hit.category != "T01":
        return None
    if hit.about == "friend":
        return "friend_in_danger"
    highest = max(level_rank(hit.level), level_rank(watch.level) if hit.level else 0)
    return SUICIDE.get(f"L{highest}")


def _level(hits: Iterable[Hit]) -> Level | None:
    """The highest level about the teller; without one, the highest about a friend."""
    found = [hit for hit in hits if hit.level is not None]
    own = [hit for hit in found if hit.about != "friend"] or found
    return max((hit.level for hit in own if hit.level is not None), key=level_rank, default=None)
