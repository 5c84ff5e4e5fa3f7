"""What this house runs on, as its settings say, and whether the parts that processes share are there.

Nothing here names a password, and nothing that is wrong here keeps the house from serving.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, ReadOnlyError
from redis.retry import Retry

from chatbot.core import clock, jobs
from chatbot.core.away import ERRORS

SERVER_FIX = "start it, or correct DATABASE_URL (without that a file in var/ is the database), then try again"
FILE_FIX = "make its folder, and let us write there, or correct ABRACO_DATABASE, then try again"
TIMEOUT_S = 1.0
_ASKED_S = 2.0
_last: tuple[float, str | None] = (-_ASKED_S, None)


def database_wrong() -> tuple[str, str] | None:
    """What keeps us from the database, and what to do; None when it lets us in. Asked past its pool, which waits and
    then says no reason. DANGER: the reason is the server's own; it names host, user and database, no password."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    try:
        with database.wrap_database_errors:
            database.Database.connect(**database.get_connection_params()).close()
    except DatabaseError as error:
        reason = str(error).partition("\n")[0].rpartition(" failed: ")[2]
        if "sqlite3" in settings.DATABASES["default"]["ENGINE"]:
            return f"The database {database.settings_dict['NAME']} can't be opened ({reason}).", FILE_FIX
        return f"PostgreSQL on {_database_where()} can't be reached ({reason}).", SERVER_FIX
    return None


def redis_wrong() -> str | None:
    """What is wrong with Redis, if it is used. Asks it to write, since one that is full or a replica reads well."""
    global _last  # noqa: PLW0603  /ready asks for three parts in one go
    if not settings.REDIS_URL:
        return None
    at, said = _last
    if clock.monotonic() - at >= _ASKED_S:
        said = _redis_asked()
        _last = (clock.monotonic(), said)
    return said


def _redis_asked() -> str | None:
    client = Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
    )
    try:
        client.set("abraco:ready", 1, ex=60)
    except (AuthenticationError, NoPermissionError):
        return "Redis refuses us (look at the password in REDIS_URL)"
    except OutOfMemoryError:
        return "Redis is full (give it more memory)"
    except ReadOnlyError:
        return "Redis is read-only (REDIS_URL leads to a replica)"
    except ERRORS as error:
        return f"Redis does not answer ({type(error).__name__})"
    finally:
        client.close()
    return None


def channel_layer_degraded() -> str | None:
    """What that means for open pages."""
    said = redis_wrong()
    return said and f"{said}: open pages look for news themselves, up to 20 seconds later"


def cache_degraded() -> str | None:
    """What that means for limits."""
    said = redis_wrong()
    return said and f"{said}: each process counts limits for itself"


def jobs_degraded() -> str | None:
    """What that means for jobs; or that no worker does them."""
    if not settings.REDIS_URL:
        return None
    said = redis_wrong()
    if said:
        return f"{said}: jobs wait until a worker can be told of them"
    if jobs.worker_seen():
        return None
    return (
        f"no Celery worker swept in the last {jobs.SEEN_S // 60} minutes, so jobs wait: start one with "
        "`python -m celery -A chatbot.celery worker --beat`"
    )


def _redis_place() -> str:
    parts = urlsplit(settings.REDIS_URL)
    secure = ", with TLS" if parts.scheme == "rediss" else ""
    return f"Redis on {parts.hostname}:{parts.port or 6379}{secure}"


def _database_where() -> str:
    database = settings.DATABASES["default"]
    return f"{database.get('HOST') or 'this machine'}:{database.get('PORT') or 5432}"


def _database_place() -> str:
    database = settings.DATABASES["default"]
    if "sqlite3" in database["ENGINE"]:
        return f"SQLite, {database['NAME']}"
    most = database["OPTIONS"]["pool"]["max_size"]
    return f"PostgreSQL, {database['NAME']} on {_database_where()}, at most {most} connections a process"


def parts() -> dict[str, str]:
    """Each part, and what it is here."""
    shared = bool(settings.REDIS_URL)
    return {
        "database": _database_place(),
        "events": _redis_place() if shared else "in memory of this process",
        "limits": _redis_place() if shared else "in memory of this process",
        "jobs": f"Celery, by way of {_redis_place()}" if shared else "a thread of this process",
        "engine": settings.ENGINE,
    }
