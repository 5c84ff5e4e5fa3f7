"""What is counted of the bank's sentences before one can be found: their words' feelings, letters and weights. It takes
a second a language, so beside a cache it is kept there, for as long as the sentences and what counts them stay."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from companion import folding
from companion import words as words_module
from companion.engines.embedded import lexical
from companion.engines.embedded.lexical import Letters, letters_of
from companion.engines.embedded.stored import arrays_read, arrays_write
from companion.types import Language
from companion.words import feeling_of, is_grave, words_of

NAMED: Final = ("names", "known")  # lists of words; the others are arrays
WORDS: Final = Path(words_module.__file__).with_name("words.yaml")


@dataclass(frozen=True)
class Counted:
    """feelings, grave: of each sentence. known: every word that stands in one."""

    feelings: npt.NDArray[np.int8]
    grave: npt.NDArray[np.bool_]
    known: tuple[str, ...]
    letters: Letters


def counted_of(texts: Sequence[str], language: Language, directory: Path | None) -> Counted:
    """directory: where it is kept; None: nowhere."""
    if directory is None:
        return _counted(texts, language)
    path, key = directory / f"counted-{language}.npz", _key(texts)
    found = _read(path, key)
    if found is None:
        found = _counted(texts, language)
        _write(path, key, found)
    return found


def _counted(texts: Sequence[str], language: Language) -> Counted:
    words = [words_of(text, language) for text in texts]
    return Counted(
        feelings=np.array([feeling_of(each, language) for each in words], dtype=np.int8),
        grave=np.array([is_grave(each, language) for each in words], dtype=bool),
        known=tuple(dict.fromkeys(word for each in words for word in each)),
        letters=letters_of(words, language),
    )


@functools.cache
def _counters() -> bytes:
    """Changes with whatever counts."""
    files = (__file__, lexical.__file__, words_module.__file__, folding.__file__, WORDS)
    return b"".join(hashlib.sha256(Path(file).read_bytes()).digest() for file in files)


def _key(texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    digest = hashlib.sha256(_counters() + "\0".join(texts).encode()).digest()
    return np.frombuffer(digest, dtype=np.uint8)


_LETTERS: Final = tuple(field.name for field in fields(Letters))
_STORED: Final = ("key", "feelings", "grave", "known", *_LETTERS)


def _read(path: Path, key: npt.NDArray[np.uint8]) -> Counted | None:
    stored = arrays_read(path, _STORED)
    if stored is None or not np.array_equal(stored[0], key):
        return None
    given: dict[str, Any] = dict(zip(_STORED[1:], stored[1:], strict=True))
    for name in NAMED:
        given[name] = tuple(filter(None, given[name].tobytes().decode().split("\n")))
    letters = Letters(**{name: given.pop(name) for name in _LETTERS})
    return Counted(**given, letters=letters)


def _write(path: Path, key: npt.NDArray[np.uint8], found: Counted) -> None:
    given: dict[str, Any] = dict(zip(_LETTERS, (getattr(found.letters, name) for name in _LETTERS), strict=True))
    given |= {"feelings": found.feelings, "grave": found.grave, "known": found.known}
    for name in NAMED:
        given[name] = np.frombuffer("\n".join(given[name]).encode(), dtype=np.uint8)
    arrays_write(path, key=key, **given)
