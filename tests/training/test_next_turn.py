"""The real pack, net and training on a few talks that are made here."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from chatbot.core.encoder.multilingual import FOLDER, LAYERS
from training.moderation.quantise import weights_start
from training.next_turn.bank import Marked, Way, places_marked, ways_said
from training.next_turn.dialogues import Pair, dialogues_opened, pairs_opened, part_of
from training.next_turn.held import figures
from training.next_turn.net import Known, loss_of_following, loss_of_marks
from training.next_turn.pack import PARTS, pairs_pack
from training.next_turn.train import ABOVE, Settings, Trainer, main
from training.talks import teaches_what_follows

THINGS = ("dog", "cat", "bike", "cake", "tent", "drum", "kite", "lamp", "boat", "sock", "pear", "moon")
SMALL = ("--said", "1", "--reply", "1", "--batch", "24", "--ways", "12", "--places", "8", "--each", "12")


def talks() -> list[Pair]:
    found = []
    for number in range(48):
        thing, other = THINGS[number % 12], THINGS[(number * 5 + 3) % 12]
        group = f"{thing} {other}"
        before = (f"we have a {other}", "oh really?", f"tell me of the {thing}")
        part = PARTS[1] if number >= 24 else PARTS[0]
        found.append(Pair(before, f"the {thing} is in the garden, not the {other}", "en", "persona_chat", group, part))
    return found


def ways() -> list[Way]:
    said = ("where is my {}", "i lost the {}", "have you seen a {} here", "the {} is gone")
    return [Way(one.format(thing), thing, "en", one == said[3]) for thing in THINGS for one in said]


def marked() -> list[Marked]:
    found = []
    for number, thing in enumerate(THINGS):
        lines = tuple(f"the {other} is in the garden" for other in THINGS)
        marks = tuple(2 * (other == thing) for other in THINGS)
        found.append(Marked((f"tell me of the {thing}",), lines, marks, "en", held=number % 2 == 0))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)  # the other worker has the other processor
    made: Path = tmp_path_factory.mktemp("pack")
    pairs_pack(talks(), ways(), marked(), made / "pairs.npz")
    # What lies above does not ship: here the lower layers stand for it, which are of the same form.
    save_file(load_file(FOLDER / LAYERS), made / ABOVE)
    return made


def test_it_learns_what_follows_and_what_says_the_same(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(folder), str(tmp_path / "out"), "--steps", "24", "--english", "1", *SMALL])
    assert (tmp_path / "out.safetensors").stat().st_size < 12_000_000
    assert "step 24: loss" in capsys.readouterr().out
    again = Trainer(folder, Settings(said=1, reply=1), "cpu")
    weights_start(again.net, tmp_path / "out.safetensors")
    found = figures(again)
    assert found["follows en"] > 0.3, "by chance 0.05"
    assert found["same en"] > 0.5, "by chance 0.08"
    assert found["sensible en"] > 0.3, "by chance 0.08"


def test_lines_lie_side_by_side_and_each_knows_how_far_it_is_from_the_last(folder: Path) -> None:
    trainer = Trainer(folder, Settings(said=1, reply=1), "cpu")
    before = trainer.data["before"][:2].astype(np.int64)
    at, kinds, mask = trainer._placed(before)
    lines = before[0][before[0] >= 0]
    lengths = trainer.lengths[lines].tolist()
    assert int(mask[0].sum()) == sum(lengths)
    expected = [kind for kind, length in zip((2, 1, 0), lengths, strict=True) for _ in range(length)]
    assert kinds[0, : sum(lengths)].tolist() == expected
    start = int(trainer.starts[lines[-1]])
    assert at[0, sum(lengths) - lengths[-1] : sum(lengths)].tolist() == list(range(start, start + lengths[-1]))


def test_who_answers_the_same_thing_is_no_wrong_answer() -> None:
    said = torch.eye(3)
    reply = torch.stack([torch.eye(3)[0], torch.eye(3)[0], torch.eye(3)[2]])  # the second is the first's line too
    echo, scale = torch.zeros(3, 3), torch.tensor(8.0)
    apart = loss_of_following(said, reply, echo, Known(torch.tensor([0, 1, 2]), torch.tensor([0, 1, 2])), scale)
    same = loss_of_following(said, reply, echo, Known(torch.tensor([0, 1, 2]), torch.tensor([0, 0, 2])), scale)
    assert same < apart


def test_a_place_without_a_good_line_teaches_nothing() -> None:
    said, reply, scale = torch.eye(2), torch.eye(2)[[0, 1, 0, 1]], torch.tensor(4.0)
    place = torch.tensor([0, 0, 1, 1])
    right = loss_of_marks(said, reply, place, torch.tensor([2, 0, 0, 0]), scale)
    wrong = loss_of_marks(said, reply, place, torch.tensor([0, 2, 0, 0]), scale)
    assert right < 0.1
    assert wrong > 3
    assert loss_of_marks(said, reply, place, torch.tensor([0, 0, 0, 0]), scale) == 0


def test_half_of_the_judged_talks_are_kept_for_what_weighs() -> None:
    talks_of = [teaches_what_follows(f"en-1/{number}") for number in range(200)]
    assert 80 < sum(talks_of) < 120
    places = list(places_marked())
    assert {place.language for place in places} == {"en", "pt-BR", "es", "fr"}
    assert 0.35 < np.mean([place.held for place in places]) < 0.65


def test_a_way_is_held_back_only_where_others_say_the_same() -> None:
    found = list(ways_said())
    held = {way.exchange for way in found if way.held}
    assert held <= {way.exchange for way in found if not way.held}


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
