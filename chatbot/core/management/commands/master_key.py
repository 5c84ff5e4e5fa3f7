"""`manage.py master_key --make | --rotate`: the operator's key, which wraps every person's key."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.core import crypto, keys
from chatbot.core.audit import audit_record


class Command(BaseCommand):
    help = "Make the master key on a new installation, or rotate it."

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--make", action="store_true", help="make the key file if there is no key yet")
        group.add_argument("--rotate", action="store_true", help="wrap every person's key with a new master key")

    def handle(self, *args: Any, make: bool, rotate: bool, **options: Any) -> None:
        try:
            if make and keys.master_key_make():
                self.stdout.write(
                    f"A new master key is in {settings.MASTER_KEY_FILE}. Keep a copy away from this machine: "
                    "without it nothing that people wrote can be read again."
                )
            if rotate:
                count = keys.master_rotate()
                audit_record(actor="operator", subject=None, action="master_key_rotated", detail={"keys": count})
                self.stdout.write(f"{count} keys are wrapped with the new master key. Replace your saved copy.")
        except crypto.CryptoError as error:
            raise CommandError(str(error)) from error
