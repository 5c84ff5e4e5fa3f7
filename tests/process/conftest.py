from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.process.server import Server


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Server:
    server = Server(tmp_path_factory.mktemp("house"))
    server.prepare()
    return server


@pytest.fixture
def server(prepared: Server) -> Iterator[Server]:
    yield prepared
    prepared.end()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing
