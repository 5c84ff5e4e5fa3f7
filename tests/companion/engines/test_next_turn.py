"""What follows what: the shipped weights, and what happens without them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from chatbot.core.encoder import EncoderError, encoder
from companion.engines.embedded.next_turn import BEFORE, WEIGHTS, NextTurn
from training.next_turn.dialogues import part_of

# Written for this test: no line of it is in what was learnt from.
TALKS = (
    (["hey", "Hi! What's new?", "my goldfish jumped out of the bowl this morning"], "Oh no, is the fish all right?"),
    (["we lost the final by one goal"], "So close. Did you play well, at least?"),
    (["i can't decide between pizza and noodles"], "Noodles. You can always have pizza tomorrow."),
    (["do you like winter"], "I never feel the cold, but snow sounds like fun. Do you like it?"),
    (["my sister got into university today"], "Congratulations to her! What will she study?"),
    (["what should i wear to the party"], "Whatever you can dance in. Is it a fancy one?"),
    (["i've been learning the drums"], "The drums! Do your neighbours still talk to you?"),
    (["that film was so boring"], "How long did you last before you looked at the clock?"),
)


@pytest.fixture(scope="module")
def tower() -> NextTurn:
    return NextTurn()


def said(tower: NextTurn, *lines: str) -> np.ndarray:
    return asyncio.run(tower.said(lines))[0]


def test_the_reply_that_follows_is_closest(tower: NextTurn) -> None:
    found = np.stack([said(tower, *lines) for lines, _ in TALKS]) @ tower.replies([reply for _, reply in TALKS]).T
    assert (found.argmax(axis=1) == np.arange(len(TALKS))).sum() >= len(TALKS) - 1


def test_what_runs_is_what_the_library_makes_of_the_weights(tower: NextTurn) -> None:
    import torch
    from safetensors.numpy import load_file
    from torch.nn.functional import linear, normalize

    from chatbot.core.encoder.eight import widened
    from chatbot.core.encoder.layers import below
    from training.multilingual.layers import layers_filled, layers_run

    wide = widened(load_file(WEIGHTS))
    weights = {name: torch.from_numpy(value) for name, value in wide.items()}
    said_layers = layers_filled(below(wide, f"said.{number}.") for number in range(2)).eval()
    reply_layers = layers_filled(below(wide, f"reply.{number}.") for number in range(3)).eval()
    lines = ["hey", "Hi! What's new?", "my goldfish jumped out"]
    trunk = [torch.from_numpy(one.hidden[0]) for one in encoder().encode(lines, heads=("trunk",))]
    hidden, kinds = torch.cat(trunk)[None], torch.tensor([[2 - at for at, part in enumerate(trunk) for _ in part]])
    there = torch.ones_like(kinds, dtype=torch.bool)
    with torch.inference_mode():
        states = layers_run(said_layers, hidden + weights["kinds.weight"][kinds], there)[0]
        both = torch.cat([states[-len(trunk[-1]) :].mean(0), states.mean(0)])
        expected = normalize(linear(both, weights["said_out.weight"], weights["said_out.bias"]), dim=0).numpy()
        answer = layers_run(reply_layers, trunk[1][None], torch.ones((1, len(trunk[1])), dtype=torch.bool))[0].mean(0)
        reply = normalize(linear(answer, weights["reply_out.weight"], weights["reply_out.bias"]), dim=0).numpy()
    assert said(tower, *lines) @ expected > 0.995, "the layers' products run in 8 bits"
    assert tower.replies([lines[1]])[0] @ reply > 0.995


def test_the_message_is_read_by_itself_too(tower: NextTurn) -> None:
    together, alone = asyncio.run(tower.said(("we lost the final", "Oh no. By much?", "just one goal")))
    expected = said(tower, "just one goal")
    assert alone @ expected > 0.98 > together @ expected


def test_lines_from_long_ago_are_not_read(tower: NextTurn) -> None:
    lines = [f"line number {number}" for number in range(BEFORE + 1)]
    assert np.allclose(said(tower, "long ago", *lines), said(tower, *lines), atol=1e-4)


@pytest.mark.parametrize("text", ["", "ok", "é" * 3000, "🤗" * 500, "\u0301" * 400, "a\x00b"])
def test_any_text_has_a_vector_of_unit_length(tower: NextTurn, text: str) -> None:
    assert abs(float(np.linalg.norm(said(tower, text))) - 1) < 1e-3
    assert abs(float(np.linalg.norm(tower.replies([text])[0])) - 1) < 1e-3


@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_without_its_weights_it_says_which_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "next_turn.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EncoderError, match=r"next_turn\.safetensors"):
        NextTurn(path=path).weights()


def test_a_conversation_stands_on_one_side() -> None:
    parts = [part_of(f"talk {number}") for number in range(4000)]
    assert 0.03 < parts.count("held") / len(parts) < 0.07
    assert part_of("talk 7") == part_of("talk 7")
