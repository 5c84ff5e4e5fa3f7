"""Real services for any test, each private and on a free port: a plugin, so that every folder has them.

`redis_server`: an empty Redis. `postgres`: PostgreSQL, one for the session. `postgres_url`: a migrated, empty database
of its own. `parts_with(...)`: the product on all of them, with the fixed cast (tests/service/parts.py). Where a service
is not installed the test is skipped with a reason (in CI it fails).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.server import CAST, cast, run
from tests.service.parts import Parts
from tests.service.ports import free_port
from tests.service.postgres import Postgres
from tests.service.redis import Redis


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    try:
        server.prepare()
        server.start()
        yield server
    finally:
        server.end()


@pytest.fixture(scope="session")
def migrated(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with the house's tables, to be copied."""
    name = postgres.database()
    folder: Path = tmp_path_factory.mktemp("migrated")
    run(folder, "manage", "migrate", "--verbosity", "0", DATABASE_URL=postgres.url(name))
    return name


@pytest.fixture
def postgres_url(postgres: Postgres, migrated: str) -> Iterator[str]:
    name = postgres.database(migrated)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def cast_database(postgres: Postgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with the fixed cast, to be copied."""
    name = postgres.database(migrated)
    folder, url = tmp_path_factory.mktemp("cast"), postgres.url(name)
    run(folder, "-c", CAST, json.dumps(cast()), DATABASE_URL=url)
    return name


@pytest.fixture(scope="package")
def parts_with(
    postgres: Postgres, cast_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Parts]]:
    """Starts the product on every part; keywords are environment variables. Ended with the folder."""
    with ExitStack() as ending:

        def start(**changes: str) -> Parts:
            redis = Redis(tmp_path_factory.mktemp("redis"))
            ending.callback(redis.stop)
            redis.start()
            parts = Parts(
                tmp_path_factory.mktemp("parts"), free_port(), changes, postgres=postgres, redis=redis,
                database=postgres.database(cast_database),
            )  # fmt: skip
            ending.callback(parts.stop)
            parts.start()
            return parts

        yield start
