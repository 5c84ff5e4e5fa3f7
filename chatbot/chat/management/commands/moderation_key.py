"""`manage.py moderation_key create NAME | list | revoke NAME`: who may ask /api/v1/moderations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.chat.moderation_keys import KeyRefused, key_create, key_revoke, keys_all


class Command(BaseCommand):
    help = "Make, list and revoke the keys of programs that may ask /api/v1/moderations."

    def add_arguments(self, parser: CommandParser) -> None:
        whats = parser.add_subparsers(dest="what", required=True)
        for what, said in (("create", "a new key, printed this once"), ("revoke", "it opens nothing any more")):
            whats.add_parser(what, help=said).add_argument("name")
        whats.add_parser("list", help="every key, without its secret")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        try:
            if what == "create":
                self.stdout.write(key_create(options["name"]))
                self.stderr.write("Shown this once. It belongs on a server, never in a page or an app.")
            elif what == "revoke":
                key_revoke(options["name"])
                self.stdout.write("Revoked.")
            else:
                for key in keys_all():
                    state = "live" if key.revoked_at is None else f"revoked {key.revoked_at:%Y-%m-%d}"
                    self.stdout.write(f"{key.made_at:%Y-%m-%d}  {state:<18}  {key.name}")
        except KeyRefused as error:
            raise CommandError(str(error)) from error
