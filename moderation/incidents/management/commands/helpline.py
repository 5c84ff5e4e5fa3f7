"""`manage.py helpline [LINE --right|--wrong]`: say that a helpline was called or opened, and what came of it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.core import clock
from moderation.crisis.helplines import age_of, helplines
from moderation.incidents import services


class Command(BaseCommand):
    help = "Record the check of a helpline. Without a line: all of them, and how old their checks are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("line", nargs="?", help="the id in moderation/crisis/helplines.yaml, e.g. br-cvv")
        found = parser.add_mutually_exclusive_group()
        found.add_argument("--right", action="store_true", help="it was reached, and number and hours are right")
        found.add_argument("--wrong", action="store_true", help="it is not what the row says: hidden from now on")
        parser.add_argument("--by", default="operator", help="who checked it")
        parser.add_argument("--country", help="only the lines of this country")

    def handle(
        self, *args: Any, line: str | None, right: bool, wrong: bool, by: str, country: str | None, **options: Any
    ) -> None:
        if line is None:
            self._list(country)
            return
        if not (right or wrong):
            raise CommandError("Call it or open its page first, then say what you found: --right or --wrong.")
        try:
            services.helpline_check(line=line, right=right, actor=by[:64])
        except KeyError:
            raise CommandError(f"There is no line {line!r}. `manage.py helpline` lists them.") from None
        self.stdout.write(f"{line}: {'right' if right else 'wrong, hidden from now on'}, noted for today.")

    def _list(self, country: str | None) -> None:
        services.helplines_refresh()
        today = clock.now().date()
        for row in helplines().lines:
            if country is None or row.country == country.upper():
                way = row.phone or row.text or row.web
                self.stdout.write(f"{row.id:<28} {row.country:<4} {age_of(row, today):<8} {row.name}: {way}")
