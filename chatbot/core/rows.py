"""Looking a row up where there is at most one."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def only_row(rows: QuerySet[M]) -> M | None:
    """The row, or None. For what is unique by its columns: `first()` sorts too, which costs a quarter of the look."""
    return next(iter(rows), None)
