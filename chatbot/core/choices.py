"""Choices that the operator made by command, read by whoever needs them."""

from __future__ import annotations

from typing import Any

from chatbot.core import clock
from chatbot.core.models import Setting


def choice(name: str, default: Any = None) -> Any:
    """The operator's choice, or `default` when none was made."""
    row = Setting.objects.filter(name=name).first()
    return default if row is None else row.value


def choices(*names: str) -> dict[str, Any]:
    """Several at once, by one query. A choice that was not made is not in it."""
    return dict(Setting.objects.filter(name__in=names).values_list("name", "value"))


def choice_set(name: str, value: Any) -> None:
    """Record a choice."""
    Setting.objects.update_or_create(name=name, defaults={"value": value, "set_at": clock.now()})
