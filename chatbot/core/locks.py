"""One at a time, by a name that stands for more than one row: the end of the audit trail, all that is known of someone.

On SQLite writers wait for each other from the first line of a transaction on. PostgreSQL lets them go side by side, and
of two that read and then write, one would undo the other.
"""

from __future__ import annotations

import hashlib

from django.db import connection
from django.db.transaction import TransactionManagementError


def hold(name: str) -> None:
    """Wait until nobody else holds this name, and hold it until the transaction ends. What is read after this line is
    what the last holder left.

    DANGER: two names held in two orders wait for each other for ever (PostgreSQL ends one of them). Take a person's
    before "audit", and "audit" last.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("a name is held until the transaction ends, and there is none")
    if connection.vendor == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "big", signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
