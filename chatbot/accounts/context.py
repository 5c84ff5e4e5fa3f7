"""What every page may show."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def house(request: HttpRequest) -> dict[str, object]:
    """Who hosts this machine, as the operator wrote it."""
    return {"host_name": settings.OPERATOR_NAME, "demo": settings.DEBUG}
