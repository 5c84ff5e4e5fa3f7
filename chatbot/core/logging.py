"""Logs as JSON lines, with an allow-list of keys: what a person wrote can't be logged by accident."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    "event level timestamp job sweep error code turn conversation engine finish count part ms name reason region "
    "action severity close_code policy".split()
)


def only_allowed(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every key that is not on the list."""
    for key in [key for key in entry if key not in ALLOWED]:
        del entry[key]
    return entry


def configure(*, to_stderr: bool = False) -> None:
    """Set structlog up for the process. A command that prints for programs logs to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr if to_stderr else None),
        cache_logger_on_first_use=False,
    )
