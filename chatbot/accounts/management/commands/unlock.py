"""`manage.py unlock USERNAME --reason "..."`: open an account again that was closed over its owner's age. Audited."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.accounts import erasure
from chatbot.accounts.models import User


class Command(BaseCommand):
    help = "Open a closed account again, after a parent or carer has told you their age. The person sees it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--reason", required=True, help="who told you what; the person reads it")

    def handle(self, *args: Any, username: str, reason: str, **options: Any) -> None:
        person = User.objects.filter(username__iexact=username).first()
        if person is None:
            raise CommandError(f"Nobody here is called {username}. Check the spelling.")
        try:
            opened = erasure.person_unlock(person, reason=reason)
        except erasure.TooLate as error:
            raise CommandError("It is too late: the 48 hours are over, and this account is being deleted.") from error
        if not opened:
            raise CommandError(f"{person.username} isn't closed, so there is nothing to open.")
        self.stdout.write(f"{person.username} is open again; nothing was deleted.")
