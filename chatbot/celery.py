"""What a Celery worker runs: `celery -A chatbot.celery worker --beat`. Only with REDIS_URL.

Two tasks stand for everything: a job by its name, and a sweep by its name. The worker sweeps once when it starts, which
finds what was lost meanwhile, and beat does it again in time. Its pool is threads: nothing is forked after torch.
"""

import os
from typing import Any

import django
from celery import signals
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections
from kombu.transport.redis import QoS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
django.setup()

from django.conf import settings  # noqa: E402  Django has to be set up before

from chatbot.core import broker, jobs, logging  # noqa: E402  as above

if not settings.REDIS_URL:
    raise ImproperlyConfigured(
        "A worker needs REDIS_URL. Without it the server does the jobs itself, and no worker has to be started."
    )

# DANGER: a worker that loses Redis in the middle of a job would put the job back through the connection that is gone,
# and end of it. The job's sweep finds it; the worker waits for Redis.
QoS.restore_at_shutdown = False
app = broker.app_make()
app.set_default()
app.conf.beat_schedule = {
    name: {
        "task": "abraco.sweep",
        "schedule": every_s,
        "args": [name],
        # A worker that comes back after an hour finds one sweep of each, not sixty.
        "options": {"expires": every_s},
    }
    for name, every_s in jobs.sweeps_shared().items()
}


@app.task(name="abraco.job")
def job(name: str, ids: list[str]) -> None:
    """One job. A failure is logged by name, and left for its sweep."""
    try:
        jobs.run_job(name, *ids)
    finally:
        close_old_connections()


@app.task(name="abraco.sweep")
def sweep(name: str) -> None:
    """One sweep, unless another process is at it."""
    try:
        jobs.run_sweep_alone(name)
    finally:
        close_old_connections()


@signals.worker_init.connect
def _begin(**_: Any) -> None:
    logging.configure()


@signals.worker_ready.connect
def _sweep_once(**_: Any) -> None:
    jobs.start()  # what every process sweeps for itself
    for name in jobs.sweeps_shared():
        broker.publish("abraco.sweep", name)


@signals.worker_shutdown.connect
def _end(**_: Any) -> None:
    jobs.stop()
