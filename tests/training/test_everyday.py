"""The output that decides is learnt again beside ordinary talk: what moves, and what stays as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from moderation.detectors.classifier.detector import Classifier
from moderation.detectors.classifier.outputs import OUTPUTS
from training.moderation.everyday import (
    ANY,
    CLOSE,
    DANGER,
    TALK,
    Kept,
    Learned,
    Row,
    beside_talk,
    cuts,
    learned,
    read,
    written,
)


@pytest.fixture(scope="module")
def kept() -> Kept:
    """Danger and talk look alike to what decided so far, and differ in what it sees."""
    draw = np.random.default_rng(3)
    count = 6000
    kind = draw.integers(0, 3, count).astype(np.int8)
    of = np.concatenate([np.arange(count), np.arange(0, count, 2)])  # every other row is read twice
    inner = draw.normal(size=(len(of), 8)).astype(np.float32)
    inner[:, 0] += np.where(kind[of] == TALK, 3.0, 0.0)
    said = draw.normal(size=len(of)).astype(np.float32) + np.where(kind[of] == CLOSE, -3.0, 1.0).astype(np.float32)
    held, own = draw.random(count) < 0.2, (kind == DANGER) & (draw.random(count) < 0.3)
    return Kept(inner, np.zeros((len(of), 2), np.float32), said, of, kind, own, held, np.ones(count, bool))


def test_less_of_ordinary_talk_is_acted_on_and_no_less_danger(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    new = learned(kept).logits(kept)
    given = cuts(new, kept, {"unsure": 0.3, "cuts": {"message/any": {"slope": 1.0, "shift": -1.0}}})
    before, now = kept.most(kept.any) >= 1.0, new >= -given["shift"] / given["slope"]
    held = {kind: kept.held & (kept.kind == kind) for kind in (DANGER, TALK)}
    assert now[held[DANGER]].mean() >= before[held[DANGER]].mean()
    assert now[held[TALK]].mean() < 0.5 * before[held[TALK]].mean()
    assert 0 < given["unsure"] <= 0.5
    assert "ordinary talk" in capsys.readouterr().out


def test_half_of_the_rows_are_read_after_ordinary_messages_of_their_own_side() -> None:
    some = [Row(f"row {at}", "en", TALK if at % 2 else DANGER, held=at % 4 < 2) for at in range(400)]
    talk = {held: {row.text for row in some if row.kind == TALK and row.held is held} for held in (True, False)}
    beside = list(beside_talk(some))
    assert 140 < len(beside) < 260
    assert all(row.before and set(row.before) <= talk[row.held] for row in beside)


def test_only_the_weights_of_the_output_that_decides_are_written(tmp_path: Path) -> None:
    path, draw = tmp_path / "weights.safetensors", np.random.default_rng(4)
    shapes = {"out.weight": (len(OUTPUTS), 8), "direct.weight": (len(OUTPUTS), 2), "out.bias": (len(OUTPUTS),)}
    old = {name: draw.normal(size=shape).astype(np.float16) for name, shape in shapes.items()}
    save_file({**old, "layers.0": np.ones((2, 2), np.int8)}, path)
    found = Learned(1.5, np.ones(8, np.float32), np.ones(2, np.float32), -0.5)
    written(found, path)
    new = load_file(path)
    for name, value in old.items():
        changed = np.flatnonzero((new[name] != value).reshape(len(OUTPUTS), -1).any(axis=1))
        assert changed.tolist() == [ANY], name
    assert np.allclose(new["out.bias"][ANY], 1.5 * float(old["out.bias"][ANY]) - 0.5, atol=1e-2)
    assert (new["layers.0"] == 1).all()


def test_what_is_kept_is_what_the_classifier_sees() -> None:
    long = "and then my dog slept on my foot " * 60
    some = [Row(long, "en", TALK), Row("ok then", "en", CLOSE, before=("see you tomorrow",))]
    kept = read(some)
    assert kept.inner.shape[1:] == (256,)
    assert kept.bag.shape[1:] == (32,)
    assert kept.of.tolist() == sorted(kept.of.tolist())
    assert set(kept.of.tolist()) == {0, 1}
    assert (kept.of == 0).sum() > 1, "a long text is read in several runs"
    assert kept.long.tolist() == [True, False]
    dense = Classifier().weights().dense
    again = kept.inner @ dense["out.weight"][ANY] + dense["out.bias"][ANY] + kept.bag @ dense["direct.weight"][ANY]
    assert np.allclose(again, kept.any, atol=1e-3)
