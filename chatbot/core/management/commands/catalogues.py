"""`manage.py catalogues [--check]`: compile the pages' translations; or see that they are whole and in step."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.core import catalogues


class Command(BaseCommand):
    help = "Compile the translations where they are newer; with --check, tell what is missing from them."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compile nothing; list what is missing, exit 1 if any")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        folder = settings.LOCALE_PATHS[0]
        if not check:
            catalogues.compile_all(folder)
            return
        found = [fault for path in catalogues.catalogues(folder) for fault in catalogues.faults(path)]
        try:
            found += catalogues.sources_differ(settings.BASE_DIR, folder)
        except FileNotFoundError as error:
            if settings.CI:
                raise CommandError(str(error)) from error
            self.stderr.write(f"Catalogues were not compared with the sources: {error}.")
        for fault in found:
            self.stderr.write(fault)
        if found:
            raise CommandError(
                f"{len(found)} faults. `manage.py makemessages --all --no-location --no-wrap`, then translate."
            )
