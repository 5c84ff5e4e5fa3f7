"""R25: what a new teen account starts with, every setting of it, compared with a file that people have read.

A setting that starts looser, a new switch, or a new table with a row of a newcomer fails here: look at it with the
question "is this the most private it can start?", then write golden_new_teen.json anew by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.apps import apps
from django.test import Client

from chatbot.accounts import gate
from chatbot.accounts.models import SignIn as SignInRow
from chatbot.accounts.models import TimeLimits, User
from chatbot.core import clock
from companion.profile.services import companion_for

GOLDEN = Path(__file__).with_name("golden_new_teen.json")
SIGN_UP = {
    "birth_month": "6", "country": "FR", "region": "", "language": "en", "username": "newcomer",
    "password1": "three odd words",
}  # fmt: skip
# What tells one account from another, and moments.
OWN = {"id", "password", "username", "date_joined", "last_login", "band_until", "recovery_digest"}


def rows_of(person: User) -> dict[str, int]:
    """In which tables a newcomer has rows at all, and how many."""
    found = {}
    for model in apps.get_models():
        names = {field.attname: field.name for field in model._meta.concrete_fields}
        for name in ("person_id", "owner_id", "subject_id", "teen_id", "guardian_id", "maker_id", "user_id"):
            if name in names and (count := model._default_manager.filter(**{name: person.id}).count()):
                found[f"{model._meta.db_table}.{name}"] = count
    return found


def settings_of(person: User) -> dict[str, Any]:
    limits = gate.limits_of(person, clock.now())
    companion = companion_for(person.id)
    columns = {field.attname for field in User._meta.concrete_fields} - OWN
    switches = {field.name: field.get_default() for field in TimeLimits._meta.concrete_fields if field.name != "person"}
    session = SignInRow.objects.get().get_decoded()
    return {
        "account": {name: getattr(person, name) for name in sorted(columns)},
        "limits": {
            "quiet_from": str(limits.quiet_from), "quiet_to": str(limits.quiet_to), "minutes": limits.minutes,
            "memory": limits.memory,
        },
        "switches": switches,
        "companion": {"name": companion.name, "colour": companion.colour, "mood": companion.mood},
        "rows": rows_of(person),
        "kept_in_the_sign_in": sorted(session),
    }  # fmt: skip


def test_a_new_teen_account_starts_with_every_setting_as_private_as_it_goes(client: Client, open_house: None) -> None:
    year = clock.now().year - 14
    response = client.post("/account/signup/", {**SIGN_UP, "birth_year": str(year)})
    assert response.status_code == 302, response.context["form"].errors
    found = json.loads(json.dumps(settings_of(User.objects.get(username="newcomer")), default=str))
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8")), json.dumps(found, indent=1)


def test_the_cookies_of_a_new_account_are_for_signing_in_and_nothing_else(client: Client, open_house: None) -> None:
    response = client.post("/account/signup/", {**SIGN_UP, "birth_year": str(clock.now().year - 14)})
    assert response.status_code == 302
    assert set(client.cookies) <= {"sessionid", "csrftoken", "messages"}
