"""`manage.py stop_replies [--resume]`: one command stops every free reply. Crisis help goes on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chatbot.core.audit import audit_record
from chatbot.core.choices import choice, choice_set


class Command(BaseCommand):
    help = "Stop all free replies at once, in every process; messages in danger are answered as ever."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--resume", action="store_true", help="let the companion talk again")

    def handle(self, *args: Any, resume: bool, **options: Any) -> None:
        if bool(choice("replies_stopped", False)) is not resume:
            self.stdout.write("Free replies are running." if resume else "Free replies were stopped already.")
            return
        choice_set("replies_stopped", not resume)
        audit_record(actor="operator", subject=None, action="replies_resumed" if resume else "replies_stopped")
        self.stdout.write(
            "The companion talks again."
            if resume
            else "Free replies are stopped. Danger is still answered, with helplines. Undo it with --resume."
        )
