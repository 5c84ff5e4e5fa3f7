"""`manage.py moderate --jsonl [--band B] [--side message|reply]`: screen lines of JSON."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.core import clock
from moderation import screen
from moderation.lines import lines_screen


class Command(BaseCommand):
    help = "Screen lines of JSON from standard input: what the safety layer decides about each."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--jsonl", action="store_true", required=True, help="one JSON object per line, in and out")
        parser.add_argument("--band", choices=["13-15", "16-17", "18+"], default=None, help="unknown counts as 13-15")
        parser.add_argument("--side", choices=["message", "reply"], default="message")

    def handle(self, *args: Any, **options: Any) -> None:
        house = screen.house()
        problems = house.problems()
        if problems:
            raise CommandError("The safety layer's files can't be used:\n" + "\n".join(problems))
        screen.warm()
        # Bytes that are no UTF-8 make a bad line and not a broken run.
        source = (raw.decode("utf-8", "replace") for raw in sys.stdin.buffer)
        fine = True
        for line, read in lines_screen(
            source, screen=house, band=options["band"], side=options["side"], now=clock.now()
        ):
            self.stdout.write(line)
            fine = fine and read
        if not fine:
            sys.exit(1)
