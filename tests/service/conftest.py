"""The house on every part, whole again after each test, and people in front of it who are signed in already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.browser.server import CROWD
from tests.browser.told import TOLD
from tests.service.parts import Parts
from tests.service.teen import Teen, sessions_of


@pytest.fixture(scope="package")
def _house(parts_with: Callable[..., Parts]) -> Parts:
    return parts_with(ABRACO_ENGINE=TOLD)


@pytest.fixture
def house(_house: Parts) -> Iterator[Parts]:
    """Whatever a test ends, fills or empties runs again, and is well, after it."""
    yield _house
    _house.mend()


@pytest.fixture(scope="package")
def _unused(_house: Parts) -> Iterator[tuple[str, str]]:
    return iter(sessions_of(_house, CROWD).items())


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing


@pytest.fixture
def somebody(_unused: Iterator[tuple[str, str]], stack: ExitStack) -> Callable[[], Teen]:
    """`somebody()`: a teen whom no other test has, signed in. Their sockets are closed after the test."""
    return lambda: Teen(*next(_unused), stack)
