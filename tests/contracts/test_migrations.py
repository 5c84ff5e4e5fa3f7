"""A house that has people in it comes to a newer version with all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.browser.server import run
from tests.service.postgres import Postgres


def test_every_row_of_the_first_version_comes_through_to_the_newest(tmp_path: Path) -> None:
    counts = json.loads(run(tmp_path, "tests.service.rows_of_before"))
    assert len(counts) > 15
    assert set(counts.values()) == {1}


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def test_whoever_is_signed_in_stays_so_when_sign_ins_get_a_person(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = {"DATABASE_URL": _database(request)} if kind == "postgresql" else {}
    told = json.loads(run(tmp_path, "tests.service.sign_ins_of_before", **where))
    assert told["people"] == {"hers": "01a22025-89e0-705e-bfa5-cfc530c2856c", "nobodys": "", "odd": ""}
    assert (told["devices"], told["left"]) == (["Firefox, Android"], 0)
    assert told["back"] == ["hers", "nobodys", "odd"]


def _database(request: pytest.FixtureRequest) -> str:
    server: Postgres = request.getfixturevalue("postgres")
    return server.url(server.database())
