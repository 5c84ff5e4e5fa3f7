"""Judged places are read as they were written, and what is learnt from them prefers what readers found sensible."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from companion.bank import Bank, BankLine, Exchange
from companion.bank.book import bank_of
from companion.engines.embedded.weighing import Weigher
from companion.types import DOES, LANGUAGES
from training.choosing.places import Judged, PlaceError, places, written
from training.choosing.train import Settings, trained, weights_of
from training.talks import talks

LINES = (BankLine("talk/hi/0", "Hello, you."), BankLine("talk/hi/1", "Oh, hi."))


def bank(*lines: BankLine) -> Bank:
    return bank_of(language="en", exchanges=(Exchange("talk/hi", "talk", ("hi",), lines),), digest="x")


def test_a_place_comes_back_as_it_was_written(tmp_path: Path) -> None:
    place = Judged("en-1/7", 3, {"talk/hi/0": 2, "talk/hi/1": 0})
    (tmp_path / "en.tsv").write_text(written(place, bank(*LINES)) + "\n", encoding="utf-8")
    assert list(places(bank(*LINES), tmp_path)) == [place]


def test_the_marks_of_a_line_that_was_written_anew_are_left_out(tmp_path: Path) -> None:
    place = Judged("en-1/7", 3, {"talk/hi/0": 2, "talk/hi/1": 0})
    (tmp_path / "en.tsv").write_text(written(place, bank(*LINES)) + "\n", encoding="utf-8")
    anew = bank(LINES[0], BankLine("talk/hi/1", "Hi there."))
    assert [dict(one.marks) for one in places(anew, tmp_path)] == [{"talk/hi/0": 2}]


@pytest.mark.parametrize("row", ["en-1/7/3\ttalk/hi/0=2", "en-1/7/3\ttalk/hi/0#ab=3", "en-1/7/x", "\t"])
def test_a_row_that_is_none_is_named_by_file_and_line(tmp_path: Path, row: str) -> None:
    (tmp_path / "en.tsv").write_text(f"{row}\n", encoding="utf-8")
    with pytest.raises(PlaceError, match=r"en\.tsv:1: wanted is"):
        list(places(bank(*LINES), tmp_path))


def test_every_judged_place_is_a_turn_of_a_talk() -> None:
    from companion.bank import bank_for

    turns = {(talk.id, at) for talk in talks() for at in range(len(talk.turns))}
    for language in LANGUAGES:
        judged = list(places(bank_for(language)))
        assert len(judged) > 100
        assert {(place.talk, place.at) for place in judged} <= turns


def test_nets_learn_what_readers_preferred_and_ship_as_one() -> None:
    draw = np.random.default_rng(1)
    given = [torch.from_numpy(draw.normal(size=(6, 5)).astype(np.float32)) for _ in range(60)]
    marks = [(one[:, 0] > 0).long() * 2 for one in given]
    settings = Settings(epochs=15, batch=10, nets=2)
    nets = [trained(given, marks, settings, seed) for seed in range(2)]
    ready = Weigher(
        weights_of(nets)
        | {"mean": np.zeros(5, np.float32), "spread": np.ones(5, np.float32)}
        | {name: np.zeros(0, np.uint64) for name in ("line", "exchange")}
        | {"place": np.zeros(0, np.int32), "mark": np.zeros(0, np.int8), "usual": np.full(4, 0.2)}
        | {"does": np.zeros((0, len(DOES))), "vector": np.zeros((0, 384), np.int8)}
    )
    likely = ready.likely(given[0].numpy())
    with torch.no_grad():
        mean = torch.stack([net(given[0]) for net in nets]).mean(0).sigmoid().numpy()
    assert likely == pytest.approx(mean, abs=0.01)
    assert likely[marks[0].numpy() == 2].min() > likely[marks[0].numpy() == 0].max() - 0.2
