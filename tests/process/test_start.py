"""What keeps a server outside DEBUG from starting, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.server import Server

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
