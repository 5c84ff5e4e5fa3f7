from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chatbot.core.encoder import (
    TRUNK,
    EncoderError,
    encode,
    encode_async,
    encode_many_async,
    encoder,
    model_directory,
    tails,
)
from chatbot.core.encoder.english import english_opened, mean_pooled
from chatbot.core.encoder.files import files_checked
from chatbot.core.encoder.model import OVERLAP, WINDOW, TrunkModel, groups_of, windows_of
from chatbot.core.encoder.multilingual import multilingual
from chatbot.core.encoder.service import Encoder
from chatbot.core.encoder.tails import Tails

TEXTS = [
    "hello there",
    "olá, tudo bem com você?",
    "",
    "a longer sentence about a test tomorrow, with many more words " * 3,
]


@pytest.fixture(scope="module")
def loaded() -> Iterator[Encoder]:
    made = Encoder()
    made.warm()
    yield made
    made.close()


@pytest.fixture(scope="module")
def model() -> TrunkModel:
    return TrunkModel(english_opened())


@functools.cache
def of_its_authors() -> Any:
    from transformers import AutoModel

    return AutoModel.from_pretrained(str(model_directory()), local_files_only=True, use_safetensors=True).eval()


def whole(model: TrunkModel, text: str) -> Any:
    """The plain model with mean pooling, as its authors use it."""
    import torch

    ids = torch.tensor([[model.begin, *model.tokenizer.encode(text, add_special_tokens=False).ids, model.end]])
    with torch.inference_mode():
        hidden = of_its_authors()(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    return mean_pooled(hidden, torch.ones_like(ids, dtype=torch.bool)).numpy()[0]


def test_nothing_heavy_is_imported_before_the_first_text() -> None:
    code = (
        "import sys\n"
        "from chatbot.core.encoder import encoder\n"
        "encoder()\n"
        "assert not {'torch', 'transformers', 'django'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_trunk_and_head_give_the_vector_of_the_whole_model(loaded: Encoder, model: TrunkModel) -> None:
    for text, found in zip(TEXTS, loaded.encode(TEXTS), strict=True):
        assert np.abs(found.array - whole(model, text)).max() < 1e-5


def test_a_vector_is_of_unit_length_and_does_not_depend_on_its_company(loaded: Encoder) -> None:
    alone = loaded.encode(["hello there"])[0]
    among = loaded.encode(["hello there", *TEXTS * 10])[0]
    assert np.abs(alone.array - among.array).max() < 1e-5
    assert abs(float(np.linalg.norm(alone.array)) - 1) < 1e-5
    assert len(alone.vector) == 384
    assert isinstance(alone.vector[0], float)


def test_close_meanings_are_closer_than_far_ones(loaded: Encoder) -> None:
    dog, puppy, exam = loaded.encode(["my dog is funny", "the puppy makes me laugh", "i have an exam tomorrow"])
    assert dog.array @ puppy.array > dog.array @ exam.array + 0.2


def test_a_long_text_is_read_to_its_end(loaded: Encoder) -> None:
    start = "we talked about the garden and the weather " * 60
    plain, ended = loaded.encode([start, start + " then the dragon ate the spaceship " * 60])
    assert len(plain.hidden) < len(ended.hidden)
    assert plain.array @ ended.array < 0.99
    assert abs(float(np.linalg.norm(ended.array)) - 1) < 1e-5


def test_windows_share_their_edges_and_leave_nothing_out() -> None:
    ids = list(range(1000, 1700))
    windows = windows_of(ids, begin=1, end=2)
    assert all(len(window) <= WINDOW and window[0] == 1 and window[-1] == 2 for window in windows)
    assert {token for window in windows for token in window[1:-1]} == set(ids)
    assert windows[0][-1 - OVERLAP : -1] == windows[1][1 : 1 + OVERLAP]


@pytest.mark.parametrize("count", [0, 1, 253, 254, 255, 476, 477])
def test_a_text_at_the_edge_of_a_window_is_cut_right(count: int) -> None:
    windows = windows_of(list(range(count)), begin=-1, end=-2)
    assert {token for window in windows for token in window[1:-1]} == set(range(count))
    assert len(windows) == (1 if count <= 254 else 2 if count <= 476 else 3)


def test_batches_hold_each_text_once_and_at_most_half_padding() -> None:
    lengths = [5, 200, 6, 7, 250, 5, 90] * 9
    groups = groups_of(lengths)
    assert sorted(at for group in groups for at in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) <= 32
        assert max(lengths[at] for at in group) * len(group) <= 2 * sum(lengths[at] for at in group)


def test_another_head_stands_on_the_same_trunk(loaded: Encoder) -> None:
    loaded.head_ensure("first-token", lambda: lambda hidden, mask: hidden[:, 0, :3])
    loaded.head_ensure("first-token", lambda: lambda hidden, mask: hidden)  # there is one
    found = loaded.encode(["hello there"], heads=("first-token",))[0]
    assert found.outputs["first-token"].shape == (1, 3)
    assert np.allclose(found.outputs["first-token"][0], found.hidden[0][0, :3])
    with pytest.raises(ValueError, match="sentence"):
        loaded.head_ensure("sentence", lambda: lambda hidden, mask: hidden)


def test_an_unknown_head_fails_its_asker_only(loaded: Encoder) -> None:
    with pytest.raises(KeyError):
        loaded.encode(["hello"], heads=("nobody",))
    assert loaded.encode(["hello"])[0].array.shape == (384,)


def test_many_threads_share_it(loaded: Encoder) -> None:
    wanted = loaded.encode(["hello there"])[0].array
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(loaded.encode(["hello there"])[0].array)) for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert max(float(np.abs(one - wanted).max()) for one in found) < 1e-5


async def test_it_can_be_awaited_and_a_cancelled_wait_harms_nobody() -> None:
    task = asyncio.ensure_future(encode_async("never mind"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    one, (first, second) = await encode_async("hello there"), await encode_many_async(["hello there", "bye"])
    assert np.abs(one.array - first.array).max() < 1e-5
    assert float(first.array @ second.array) < 0.99


def test_the_process_has_one_encoder() -> None:
    assert encoder() is encoder()
    assert len(encode(["a", "b"])) == 2


def test_a_closed_encoder_says_so_and_closing_twice_is_fine() -> None:
    made = Encoder()
    made.close()
    made.close()
    with pytest.raises(EncoderError, match="closed"):
        made.encode(["hello"])


def test_missing_files_are_named(tmp_path: Path) -> None:
    made = Encoder(lambda: english_opened(tmp_path))
    for _ in range(2):
        with pytest.raises(EncoderError, match=r"model\.safetensors is missing"):
            made.encode(["hello"])
    made.close()


def test_other_weights_than_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(EncoderError, match="not the pinned one"):
        files_checked(tmp_path)


def test_a_broken_model_is_the_same_news(tmp_path: Path) -> None:
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"{}")
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    made = Encoder(lambda: english_opened(tmp_path, sha256=digest))
    with pytest.raises(EncoderError, match="can't be loaded"):
        made.encode(["hello"])
    made.close()


class _Panic(BaseException):
    """What a library written in another language raises when it gives up."""


def test_a_panic_in_the_thread_is_told_and_the_next_text_is_read() -> None:
    made = Encoder()
    made.head_ensure("panics", lambda: _panics)
    with pytest.raises(EncoderError, match="_Panic"):
        made.encode(["hello"], heads=("panics",))
    assert made.encode(["hello"])[0].array.shape == (384,)
    made.close()


def _panics(hidden: Any, mask: Any) -> Any:
    raise _Panic


def test_a_sign_that_stands_for_a_sentence_costs_no_more_than_others(loaded: Encoder) -> None:
    (found,) = multilingual().encode(["\ufdfa" * 1000], heads=(TRUNK,))
    assert sum(len(hidden) for hidden in found.hidden) < 1300


def test_what_is_kept_of_a_text_holds_nothing_of_its_batch_and_goes_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, now = Tails(), 1000.0
    monkeypatch.setattr(tails.time, "monotonic", lambda: now)
    encoded = encode(["a line that is read beside others"] * 3)[0]
    assert kept.keep("a line", encoded).base is None
    assert kept.find("a line") is not None
    now += Tails.SECONDS + 1
    kept.expire()
    assert not kept._kept
