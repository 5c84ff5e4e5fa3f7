"""`manage.py setup`: operators and moderators, where the house is open, and who is called when something is wrong."""

from __future__ import annotations

import getpass
import os
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.accounts.models import Role, User
from chatbot.accounts.regions import POLICIES, table
from chatbot.core.audit import audit_record
from chatbot.core.choices import choice, choice_set


class Command(BaseCommand):
    help = "Make operators and moderators, choose regions (--region US-CA=allow), name the duty contact."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--operator", help="user name of an operator to make (password asked, or ABRACO_PASSWORD)")
        parser.add_argument("--moderator", help="user name of a moderator to make, in the same way")
        parser.add_argument("--region", action="append", default=[], metavar="PLACE=POLICY")
        parser.add_argument("--duty-contact", help="who is told about danger, in words; 'nobody' says so publicly")

        parser.add_argument("--staff-hours", help="when trained staff look at what was flagged, e.g. 'weekdays 8-16'")

    def handle(self, *args: Any, operator: str, region: list[str], duty_contact: str, **options: Any) -> None:
        if operator:
            self._staff(operator, Role.OPERATOR)
        if options["moderator"]:
            self._staff(options["moderator"], Role.MODERATOR)
        if region:
            self._regions(region)
        if duty_contact:
            choice_set("duty_contact", "" if duty_contact == "nobody" else duty_contact)
            audit_record(actor="operator", subject=None, action="duty_contact_set")
        if options["staff_hours"]:
            choice_set("staff_hours", options["staff_hours"])
            audit_record(actor="operator", subject=None, action="staff_hours_set")
        self.stdout.write(f"Operators: {User.objects.filter(role=Role.OPERATOR).count()}")
        self.stdout.write(f"Moderators: {User.objects.filter(role=Role.MODERATOR).count()}")
        self.stdout.write(f"Regions: {choice('regions', {}) or 'none chosen: nobody under 18 can chat yet'}")
        self.stdout.write(f"Duty contact: {choice('duty_contact') or 'nobody watches live (the pages say so)'}")

    def _staff(self, name: str, role: Role) -> None:
        try:
            User._meta.get_field("username").run_validators(name)
        except ValidationError as error:
            raise CommandError(f"That can't be a user name. {' '.join(error.messages)}") from error
        if User.objects.filter(username__iexact=name).exists():
            raise CommandError(f"There is somebody called {name} already: choose another name.")
        # Not in the settings: a password that is used once should not stand in memory for as long as the house is open.
        try:
            password = os.environ.get("ABRACO_PASSWORD") or getpass.getpass(f"Password for {name}: ")
        except EOFError as error:
            raise CommandError("Nobody is there to type a password: give it in ABRACO_PASSWORD.") from error
        try:
            validate_password(password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        person = User(username=name, role=role)
        person.set_password(password)
        person.save()
        audit_record(actor="operator", subject=person.id, action=f"{role}_made")
        self.stdout.write(f"{name} is here. At the first sign-in an authenticator app is set up (docs/moderators.md).")

    def _regions(self, given: list[str]) -> None:
        chosen = dict(choice("regions", {}))
        for item in given:
            place, _, policy = item.partition("=")
            known = place == "*" or place.split("-")[0] in table().countries
            if policy not in POLICIES or not known:
                raise CommandError(
                    f"{item}: write PLACE=POLICY: BR, US-CA or * on the left, {', '.join(POLICIES)} on the right."
                )
            chosen[place] = policy
        choice_set("regions", chosen)
        audit_record(actor="operator", subject=None, action="regions_chosen", detail={"choice": ",".join(given)})
