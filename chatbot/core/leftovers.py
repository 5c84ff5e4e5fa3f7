"""What SQLite leaves of a row that was deleted or overwritten.

In the file nothing: `secure_delete` writes over it at once (settings). But the write-ahead log beside the file holds
pages as they were until it is emptied, and nobody empties it while a house is quiet.
"""

from __future__ import annotations

from django.db import connection

from chatbot.core.jobs import sweep

# Emptying waits for those who read, and whoever writes waits for it: not for long. The next look comes in a minute.
WAIT_MS = 200


def log_empty() -> bool:
    """Empty SQLite's write-ahead log. False where somebody is reading it just now, or there is none to empty."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return False
    with connection.cursor() as cursor:
        (before,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
        try:
            busy, pages, _done = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {before}")
    return not busy and pages >= 0


@sweep("core.log", every_s=60)
def log_look() -> int:
    """Every minute, so that what was forgotten is in no file of the database after it. Nothing is counted as found."""
    log_empty()
    return 0
