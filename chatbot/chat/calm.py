"""Whether a moment is calm enough for memory to come up by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from moderation.types import WatchState

CALM = timedelta(days=1)  # since the last sign of danger
LOW = timedelta(hours=3)  # since the last low message
_HARMLESS = frozenset({"T27"})  # swearing and dark humour


def is_calm(watch: WatchState, now: datetime) -> bool:
    """No danger, no written conversation, and nothing low lately."""
    danger = watch.signal_at is not None and now - watch.signal_at < CALM
    low = watch.low_at is not None and now - watch.low_at < LOW
    return watch.level == "L0" and watch.sequence is None and not watch.low_streak and not danger and not low


def is_harmless(trace: Mapping[str, Any] | None) -> bool:
    """Nothing was found in the message, or nothing but rough words."""
    return set((trace or {}).get("decision", {}).get("categories", ())) <= _HARMLESS
