"""What is counted of the bank's sentences is kept for as long as it is true, and nothing that is wrong is believed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from companion.engines.embedded import counted
from companion.engines.embedded.counted import Counted, counted_of
from companion.engines.embedded.lexical import LexicalIndex

TEXTS = ("my dog ate my homework", "i'm so happy today", "", "minha avó é ótima")


def _same(one: Counted, other: Counted) -> bool:
    letters = all(
        np.array_equal(getattr(one.letters, field.name), getattr(other.letters, field.name))
        for field in fields(one.letters)
    )
    felt = np.array_equal(one.feelings, other.feelings) and np.array_equal(one.grave, other.grave)
    return letters and felt and one.known == other.known


def _uncounted(*_given: object) -> Counted:
    raise AssertionError("counted anew")


def test_what_is_kept_is_what_was_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = counted_of(TEXTS, "en", None)
    assert _same(counted_of(TEXTS, "en", tmp_path), fresh)
    monkeypatch.setattr(counted, "_counted", _uncounted)
    kept = counted_of(TEXTS, "en", tmp_path)
    assert _same(kept, fresh)
    index = LexicalIndex(kept.letters, "en")
    assert index.scores(index.weighted("a dog ate it")).argmax() == 0


@pytest.mark.parametrize("texts", [TEXTS[:2], (*TEXTS[1:], TEXTS[0]), ("nothing of it",), ()])
def test_other_sentences_are_counted_anew(tmp_path: Path, texts: tuple[str, ...]) -> None:
    counted_of(TEXTS, "en", tmp_path)
    for _ in range(2):  # counted, then read back
        found = counted_of(texts, "en", tmp_path)
        assert _same(found, counted_of(texts, "en", None))
        assert LexicalIndex(found.letters, "en").size == len(texts)


def test_what_counts_otherwise_counts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted_of(TEXTS, "en", tmp_path)
    monkeypatch.setattr(counted, "_counters", lambda: b"another way")
    monkeypatch.setattr(counted, "_counted", _uncounted)
    with pytest.raises(AssertionError, match="counted anew"):
        counted_of(TEXTS, "en", tmp_path)


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"PK\x03\x04 half a file"])
def test_a_broken_file_is_none_and_is_written_anew(tmp_path: Path, rubbish: bytes) -> None:
    (tmp_path / "counted-en.npz").write_bytes(rubbish)
    fresh = counted_of(TEXTS, "en", None)
    assert _same(counted_of(TEXTS, "en", tmp_path), fresh)
    assert (tmp_path / "counted-en.npz").read_bytes() != rubbish


def test_where_nothing_can_be_kept_it_is_counted_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("in the way")
    assert _same(counted_of(TEXTS, "en", tmp_path / "a file"), counted_of(TEXTS, "en", None))
