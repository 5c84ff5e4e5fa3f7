"""/health and /ready: is the process alive, and can it serve."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from chatbot.core import crypto, keys

Check = Callable[[], None]


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _master_key() -> None:
    keys.master_keys()


_checks: dict[str, Check] = {"database": _database, "master_key": _master_key}


def health(request: HttpRequest) -> JsonResponse:
    """Alive."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Each part named; 503 when one of them can't serve."""
    parts = {}
    for name, check in _checks.items():
        try:
            check()
            parts[name] = "ok"
        except (DatabaseError, crypto.CryptoError) as error:
            parts[name] = str(error) if isinstance(error, crypto.CryptoError) else "the database does not answer"
    fine = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ok" if fine else "not ready", "parts": parts}, status=200 if fine else 503)
