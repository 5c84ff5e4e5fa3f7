"""`manage.py recover USERNAME`: a one-use link for somebody who forgot password and code. Audited; they see it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from chatbot.accounts import gate, services
from chatbot.accounts.models import User


class Command(BaseCommand):
    help = "Print a one-use link to set a new password. Hand it to that person only, never to a guardian."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--reason", required=True, help="why; the person sees that a link was made")

    def handle(self, *args: Any, username: str, reason: str, **options: Any) -> None:
        person = User.objects.filter(username__iexact=username).first()
        if person is None:
            raise CommandError(f"Nobody here is called {username}. Check the spelling.")
        try:
            secret = services.recovery_link_make(person, reason=reason)
        except gate.Refused as error:
            raise CommandError("That account can't be recovered.") from error
        self.stdout.write(reverse("accounts:recover_link", args=[secret]))
        self.stdout.write(f"Works once, for {services.RECOVERY_HOURS} hours. Hand it to {person.username} in person.")
