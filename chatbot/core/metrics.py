"""Numbers for Prometheus. Counts and times only: no label ever names a person, a conversation or a word of theirs."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# The only labels there are; a test compares them with what is registered.
LABELS = frozenset({"finish", "action", "job", "sweep", "reason"})
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

registry = CollectorRegistry()
TURNS = Counter("abraco_turns", "Turns that ended, by how.", ["finish"], registry=registry)
DECISIONS = Counter("abraco_decisions", "Messages screened in a turn, by action.", ["action"], registry=registry)
REFUSALS = Counter("abraco_refusals", "Messages that the gate refused, by reason.", ["reason"], registry=registry)
FIRST_TOKEN = Histogram(
    "abraco_first_token_seconds", "From the turn's start to its first sentence.", registry=registry, buckets=_SECONDS
)
TURN = Histogram("abraco_turn_seconds", "From the turn's start to its end.", registry=registry, buckets=_SECONDS)
GUARD_FAILURES = Counter(
    "abraco_guard_failures", "Texts of which the guard model gave no opinion that could be read.", registry=registry
)
SOCKETS = Gauge("abraco_sockets_open", "Open sockets of this process.", registry=registry)
JOBS_FAILED = Counter("abraco_jobs_failed", "Jobs and sweeps that broke.", ["job"], registry=registry)
JOBS_DROPPED = Counter("abraco_jobs_dropped", "Jobs that the broker could not be given.", ["job"], registry=registry)
SWEEP_FOUND = Counter("abraco_sweep_found", "What sweeps found that was lost or due.", ["sweep"], registry=registry)


def text() -> bytes:
    """Everything, in Prometheus' text format."""
    return generate_latest(registry)
