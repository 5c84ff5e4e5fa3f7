"""A house as it was at the first migration of each app, with a row in every table, brought to the newest one.

`python -m tests.service.rows_of_before`: prints how many rows of each table came through.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, time
from typing import Any

import django

OURS = ("core", "accounts", "incidents", "profile", "memory", "chat")


def value_for(field: Any, made: dict[str, Any]) -> Any:
    """Something that the column takes."""
    from django.db import models

    from chatbot.core.fields import _EncryptedField, _Sealed

    if isinstance(field, models.ForeignKey):
        return made[field.related_model._meta.label]
    if isinstance(field, _EncryptedField):
        return _Sealed(b"sealed")
    kinds: dict[type, Any] = {
        models.UUIDField: uuid.uuid4(), models.BinaryField: b"bytes", models.JSONField: {"a": 1},
        models.BooleanField: True, models.DateTimeField: datetime(2026, 11, 1, tzinfo=UTC),
        models.DateField: date(2026, 11, 1), models.TimeField: time(12), models.IntegerField: 1, models.CharField: "a",
    }  # fmt: skip
    return next(value for kind, value in kinds.items() if isinstance(field, kind))


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection, models
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    first = [node for node in executor.loader.graph.nodes if node[0] in OURS and node[1].startswith("0001")]
    executor.migrate(first)
    apps = executor.loader.project_state(first).apps
    made: dict[str, Any] = {}
    waiting = [model for model in apps.get_models() if model._meta.app_label in OURS]
    while waiting:
        model = waiting.pop(0)
        fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
        needs = {field.related_model._meta.label for field in fields if isinstance(field, models.ForeignKey)}
        if not needs <= set(made):
            waiting.append(model)
            continue
        row = model(**{field.name: value_for(field, made) for field in fields})
        row.save(force_insert=True)
        made[model._meta.label] = row
    call_command("migrate", verbosity=0)
    call_command("migrate", check_unapplied=True, verbosity=0)
    counts = {}
    with connection.cursor() as cursor:
        for label, row in made.items():
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(row._meta.db_table)}")  # noqa: S608
            counts[label] = cursor.fetchone()[0]
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
