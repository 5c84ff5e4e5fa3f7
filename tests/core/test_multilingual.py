"""The encoder for four languages: where tokens stand, long and odd texts, and files that are not what was pinned."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from chatbot.core.encoder import TRUNK, EncoderError
from chatbot.core.encoder.multilingual import FOLDER, LAYERS, TOKENIZER, WORDS, multilingual, multilingual_opened


@pytest.mark.parametrize(
    "text",
    [
        "mano, a Íris e o Zé amam pão de queijo 😭",
        "j'ai arrêté le judo, c'était l'enfer",
        "¿qué onda?   llevo    años   sin dormir",
        "TEAL owns my heart tbh",
    ],
)
def test_each_token_stands_where_its_letters_do(text: str) -> None:
    encoded = multilingual().encode([text], heads=(TRUNK,))[0]
    (places,) = encoded.places
    assert encoded.hidden[0].shape == (len(places), 384)
    letters = "".join(text[start:end] for start, end in places)
    assert letters == "".join(text.split())
    assert all(not text[start:end].startswith(" ") for start, end in places)


def test_a_batch_reads_each_text_as_alone() -> None:
    texts = ["oi", "my dog ate the whole cake and looked proud of it", "mañana examen", "t'inquiète"]
    together = multilingual().encode(texts, heads=(TRUNK,))
    for text, found in zip(texts, together, strict=True):
        alone = multilingual().encode([text], heads=(TRUNK,))[0]
        assert alone.places == found.places
        cosine = (alone.hidden[0] * found.hidden[0]).sum(1) / (
            np.linalg.norm(alone.hidden[0], axis=1) * np.linalg.norm(found.hidden[0], axis=1)
        )
        assert cosine.min() > 0.9999


def test_the_same_words_in_two_languages_lie_nearer_than_others_in_one() -> None:
    def mean(text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        vector = multilingual().encode([text], heads=(TRUNK,))[0].hidden[0].mean(0)
        return vector / np.linalg.norm(vector)

    dog, perro, rain = mean("my dog is called Rex"), mean("mi perro se llama Rex"), mean("it rains all week here")
    assert dog @ perro > dog @ rain


@pytest.mark.parametrize("text", ["", " ", "\u200b\u200b", "🙂" * 3000, "ب" * 5000, "a" * 20_000, "\x00", "\ud800"])
def test_odd_texts_are_read_or_empty_and_break_nothing(text: str) -> None:
    encoded = multilingual().encode([text], heads=(TRUNK,))[0]
    assert [len(hidden) for hidden in encoded.hidden] == [len(places) for places in encoded.places]
    assert all(len(hidden) <= 256 for hidden in encoded.hidden)
    assert all(np.isfinite(hidden).all() for hidden in encoded.hidden)


def _cut(folder: Path) -> None:
    path = folder / WORDS
    path.write_bytes(path.read_bytes()[:-1000])


def _missing(folder: Path) -> None:
    (folder / LAYERS).unlink()


def _other(folder: Path) -> None:
    (folder / TOKENIZER).write_text("{}", encoding="utf-8")


@pytest.mark.parametrize("breaking", [_cut, _missing, _other])
def test_files_that_are_not_the_pinned_ones_are_named(tmp_path: Path, breaking: Callable[[Path], None]) -> None:
    for name in (TOKENIZER, WORDS, LAYERS):
        shutil.copy(FOLDER / name, tmp_path / name)
    breaking(tmp_path)
    with pytest.raises(EncoderError, match="The files of the encoder for four languages can't be read"):
        multilingual_opened(tmp_path)
