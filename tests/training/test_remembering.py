"""The rows that the tagger learns from say where, and a short training gives weights that the product opens."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from pathlib import Path

import pytest

from companion.memory.tagger import WEIGHTS, tagger
from companion.memory.told import CHANNELS
from training.remembering import train
from training.remembering.rows import Row, rows_read

TRAPS = {
    "negation", "hypothetical", "past", "question", "quote", "lyrics", "fiction", "joke", "other", "instruction",
    "never", "talk",
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(rows_read())


def test_every_row_tells_something_that_stands_in_it_or_is_a_trap(rows: list[Row]) -> None:
    assert all(bool(row.facts) != (row.trap in TRAPS) for row in rows)
    spans = [(row, channel, place) for row in rows for channel, place in row.spans]
    assert all(channel in CHANNELS and 0 <= start < end <= len(row.text) for row, channel, (start, end) in spans)
    told = sum(bool(fact["value"]) for row in rows for fact in row.facts)
    assert sum(channel.partition(".")[2] == "" for _, channel, _ in spans) > 0.97 * told


def test_no_two_rows_are_the_same_and_every_language_has_every_kind(rows: list[Row]) -> None:
    assert max(Counter((row.language, row.text) for row in rows).values()) == 1
    kinds = {(row.language, fact["kind"]) for row in rows for fact in row.facts}
    assert len(kinds) == 4 * len([name for name in CHANNELS if "." not in name])


def test_a_training_goes_on_from_what_ships_and_gives_weights_that_the_product_opens(
    rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = list(itertools.islice((row for row in rows if row.facts and len(row.text) < 60), 60))
    monkeypatch.setattr(train, "rows_read", lambda: iter(few))
    out = tmp_path / "tagger.safetensors"
    train.main([str(out), "--epochs", "1", "--held", "0.5", "--from", str(WEIGHTS)])
    back = sum(train.is_held(row.text, 0.5) for row in few)
    assert 20 < back < 40
    assert f"60 rows, {back} kept back" in capsys.readouterr().out
    assert tagger(out, hashlib.sha256(out.read_bytes()).hexdigest())
