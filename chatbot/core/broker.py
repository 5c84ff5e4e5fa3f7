"""Hands work to Celery, from a thread of its own: a commit never waits for the broker, and never fails with it.

What can't be handed over is dropped, and its name is logged: the sweep over its rows finds it.
"""

from __future__ import annotations

import atexit
import contextlib
import queue
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog
from django.conf import settings

from chatbot.core import metrics

if TYPE_CHECKING:
    from celery import Celery

log = structlog.get_logger()

QUEUE = "abraco"
PREFIX = "abraco:jobs:"
MOST = 10_000
TIMEOUT_S = 2.0
# A job that a worker took and did not finish within this time goes to another one.
VISIBLE_S = 600
_FINISH_S = 3.0
# What a celery worker and whoever publishes agree on. Remote control, events and results would put more than ids there.
_CONF: Mapping[str, Any] = {
    "task_default_queue": QUEUE,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_pool": "threads",  # DANGER: torch hangs in a forked worker
    "worker_concurrency": 4,
    "worker_prefetch_multiplier": 1,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "worker_hijack_root_logger": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    # However long Redis is away, full or read-only, the worker waits for it.
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_channel_error_retry": True,
    "broker_transport_options": {
        "global_keyprefix": PREFIX,
        "visibility_timeout": VISIBLE_S,
        "socket_connect_timeout": TIMEOUT_S,
    },
    "beat_scheduler": "celery.beat:Scheduler",  # in memory: the worker sweeps once when it starts
    "enable_utc": True,
    "timezone": "UTC",
}


def broker_url(url: str) -> str:
    """As Celery reads it. DANGER: without a word on it, Celery's rediss:// would take any certificate."""
    parts = urlsplit(url)
    if parts.scheme != "rediss" or "ssl_cert_reqs" in dict(parse_qsl(parts.query)):
        return url
    query = urlencode([*parse_qsl(parts.query), ("ssl_cert_reqs", "required")])
    return urlunsplit(parts._replace(path=parts.path or "/0", query=query))


def app_make() -> Celery:
    """Celery, set up from the settings. Imported on first use: a house without a broker never loads it."""
    from celery import Celery

    app = Celery("abraco", broker=broker_url(settings.REDIS_URL), set_as_current=False, fixups=[])
    app.conf.update(_CONF)
    return app


class _Publisher(threading.Thread):
    """One thread and one connection, which is made anew after each failure."""

    def __init__(self, app: Celery) -> None:
        super().__init__(name="abraco-publisher", daemon=True)
        self._app = app
        self._queue: queue.Queue[tuple[str, list[Any]] | None] = queue.Queue(maxsize=MOST)
        self._producer: Any = None
        self._connection: Any = None

    def put(self, task: str, args: list[Any]) -> None:
        try:
            self._queue.put_nowait((task, args))
        except queue.Full:
            _dropped(args, "queue_full")

    def finish(self, timeout: float) -> None:
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
            self.join(timeout)
        with contextlib.suppress(queue.Empty):  # the broker took too long: what is left is nobody's any more
            while True:
                left = self._queue.get_nowait()
                if left is not None:
                    _dropped(left[1], "stopped")
        self._queue.put(None)

    def run(self) -> None:
        while (item := self._queue.get()) is not None:
            task, args = item
            try:
                self._app.send_task(task, args=args, producer=self._connected(), retry=False)
            except Exception as error:  # away, hung, full, read-only: the sweep finds the row
                _dropped(args, type(error).__name__)
                self._put_away()
        self._put_away()

    def _connected(self) -> Any:
        if self._producer is None:
            options = {**_CONF["broker_transport_options"], "socket_timeout": TIMEOUT_S, "max_retries": 0}
            self._connection = self._app.connection_for_write(transport_options=options)
            self._producer = self._app.amqp.Producer(self._connection, auto_declare=False)
        return self._producer

    def _put_away(self) -> None:
        connection, self._producer, self._connection = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(Exception):  # it is of no use any more, whatever it says
                connection.close()


def _dropped(args: list[Any], reason: str) -> None:
    log.warning("job_not_handed_over", job=str(args[0]), reason=reason)
    metrics.JOBS_DROPPED.labels(str(args[0])).inc()


_publisher: _Publisher | None = None
_guard = threading.Lock()


def publish(task: str, *args: Any) -> None:
    """Have a worker run `task`. Returns at once, whatever the broker does. The first argument names the job."""
    global _publisher  # noqa: PLW0603  one publisher a process
    with _guard:
        if _publisher is None or not _publisher.is_alive():
            _publisher = _Publisher(app_make())
            _publisher.start()
            atexit.register(close)  # a command that ends right after its commit
        _publisher.put(task, list(args))


def close(timeout: float = _FINISH_S) -> None:
    """Hand over what waits, for a few seconds at most, and end the thread."""
    global _publisher
    with _guard:
        closing, _publisher = _publisher, None
    if closing is not None:
        closing.finish(timeout)
