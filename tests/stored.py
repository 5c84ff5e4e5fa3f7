"""Everything that stands in the database, as bytes."""

from __future__ import annotations

from pathlib import Path

from django.db import connection


def stored_bytes() -> bytes:
    """SQLite's files as they are; of PostgreSQL every row of every table, as it is kept."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        return b"".join(Path(name + end).read_bytes() for end in ("", "-wal") if Path(name + end).exists())
    found = bytearray()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            with cursor.copy(f"COPY {connection.ops.quote_name(table)} TO STDOUT (FORMAT binary)") as rows:
                for piece in rows:
                    found += piece
    return bytes(found)
