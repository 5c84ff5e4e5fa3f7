"""The cache that all processes share in Redis. While Redis is away, each process counts for itself.

Limits then hold per process, and nothing that a person does fails: sign-in asks the cache too.
"""

from __future__ import annotations

import json
from typing import Any, cast

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from chatbot.core.away import ERRORS, Away

TIMEOUT_S = 1.0
_away = Away("cache")
# Django makes a cache for each request: they share one client, or each would connect anew.
_clients: dict[str, RedisCacheClient] = {}


class JsonOnly:
    """DANGER: Django's own way is pickle, and whoever writes to Redis would then run code here."""

    def dumps(self, value: Any) -> int | bytes:
        return value if type(value) is int else json.dumps(value).encode("ascii")

    def loads(self, stored: bytes) -> Any:
        try:
            return int(stored)  # as `incr` leaves it
        except ValueError:
            return json.loads(stored)


def _either(name: str) -> Any:
    """The method of Redis' cache, or of this process's own while Redis is away."""

    def method(self: SharedCache, *args: Any, **kwargs: Any) -> Any:
        if not _away.is_now():
            try:
                answer = getattr(RedisCache, name)(self, *args, **kwargs)
            except ERRORS as error:
                _away.went(error)
            except ValueError:  # nothing to count up there: it may have begun here, while Redis was away
                if name != "incr":
                    raise
            else:
                _away.back()
                return answer
        return getattr(self.here, name)(*args, **kwargs)

    return method


class SharedCache(RedisCache):
    """Redis, else memory. Values are what JSON can hold."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._server = server
        self.here = LocMemCache("abraco-while-redis-is-away", {**params, "OPTIONS": {"MAX_ENTRIES": 100_000}})

    @property
    def _cache(self) -> RedisCacheClient:
        known = _clients.get(self._server)
        if known is None:
            known = _clients[self._server] = RedisCacheClient(
                [self._server],
                serializer=cast(Any, JsonOnly),
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
            )
        return known

    add: Any = _either("add")
    get: Any = _either("get")
    set: Any = _either("set")
    touch: Any = _either("touch")
    delete: Any = _either("delete")
    get_many: Any = _either("get_many")
    set_many: Any = _either("set_many")
    delete_many: Any = _either("delete_many")
    has_key: Any = _either("has_key")
    incr: Any = _either("incr")

    def clear(self) -> None:
        """Only what is the cache's own: Django would empty the whole database, the queue of jobs with it."""
        self.here.clear()
        try:
            client = self._cache.get_client(write=True)
            for key in client.scan_iter(match=f"{self.key_prefix}:*", count=1000):
                client.delete(key)
        except ERRORS as error:
            _away.went(error)
