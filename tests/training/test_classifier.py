"""The real pack, net and training of the classifier on a few examples that are made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from moderation.detectors.classifier.outputs import AT
from moderation.detectors.classifier.weights import FOLDER
from training.moderation.examples import Example
from training.moderation.pack import examples_pack
from training.moderation.packed import BEFORE_TOKENS, Pack
from training.moderation.quantise import weights_start
from training.moderation.train import Laid, Settings, Trainer, ahead, main
from training.multilingual.layers import layers_new

WEIGHTS = FOLDER / "weights.safetensors"
CALM = ("we have maths first thing", "the bus was late again", "my cat sleeps on my keyboard", "pizza or noodles")
SAID = ("nobody would notice if i was gone", "i don't want to be here any more")


def examples() -> list[Example]:
    found = []
    for number in range(24):
        text, harm = (SAID[number % 2], 1) if number % 3 == 0 else (CALM[number % 4], 0)
        before = ("hey", "you there?") if number % 4 == 0 else ()
        targets = {"message/any": harm, "message/T01": harm, "message/L2": harm, "reply/any": 0}
        found.append(Example(f"{text} {number}", targets, "en", "written", f"en/test/{number}", 3.0, before=before))
    return found


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)  # the other worker has the other processor
    made: Path = tmp_path_factory.mktemp("pack")
    examples_pack(examples(), made / "examples.npz")
    return made


@pytest.fixture(scope="module")
def trainer(pack: Path) -> Trainer:
    made = Trainer(Pack(pack / "examples.npz"), layers_new(4), Settings(beside=1.0), "cpu")
    weights_start(made.net, WEIGHTS)
    made.read(np.arange(24))
    return made


def test_a_run_goes_on_from_what_ships_and_writes_what_ships(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(pack), str(tmp_path / "out"), "--start", str(WEIGHTS), "--epochs", "1", "--batch", "6"])
    assert "epoch 1: loss" in capsys.readouterr().out
    assert (tmp_path / "out.safetensors").stat().st_size == pytest.approx(WEIGHTS.stat().st_size, rel=0.01)
    logits = np.load(tmp_path / "out.npz")
    assert logits["found"].shape == (sum(one.part == "held" for one in examples()), len(AT))


def test_what_ships_tells_danger_from_a_late_bus(trainer: Trainer) -> None:
    found = trainer.held_logits(np.arange(24))[:, AT["message/any"]]
    harm = np.array([one.targets["message/any"] for one in examples()], bool)
    assert found[harm].min() > found[~harm].max()


def test_what_was_said_before_stands_before_it_and_is_of_another_kind(trainer: Trainer) -> None:
    trainer.net.eval()
    row = np.array([0])
    laid = trainer.laid(row, np.full((1, 1), -1))
    pack = trainer.pack
    starts, ends = pack.token_starts[:3], pack.token_ends[:3]
    places = [place for start, end in zip(starts, ends, strict=True) for place in range(start, end)]
    assert laid.at[laid.mask].tolist() == places
    assert laid.kinds[laid.mask].tolist() == [1] * (ends[1] - starts[0]) + [0] * (ends[2] - starts[2])
    assert len(laid.earlier) > 0


def test_another_line_is_laid_before_one_that_stands_alone_and_its_end_alone(trainer: Trainer) -> None:
    trainer.net.eval()
    laid = trainer.laid(np.array([1]), np.array([[2, -1, 3]]))
    lengths = trainer.pack.ends_of(np.array([[2, -1, 3]]))
    assert lengths.tolist()[0][1] == 0
    assert lengths.max() <= BEFORE_TOKENS
    assert int(laid.kinds.sum()) == lengths.sum()
    assert set(laid.earlier.tolist()) == {
        *trainer.pack.places.of[_span(trainer, 2)].tolist(),
        *trainer.pack.places.of[_span(trainer, 3)].tolist(),
    }


def _span(trainer: Trainer, row: int) -> slice:
    start = int(trainer.pack.places.starts[row])
    return slice(start, start + int(trainer.pack.places.lengths[row]))


def test_only_messages_that_stand_alone_get_others_before_them(trainer: Trainer) -> None:
    beside = trainer.beside(np.arange(24))
    assert (beside[~trainer.pack.alone] == -1).all()
    assert (beside[trainer.pack.alone] >= 0).any(1).all()


def test_the_next_batch_is_laid_ahead_and_the_order_stays(trainer: Trainer) -> None:
    trainer.net.eval()
    rows = [np.array([one]) for one in range(5)]
    found: list[Laid] = list(ahead(trainer.laid(row, np.full((1, 1), -1)) for row in rows))
    assert [int(one.rows[0]) for one in found] == list(range(5))
