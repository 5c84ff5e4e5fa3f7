"""The fixed cast, and a clock that every test gets back as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import pytest_django
from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase

from chatbot.accounts import bands, services
from chatbot.accounts.models import Role, User
from chatbot.core import catalogues, clock, jobs, keys
from chatbot.core.choices import choice_set
from chatbot.core.database import database_close
from moderation.crisis import verified_put

pytest_plugins = ["tests.service.fixtures"]
TODAY = date(2026, 11, 24)


def pytest_sessionstart() -> None:
    """The pages' translations, compiled as `make run` does: git keeps only their sources."""
    catalogues.compile_all(settings.LOCALE_PATHS[0])


# With -n, what shares a running server stays with one worker; it takes longest, so it begins first.
TOGETHER = ("tests/browser/", "tests/service/", "tests/process/")
APART = ("tests/service/test_rows.py",)  # has no server, and takes as long as one that has


def _together(nodeid: str) -> str:
    """What a test stays with: those at the same server, else its file."""
    file = nodeid.partition("::")[0]
    folder = next((folder for folder in TOGETHER if file.startswith(folder)), file)
    return file if file in APART else folder


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """By ids and not by xdist's marks, which pytest 9.2 does not hand on."""
    from xdist.scheduler import LoadScopeScheduling

    class ByServer(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _together(nodeid)

    return ByServer(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        order = {name: rank for rank, name in enumerate((*TOGETHER, *APART))}
        items.sort(key=lambda item: order.get(_together(item.nodeid), len(order)))


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


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """Threads keep their connections, and PostgreSQL drops no database that somebody is connected to."""
    yield
    database_close()
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


def _rows_gone(self: TransactionTestCase) -> None:
    """After a test that commits: the tables that have rows are emptied. Django's own flush truncates every table and
    makes all permissions anew, which nothing here has: a third of a second on PostgreSQL, for a thousand tests."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with transaction.atomic(), connection.cursor() as cursor:  # foreign keys are looked at when it ends
        for table in tables:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608  names of our own tables


TransactionTestCase._fixture_teardown = _rows_gone  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _steady() -> Iterator[None]:
    keys.forget_cached()
    yield
    jobs.forget_waiting()
    clock.reset()
    keys.forget_cached()
    verified_put({})


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
