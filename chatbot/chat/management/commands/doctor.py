"""`manage.py doctor`: what is unsafe about this installation, each with its fix. Exit status 1 when anything is red."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.chat import doctor
from moderation.incidents.services import helplines_refresh


class Command(BaseCommand):
    help = "Look for unsafe settings and say how each is put right."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--accept-unsigned-texts", action="store_true", help="you answer for crisis texts that nobody reviewed"
        )
        parser.add_argument("--reason", help="why you accept them; it is kept in the audit trail")

    def handle(self, *args: Any, accept_unsigned_texts: bool, reason: str | None, **options: Any) -> None:
        ready = not any(doctor.tables())
        if accept_unsigned_texts and ready:
            if not reason:
                raise CommandError("Say why with --reason; it is kept in the audit trail.")
            doctor.unsigned_accept(reason=reason)
        if ready:
            helplines_refresh()
        found = doctor.findings()
        for finding in found:
            self.stdout.write(f"{finding.level.upper():5}{finding.what}")
            self.stdout.write(f"     {finding.fix}")
        red = sum(finding.level == "red" for finding in found)
        self.stdout.write(f"{red} unsafe, {len(found) - red} to know about." if found else "Nothing unsafe was found.")
        if red:
            sys.exit(1)
