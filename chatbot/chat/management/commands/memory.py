"""`manage.py memory --as USERNAME --json`: everything remembered about that person."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.accounts.models import User
from chatbot.chat.material import language_of
from chatbot.chat.terminal import memory_row
from chatbot.core.audit import audit_record
from chatbot.core.keys import KeyMissing
from companion.memory.services import memory_list


class Command(BaseCommand):
    help = "Print what is remembered about somebody. Outside DEBUG it needs --reason, and the person sees it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as", dest="username", required=True)
        parser.add_argument("--reason")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, username: str, reason: str | None, **options: Any) -> None:
        person = User.objects.filter(username__iexact=username).first()
        if person is None:
            raise CommandError(f"Nobody here is called {username}. Check the spelling.")
        if not settings.DEBUG:
            if not reason:
                raise CommandError("Outside DEBUG, say why with --reason; the person sees it.")
            audit_record(actor="operator", subject=person.id, action="memory_read", detail={"reason": reason})
        try:
            views = memory_list(owner_id=person.id, language=language_of(person))
        except KeyMissing as error:
            raise CommandError(
                f"Nothing of {username} can be opened: {error}. `manage.py doctor` says more."
            ) from error
        if options["json"]:
            self.stdout.write(json.dumps([memory_row(view) for view in views], ensure_ascii=False))
        else:
            for view in views:
                self.stdout.write(f"{view.since:%Y-%m-%d}  {view.text}")
