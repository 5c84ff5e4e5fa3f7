"""A language's parsed files are kept for as long as the files are the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from companion.bank import bank_load, load
from companion.bank.form import FileForm

FILE = """
situation: pets
exchanges:
  - id: dog
    said: [my dog, no]
    replies: [Tell me his name., {text: "Woof?", tone: tease}]
    then: [{said: [rex], replies: [Good name.]}]
"""


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    (tmp_path / "bank" / "en").mkdir(parents=True)
    (tmp_path / "bank" / "en" / "pets.yaml").write_text(FILE, encoding="utf-8")
    return tmp_path / "bank"


def _unparsed(content: bytes) -> FileForm:
    raise AssertionError("parsed anew")


def test_it_is_read_back_as_it_was(bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = bank_load("en", bank, parsed_in=tmp_path)
    monkeypatch.setattr(load, "file_parse", _unparsed)
    assert bank_load("en", bank, parsed_in=tmp_path) == fresh
    assert [line.text for line in fresh.lines.values()] == ["Tell me his name.", "Woof?", "Good name."]


def test_a_file_that_changes_is_parsed_anew(bank: Path, tmp_path: Path) -> None:
    bank_load("en", bank, parsed_in=tmp_path)
    (bank / "en" / "pets.yaml").write_text(FILE.replace("Good name.", "A dog's name!"), encoding="utf-8")
    assert "A dog's name!" in {line.text for line in bank_load("en", bank, parsed_in=tmp_path).lines.values()}


@pytest.mark.parametrize("rubbish", ["", "{}", '{"digest": "x", "forms": [{"situation": 3}]}'])
def test_rubbish_in_its_place_is_none(bank: Path, tmp_path: Path, rubbish: str) -> None:
    (tmp_path / "bank-en.json").write_text(rubbish)
    assert len(bank_load("en", bank, parsed_in=tmp_path).lines) == 3


def test_what_was_left_out_is_never_kept_for_the_whole(bank: Path, tmp_path: Path) -> None:
    (bank / "en" / "broken.yaml").write_text("situation: [", encoding="utf-8")
    for _ in range(2):
        left_out: list[str] = []
        bank_load("en", bank, left_out=left_out, parsed_in=tmp_path)
        assert len(left_out) == 1
        assert "broken.yaml" in left_out[0]
    assert not (tmp_path / "bank-en.json").exists()
