"""A house that has people in it comes to a newer version with all of them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.browser.server import run


def test_every_row_of_the_first_version_comes_through_to_the_newest(tmp_path: Path) -> None:
    counts = json.loads(run(tmp_path, "tests.service.rows_of_before"))
    assert len(counts) > 15
    assert set(counts.values()) == {1}
