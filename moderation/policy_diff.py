"""Where two policies decide differently, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from moderation.policy_table import BANDS, SEVERITIES, SIDES, CategoryPolicy, Policy
from moderation.types import Band, Side


def policy_changes(before: Policy, after: Policy) -> Iterator[str]:
    """A line for each decision that changed."""
    for band in BANDS:
        if before.unsure.of(band) != after.unsure.of(band):
            yield f"unsure message, {band}: {before.unsure.of(band)} -> {after.unsure.of(band)}"
    for name, side, severity, band, plain in product(before.categories, SIDES, SEVERITIES, BANDS, (False, True)):
        old = _said(before.categories[name], side, severity, band, plain=plain)
        new = _said(after.categories[name], side, severity, band, plain=plain)
        if old != new:
            mode = ", plain mode" if plain else ""
            yield f"{name} {side}, severity {severity}, {band}{mode}: {old} -> {new}"


def _said(rules: CategoryPolicy, side: Side, severity: int, band: Band, *, plain: bool) -> str:
    action, playbook = rules.does(side, severity, band, plain=plain)
    row = rules.row(side, severity)
    more = [name for name in (playbook, "incident" if row is not None and row.incident else None) if name is not None]
    return f"{action} ({', '.join(more)})" if more else action
