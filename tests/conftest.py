"""The fixed cast, and a clock that every test gets back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from django.conf import settings

from chatbot.accounts import bands, services
from chatbot.accounts.models import Role, User
from chatbot.core import catalogues, clock, jobs, keys
from chatbot.core.choices import choice_set

TODAY = date(2026, 11, 24)


def pytest_sessionstart() -> None:
    """The pages' translations, compiled as `make run` does: git keeps only their sources."""
    catalogues.compile_all(settings.LOCALE_PATHS[0])


def make_teen(name: str, *, age: int, country: str = "US", region: str = "US-CA", language: str = "en") -> User:
    """A teen who confirmed the deal. Born in June, so that months don't fall on an edge."""
    today = clock.now().date()
    person = User(username=name)
    person.set_password("abraco-tests")
    band = bands.band_from_birth(month=today.month - 1 or 1, year=today.year - age, today=today)
    services.person_place(person, age=band, country=country, region=region, time_zone="UTC", language=language)
    person.save()
    services.deal_confirm(person)
    return person


def make_person(name: str, role: Role) -> User:
    person = User(username=name, role=role)
    person.set_password("abraco-tests")
    person.save()
    return person


@pytest.fixture(autouse=True)
def _steady() -> Iterator[None]:
    keys.forget_cached()
    yield
    jobs.forget_waiting()
    clock.reset()
    keys.forget_cached()


@pytest.fixture
def open_house(db: None) -> None:
    """The operator has opened every region."""
    choice_set("regions", {"*": "allow"})


@pytest.fixture
def maya(open_house: None) -> User:
    return make_teen("maya", age=15)


@pytest.fixture
def leo(open_house: None) -> User:
    return make_teen("leo", age=17)


@pytest.fixture
def stranger(open_house: None) -> User:
    return make_teen("stranger", age=16)


@pytest.fixture
def ana(open_house: None, maya: User) -> User:
    person = make_person("ana", Role.GUARDIAN)
    services.guardianship_start(teen=maya, guardian=person)
    return person


@pytest.fixture
def bruno(open_house: None, leo: User) -> User:
    person = make_person("bruno", Role.GUARDIAN)
    services.guardianship_start(teen=leo, guardian=person)
    return person


@pytest.fixture
def rui(open_house: None) -> User:
    return make_person("rui", Role.MODERATOR)


@pytest.fixture
def olga(open_house: None) -> User:
    return make_person("olga", Role.OPERATOR)
