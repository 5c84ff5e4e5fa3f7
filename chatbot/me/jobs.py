"""Making a person's copy after the commit, and the sweep that finds lost ones and clears old ones."""

from __future__ import annotations

import uuid

from chatbot.core.jobs import job, run_job, sweep
from chatbot.me import exports


@job("me.export")
def export(export_id: str) -> None:
    """Make one copy, if nobody else is making it."""
    exports.export_make(uuid.UUID(export_id))


@sweep("me.export", every_s=30)
def exports_look() -> int:
    """Make what was asked for and lost, give up what broke too often, clear what ran out. Number of all these."""
    lost = exports.exports_lost()
    for export_id in lost:
        run_job("me.export", str(export_id))
    return len(lost) + exports.exports_clear()
