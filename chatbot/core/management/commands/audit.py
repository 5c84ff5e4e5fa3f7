"""`manage.py audit --verify`: is the trail whole? Names the first entry that doesn't fit; the exit status is 1 then."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.core.audit import audit_broken_at
from chatbot.core.models import AuditEntry


class Command(BaseCommand):
    help = "Check the chain of hashes of the audit trail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--verify", action="store_true", help="go through every entry, from the first on")

    def handle(self, *args: Any, verify: bool, **options: Any) -> None:
        if not verify:
            raise CommandError("Say what to do: --verify goes through every entry.")
        broken = audit_broken_at()
        if broken is None:
            self.stdout.write(f"The trail is whole: {AuditEntry.objects.count()} entries.")
            return
        self.stdout.write(
            f"Entry {broken} doesn't fit the one before it: it was changed, or one is missing. "
            "Find out who changed the database, and restore the table from a backup."
        )
        sys.exit(1)
