"""The rows that the tagger learns from say where, and a short training gives weights that the product opens."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from chatbot.core.encoder import TRUNK
from chatbot.core.encoder.multilingual import multilingual
from companion.memory.tagger import WEIGHTS, tagger
from companion.memory.told import CHANNELS, SEEN
from training.multilingual.layers import layers_new
from training.remembering import held, pack, train
from training.remembering.examples import example_of
from training.remembering.packed import BEGIN, INSIDE, Pack
from training.remembering.rows import Row, is_held, rows_read
from training.remembering.train import Settings, Trainer, spans_counted

ROOT = Path(__file__).resolve().parents[2]

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


@pytest.fixture(scope="module")
def few(rows: list[Row]) -> list[Row]:
    found = list(itertools.islice((row for row in rows if row.facts and len(row.text) < 60), 60))
    return [*found, dataclasses.replace(found[0], text="and then she said so, " * 60)]


@pytest.fixture(scope="module")
def folder(few: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)  # the other worker has the other processor
    made: Path = tmp_path_factory.mktemp("pack")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "rows_read", lambda: iter(few))
        pack.main([str(made), "--held", "0.5", "--model", str(made / "no package")])
    return made


def test_the_pack_has_of_each_row_that_fits_a_window_what_the_product_sees(few: list[Row], folder: Path) -> None:
    opened = Pack(folder / "tagged.npz", "cpu")
    assert len(opened) == len(few) - 1, "the last is longer than a window"
    assert opened.held.tolist() == [is_held(row.text, 0.5) for row in few[:-1]]
    opened.read()
    seen, tags = opened.laid(np.arange(len(opened)))
    read = multilingual().encode([row.text for row in few[:-1]], heads=(TRUNK,))
    for at, (row, encoded) in enumerate(zip(few, read, strict=False)):
        example = example_of(row, encoded.places[0])
        size = len(encoded.hidden[0])
        assert size == opened.lengths[at] == int(seen["mask"][at].sum())
        assert np.allclose(encoded.hidden[0], seen["hidden"][at, :size], atol=5e-3)
        for name in ("word", "pieces", "shape", "time", "lists"):
            assert np.array_equal(getattr(example.tokens, name), seen[name][at, :size]), name
        assert int(seen["language"][at]) == example.tokens.language
        assert np.array_equal(example.said, seen["said"][at, :size])
        begins, inside = (tags[at, :size] == BEGIN, tags[at, :size] == INSIDE)
        assert np.array_equal(example.told[:, 0::2] > 0, begins)
        assert np.array_equal((example.told[:, 1::2] > 0) & ~begins.numpy(), inside)
        assert (tags[at, size:] < 0).all()


def test_every_row_is_learnt_from_once_in_batches_of_like_length(folder: Path) -> None:
    opened = Pack(folder / "tagged.npz", "cpu")
    found = opened.batches(np.arange(len(opened)), 200, np.random.default_rng(3))
    assert sorted(np.concatenate(found).tolist()) == list(range(len(opened)))
    assert max(opened.lengths[some].sum() for some in found) < 260
    assert np.median([np.ptp(opened.lengths[some]) for some in found]) <= 4


def test_a_training_goes_on_from_what_ships_and_gives_weights_that_the_product_opens(
    few: list[Row], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    learnt, out = tmp_path / "learnt.safetensors", tmp_path / "tagger.safetensors"
    train.main([str(folder), str(learnt), "--epochs", "2", "--tokens", "200", "--start", str(WEIGHTS)])
    back = sum(is_held(row.text, 0.5) for row in few[:-1])
    assert 20 < back < 40
    said = capsys.readouterr().out
    assert f"{60 - back} rows to learn from, {back} kept back" in said
    assert "epoch 2: loss" in said
    monkeypatch.setattr(held, "rows_read", lambda: iter(few))
    held.main([str(learnt), str(out), "--held", "0.5"])
    assert capsys.readouterr().out.startswith(f"{back} rows kept back\n  all: precision ")
    net = tagger(out, hashlib.sha256(out.read_bytes()).hexdigest())
    assert 0 < net.chance(np.zeros(len(SEEN), np.float32)) < 1


def test_it_learns_tags_from_the_rows_alone(folder: Path) -> None:
    torch.manual_seed(3)
    opened = Pack(folder / "tagged.npz", "cpu")
    opened.held[:] = False
    opened.read()
    trainer = Trainer(
        opened, layers_new(1), Settings(epochs=6, tokens=60, rate_layers=5e-4, rate_rest=6e-3, dropout=0.0)
    )
    trainer.held = trainer.learn
    before, _ = trainer.score(trainer.net)
    trainer.train(folder / "made")
    again = Trainer(opened, layers_new(1), Settings())
    train.start(again.net, folder / "made.safetensors")
    again.held = trainer.learn
    assert before < 0.2
    assert again.score(again.net)[0] > 0.8


def test_spans_count_that_begin_and_end_at_the_same_words() -> None:
    def tags(*texts: str) -> Tensor:
        return torch.tensor([["oBI-".index(tag) if tag != "-" else -100 for tag in text] for text in texts])[..., None]

    told = tags("oBIoBBI-", "BIIIoBoB", "oBIoBI--")
    found = tags("oBIoBIIB", "BIIooBoI", "oIIoIoBI")
    assert spans_counted(found, told).tolist() == [4, 7, 8]


def test_training_asks_for_nothing_that_a_bare_machine_lacks() -> None:
    program = "import sys, training.remembering.train; print(*{name.partition('.')[0] for name in sys.modules})"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"re2", "pydantic", "django", "companion"} & set(found.stdout.split())
