"""`manage.py restored [--list FILE]`: after a backup was restored, delete again what was deleted for good since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.core import gone
from chatbot.core.audit import audit_record

KINDS = {"person": "people", "memory": "memories", "summary": "talks", "keepsake": "things of shelves"}


class Command(BaseCommand):
    help = "After a restore: who was erased and what was forgotten since that backup goes again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", type=Path, help="another machine's gone.list, or a saved one, to be added first")

    def handle(self, *args: Any, list: Path | None, **options: Any) -> None:
        try:
            if list is not None:
                new = gone.gone_take(list)
                self.stdout.write(f"{new} lines of {list} are new, and are in {settings.GONE_FILE} now.")
            if not Path(settings.GONE_FILE).exists():
                self.stdout.write(
                    f"There is no {settings.GONE_FILE}. If anybody was erased, or had something forgotten, since that "
                    "backup, put the file back (or name a copy with --list) before anybody signs in."
                )
            back = gone.gone_again()
        except OSError as error:
            raise CommandError(f"{list} can't be read: {error.strerror or error}. Nothing was changed.") from error
        except gone.ListUnreadable as error:
            raise CommandError(str(error)) from error
        audit_record(actor="operator", subject=None, action="backup_restored", detail=back)
        counts = ", ".join(f"{back.get(kind, 0)} {said}" for kind, said in KINDS.items())
        self.stdout.write(f"Back, and gone again: {counts}.")
