"""/health, /ready and /metrics: is the process alive, can it serve, and how is it doing."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from secrets import compare_digest

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST

from chatbot.core import crypto, keys, metrics, parts

Check = Callable[[], str | None]
"""What is wrong, in a sentence; None when all is well. Raises CryptoError, DatabaseError like the part itself."""


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _channel_layer() -> str | None:
    layer = get_channel_layer()
    if layer is None:
        return "no channel layer is set up"
    try:
        async_to_sync(layer.group_send)("ready", {"type": "ready.check"})
    except Exception as error:  # whatever the layer's client raises, it means the same here
        return f"the channel layer does not answer ({type(error).__name__})"
    return None


def _master_key() -> None:
    keys.master_keys()


def _always() -> None:
    """Never a reason not to serve: see the warning of the same name."""


_checks: dict[str, Check] = {
    "database": _database, "channel_layer": _channel_layer, "cache": _always, "jobs": _always,
    "master_key": _master_key,
}  # fmt: skip
_warnings: dict[str, Check] = {
    "channel_layer": parts.channel_layer_degraded, "cache": parts.cache_degraded, "jobs": parts.jobs_degraded
}  # fmt: skip
FINE, DEGRADED = "ok", "degraded"


def check_add(name: str, check: Check, *, warns: bool = False) -> None:
    """Have /ready ask this part too. One that `warns` is named with what it says, and never makes the house unready."""
    (_warnings if warns else _checks)[name] = check


def _asked(check: Check) -> str | None:
    try:
        return check()
    except crypto.CryptoError as error:
        return str(error)
    except DatabaseError:
        return "the database does not answer"


def health(request: HttpRequest) -> JsonResponse:
    """Alive."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Each part named; 503 when one of them can't serve, not when the house does without it. What is wrong in words
    only for whoever may read /metrics."""
    warnings = {name: said for name, check in _warnings.items() if (said := _asked(check)) is not None}
    states = {name: _asked(check) or (DEGRADED if name in warnings else FINE) for name, check in _checks.items()}
    if not _may_measure(request):  # DANGER: the words name files of this machine
        states = {name: state if state in (FINE, DEGRADED) else "not ready" for name, state in states.items()}
        warnings = dict.fromkeys(warnings, "look")
    fine = all(state in (FINE, DEGRADED) for state in states.values())
    answer = {"status": "ok" if fine else "not ready", "parts": states, "warnings": warnings}
    return JsonResponse(answer, status=200 if fine else 503)


def _may_measure(request: HttpRequest) -> bool:
    """By the token, where one is set; without one only in the demo, from this very machine and not through a proxy."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    # DANGER: a proxy on this machine that adds no header looks just like this machine itself.
    if not settings.DEBUG or "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus' text."""
    if not _may_measure(request):
        return JsonResponse(
            {
                "code": "not_allowed",
                "message": "Metrics need the token of ABRACO_METRICS_TOKEN (in the demo: only this machine).",
            },
            status=403,
        )
    return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST)
