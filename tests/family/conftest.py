"""Noon, browsers, and a teen in India whom nobody has said yes for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from chatbot.accounts import services as people
from chatbot.accounts.models import Role, User
from chatbot.core import clock
from tests.chat.conftest import leo_now, maya_now, noon  # noqa: F401  for tests that answer turns
from tests.chat.house import NOON
from tests.conftest import make_person, make_teen

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    clock.move_to(NOON)
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def sign_in() -> SignIn:
    def browser(person: User) -> Client:
        client = Client()
        client.force_login(person, backend=BACKEND)
        return client

    return browser


@pytest.fixture
def ila(open_house: None) -> User:
    """14, where nobody under 18 chats without a guardian's yes."""
    return make_teen("ila", age=14, country="IN", region="")


@pytest.fixture
def zoe(open_house: None) -> User:
    """A guardian who is linked to nobody yet."""
    return make_person("zoe", Role.GUARDIAN)


@pytest.fixture
def ana_now(maya_now: User) -> User:  # noqa: F811  the fixture
    """Maya's guardian, at noon."""
    ana = make_person("ana", Role.GUARDIAN)
    people.guardianship_start(teen=maya_now, guardian=ana)
    return ana
