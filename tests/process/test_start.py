"""What keeps a server outside DEBUG from starting, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.server import Server
from tests.service.postgres import Postgres

pytestmark = pytest.mark.process


def test_without_a_region_choice_no_production_server_starts_and_it_names_the_command(tmp_path: Path) -> None:
    server = Server(tmp_path, bare=True, DEBUG="0", SECRET_KEY="k3" * 10 + "zyxwvutsrqponmlkjihg")
    for arguments in (("migrate", "-v", "0"), ("master_key", "--make")):
        assert server.manage(*arguments).returncode == 0
    try:
        with pytest.raises(AssertionError, match="did not start"):
            server.start(["Never said."])
        assert server.process is not None
        assert server.process.returncode == 3
        assert "No region was chosen" in server.log()
        assert "python manage.py setup --region" in server.log()
        assert "--accept-unsigned-texts" in server.log()
    finally:
        server.end()


@pytest.mark.parametrize("command", [("site", "--list"), ("setup", "--region", "US=allow"), ("doctor",)])
def test_before_the_tables_are_made_a_command_says_so_in_a_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    done = Server(tmp_path, bare=True).manage(*command)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "`python manage.py migrate`" in said
    assert "Traceback" not in said


NOWHERE = "postgresql://house:a-secret@127.0.0.1:1/abraco"


@pytest.mark.parametrize("command", [("migrate", "-v", "0"), ("master_key", "--make"), ("site", "--list"), ("doctor",)])
def test_while_the_database_server_is_away_a_command_says_so_in_a_sentence(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    done = Server(tmp_path, bare=True, DATABASE_URL=NOWHERE).manage(*command)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "PostgreSQL on 127.0.0.1:1 can't be reached (Connection refused)." in said
    assert "or correct DATABASE_URL" in said
    assert "Traceback" not in said
    assert "pool" not in said
    assert "a-secret" not in said


def test_what_the_database_server_has_against_us_is_said_too(postgres: Postgres, tmp_path: Path) -> None:
    done = Server(tmp_path, bare=True, DATABASE_URL=postgres.url("not_made")).manage("migrate", "-v", "0")
    assert done.returncode == 1
    assert 'can\'t be reached (FATAL:  database "not_made" does not exist). Do this:' in done.stderr
    assert "Traceback" not in done.stderr


def test_no_production_server_starts_while_its_database_is_away_and_it_says_why(tmp_path: Path) -> None:
    server = Server(tmp_path, bare=True, DEBUG="0", SECRET_KEY="k3" * 10 + "zyxwvutsrqponmlkjihg", DATABASE_URL=NOWHERE)
    try:
        with pytest.raises(AssertionError, match="did not start"):
            server.start(["Never said."])
        assert "PostgreSQL on 127.0.0.1:1 can't be reached" in server.log()
        assert "Traceback" not in server.log()
        assert "a-secret" not in server.log()
    finally:
        server.end()
