"""`manage.py second_factor --reset NAME --reason WHY`: for staff who lost their phone and their codes. Audited."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.accounts.adapter import sign_out_tell
from chatbot.accounts.models import User
from chatbot.accounts.second_factor import second_factor_reset


class Command(BaseCommand):
    help = "Take somebody's authenticator app away, so that they set up a new one. Make sure first that it is them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reset", metavar="NAME", required=True, help="whose")
        parser.add_argument("--reason", required=True, help="why, and how you know that it is them; they see it")

    def handle(self, *args: Any, reset: str, reason: str, **options: Any) -> None:
        person = User.objects.filter(username__iexact=reset).first()
        if person is None:
            raise CommandError(f"Nobody here is called {reset}. Check the spelling.")
        if not second_factor_reset(person, reason=reason):
            raise CommandError(f"{person.username} has no authenticator app here: there is nothing to take away.")
        sign_out_tell(person.id)
        self.stdout.write(
            f"{person.username} is signed out everywhere, and sets up a new app at the next sign-in. "
            "Until then the password alone opens the account: let them sign in now, and change the password."
        )
