"""`manage.py parts`: what this house runs on, a line each, as its settings say."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from chatbot.core.parts import database_wrong, parts, redis_wrong


class Command(BaseCommand):
    help = "Say which database, which Redis and which engine this house runs on."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for name, place in parts().items():
            self.stdout.write(f"{name:10}{place}")
        if away := database_wrong():
            self.stdout.write(f"{'':10}{away[0]} Do this: {away[1]}.")
        wrong = redis_wrong()
        if wrong:
            self.stdout.write(f"{'':10}{wrong}. The house serves without it; start it when you can.")
