"""The real pack, net and training on a few talks that are made here."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import torch

from training.moderation.quantise import weights_start
from training.next_turn.dialogues import Pair, dialogues_opened, pairs_opened, part_of
from training.next_turn.english import encoder_pack
from training.next_turn.net import Known, loss_of
from training.next_turn.pack import PARTS, pairs_pack
from training.next_turn.train import Settings, Trainer, main

THINGS = ("dog", "cat", "bike", "cake", "tent", "drum", "kite", "lamp", "boat", "sock", "pear", "moon")


def talks() -> list[Pair]:
    found = []
    for number in range(48):
        thing, other = THINGS[number % 12], THINGS[(number * 5 + 3) % 12]
        group = f"{thing} {other}"
        before = (f"we have a {other}", "oh really?", f"tell me of the {thing}")
        part = PARTS[1] if number >= 24 else PARTS[0]
        found.append(Pair(before, f"the {thing} is in the garden, not the {other}", "en", "persona_chat", group, part))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)  # the other worker has the other processor
    made: Path = tmp_path_factory.mktemp("pack")
    pairs_pack(talks(), made / "pairs.npz")
    encoder_pack(made / "encoder.safetensors")
    return made


def test_it_learns_what_follows(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(folder), str(tmp_path / "out"), "--epochs", "2", "--batch", "24", "--layers", "1"])
    assert (tmp_path / "out.safetensors").stat().st_size < 12_000_000
    assert "epoch 2: loss" in capsys.readouterr().out
    again = Trainer(folder, Settings(layers=1), "cpu")
    weights_start(again.net, tmp_path / "out.safetensors")
    assert again.hits()["en"] > 0.3, "by chance 0.05"


def test_lines_lie_side_by_side_and_each_knows_how_far_it_is_from_the_last(folder: Path) -> None:
    trainer = Trainer(folder, Settings(layers=1), "cpu")
    hidden, kinds, mask = trainer.laid(trainer.before[:2])
    lines = trainer.before[0][trainer.before[0] >= 0]
    lengths = trainer.lengths[lines].tolist()
    assert int(mask[0].sum()) == sum(lengths)
    expected = [kind for kind, length in zip((2, 1, 0), lengths, strict=True) for _ in range(length)]
    assert kinds[0, : sum(lengths)].tolist() == expected
    start = int(trainer.starts[lines[-1]])
    last = hidden[0, sum(lengths) - lengths[-1] : sum(lengths)]
    assert torch.equal(last, trainer.states[start : start + lengths[-1]].float())


def test_who_answers_the_same_thing_is_no_wrong_answer() -> None:
    said = torch.eye(3)
    reply = torch.stack([torch.eye(3)[0], torch.eye(3)[0], torch.eye(3)[2]])  # the second is the first's line too
    echo, warmth = torch.zeros(3, 3), torch.tensor(2.0)
    apart = loss_of(said, reply, echo, Known(torch.tensor([0, 1, 2]), torch.tensor([0, 1, 2])), warmth)
    same = loss_of(said, reply, echo, Known(torch.tensor([0, 1, 2]), torch.tensor([0, 0, 2])), warmth)
    assert same < apart


def test_turns_come_with_what_was_said_before_them(tmp_path: Path) -> None:
    for name in ("self_dialogue_corpus/dialogues", "topical_chat/conversations", "synthetic_persona_chat/dialogues"):
        (tmp_path / name).parent.mkdir()
    (tmp_path / "xpersona").mkdir()
    turns = [f"turn {number}" for number in range(7)]
    said = [{"text": turn} for turn in turns]
    written = {
        "self_dialogue_corpus/dialogues.jsonl.gz": {"turns": turns},
        "topical_chat/conversations.jsonl.gz": {"turns": said},
        "synthetic_persona_chat/dialogues.jsonl.gz": {"turns": said},
        "xpersona/en.jsonl.gz": {"dialogue": [["__SILENCE__", "hi"], ["hello", "how are you"]]},
        "xpersona/fr.jsonl": {"dialogue": [["salut", "ça va"]]},
    }
    for name, row in written.items():
        content = json.dumps(row).encode() + b"\n"
        if name.endswith(".gz"):
            content = gzip.compress(content)
        (tmp_path / name).write_bytes(content)
    assert [len(lines) for _, _, lines in dialogues_opened(tmp_path)] == [7, 7, 7, 3, 2]
    pairs = list(pairs_opened(tmp_path))
    assert len(pairs) == 6 * 3 + 2 + 1
    assert pairs[5].before == ("turn 2", "turn 3", "turn 4", "turn 5")
    assert pairs[5].reply == "turn 6"
    assert {pair.part for pair in pairs if pair.source == "self_dialogue"} == {
        part_of(pairs[0].group.rpartition("/")[0])
    }
    assert pairs[-1].language == "fr"
