"""`manage.py consent USERNAME`: record, or withdraw, a guardian's consent that was given to the operator."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.accounts import services
from chatbot.accounts.models import Role, User


class Command(BaseCommand):
    help = "Record that a parent or carer agreed (on paper, in person, ...), or withdraw it in one step."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--method", help="how it was given, e.g. 'signed form'")
        parser.add_argument("--withdraw", action="store_true")

    def handle(self, *args: Any, username: str, method: str | None, withdraw: bool, **options: Any) -> None:
        person = User.objects.filter(username__iexact=username, role=Role.TEEN).first()
        if person is None:
            raise CommandError(f"No teen here is called {username}. Check the spelling.")
        if withdraw:
            self.stdout.write(f"Withdrawn: {services.consent_withdraw(person=person, by='operator')}")
        elif method:
            if len(method) > services.WORDS:
                raise CommandError(f"Say it in at most {services.WORDS} letters: --method 'signed form'.")
            services.consent_give(person=person, given_by="operator", method=method)
            self.stdout.write(f"Recorded for {person.username}.")
        else:
            raise CommandError("Say how it was given: --method 'signed form', or --withdraw.")
