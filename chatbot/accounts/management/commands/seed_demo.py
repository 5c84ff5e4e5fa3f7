"""`manage.py seed_demo`: the fixed cast, only with DEBUG. Prints who can sign in and how. Twice is harmless."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chatbot.accounts import bands, services
from chatbot.accounts.models import Role, User
from chatbot.core import clock
from chatbot.core.choices import choice, choice_set

PASSWORD = "abraco-demo"  # noqa: S105  the demo's, printed to whoever starts it; refused without DEBUG
CAST = (
    ("maya", Role.TEEN, 15, "en"),
    ("leo", Role.TEEN, 17, "en"),
    ("ana", Role.GUARDIAN, None, "en"),
    ("bruno", Role.GUARDIAN, None, "en"),
    ("rui", Role.MODERATOR, None, "en"),
    ("olga", Role.OPERATOR, None, "en"),
)


class Command(BaseCommand):
    help = "Put the demo's people in the database (needs DEBUG)."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo's people have a known password, so they exist only with DEBUG=1.")
        today = clock.now().date()
        for name, role, age, language in CAST:
            if User.objects.filter(username=name).exists():
                continue
            person = User(username=name, role=role, language=language)
            person.set_password(PASSWORD)
            if age is not None:
                band = bands.band_from_birth(month=1, year=_born(today, age), today=today)
                services.person_place(
                    person, age=band, country="US", region="US-CA", time_zone="UTC", language=language
                )
            person.save()
        for teen, guardian in (("maya", "ana"), ("leo", "bruno")):
            pair = User.objects.get(username=teen), User.objects.get(username=guardian)
            if not pair[0].guardianships.exists():
                services.guardianship_start(teen=pair[0], guardian=pair[1])
        if not choice("regions"):
            choice_set("regions", {"*": "allow"})
        self.stdout.write("The demo's people (password for all: " + PASSWORD + ")")
        for name, role, age, _language in CAST:
            self.stdout.write(f"  {name:6} {role.label.lower()}{f', {age}' if age else ''}")


def _born(today: date, age: int) -> int:
    """The year of somebody of that age who was born in a January."""
    return today.year - age - (1 if today.month == 1 else 0)
