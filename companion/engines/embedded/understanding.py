"""What a message is about, what it does and how it feels: three heads on the vector of the pass that the turn makes
anyway, and on the words themselves, which carry most where the encoder knows the language less.

Linear, in 16 bits: one matrix for the vector in all languages (English has most of the rows), one for the next-turn
scorer's vector where it knows the language, and each language's own words. Trained by training/understanding on written
rows; docs/cards/understanding.md has the figures.
"""

from __future__ import annotations

import functools
import io
import itertools
import zlib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np

from chatbot.core.encoder.values import Floats
from companion.pinned import pinned
from companion.types import ABOUTS, DOES, Does, Language
from companion.words import words_of

WEIGHTS: Final = Path(__file__).with_name("understanding.npz")
SHA256: Final = "6546407c0c605e04f644dd35157e93438a2c9849c0a58e766267731525d94b37"
BUCKETS: Final = 1 << 13
FEELINGS: Final = (-2, -1, 0, 1, 2)
HEADS: Final[Mapping[str, int]] = {"about": len(ABOUTS), "does": len(DOES), "feeling": len(FEELINGS)}
EVEN: Final = 0.5  # likelihood from which a message, or its end, does something
WANTS: Final = frozenset[Does](("asks_you", "asks_fact", "asks_advice", "requests"))
LONGEST_SIGNED: Final = 60  # words of a message that are looked at: its end


class UnderstandingError(Exception):
    """The weights are missing or not the pinned ones."""


@dataclass(frozen=True)
class Understood:
    """about, does: a likelihood for each, in the order of ABOUTS and DOES. feeling: -2 awful to 2 thrilled."""

    about: tuple[float, ...]
    does: tuple[float, ...]
    feeling: float

    @property
    def asks(self) -> float:
        """How likely it wants something: to know, to be advised, or that something is done."""
        return self.likely(WANTS)

    def likely(self, some: Set[Does]) -> float:
        """That it does one of these."""
        return sum(likely for does, likely in zip(DOES, self.does, strict=True) if does in some)

    @property
    def reacts(self) -> float:
        return self.does[DOES.index("reacts")]


def signs_of(text: str, language: Language) -> list[int]:
    """The buckets of a message's words, neighbours, parts of words, its ends and its length."""
    words = words_of(text, language)[-LONGEST_SIGNED:]
    signs = [f"w{word}" for word in words]
    signs += [f"p{first} {second}" for first, second in itertools.pairwise(("^", *words, "$"))]
    signs += [f"t{first} {middle} {last}" for first, middle, last in zip(("^", *words), words, words[1:], strict=False)]
    signs += [f"g{gram}" for word in words for gram in _grams(word)]
    signs += [f"^{' '.join(words[:3])}", f"l{min(len(words), 20) // 2}", f"?{'?' in text}", f"!{'!' in text}"]
    return [zlib.crc32(sign.encode()) % BUCKETS for sign in dict.fromkeys(signs)]


def _grams(word: str) -> list[str]:
    edged = f"<{word}>"
    return [edged[start : start + size] for size in (3, 4) for start in range(len(edged) - size + 1)]


class Heads:
    """As one language's messages are understood."""

    def __init__(self, weights: Mapping[str, Floats], language: Language) -> None:
        """Raises UnderstandingError."""
        missing = {"vector", "said", "bias", f"signs.{language}"} - set(weights)
        if missing:
            raise UnderstandingError(f"The companion's heads have no {', '.join(sorted(missing))}.")
        self._language = language
        self._vector, self._said, self._bias = (weights[name] for name in ("vector", "said", "bias"))
        self._signs = weights[f"signs.{language}"]

    def understood(self, text: str, vector: Floats | None, said: Floats | None) -> Understood:
        """vector: 384 floats, that of the sentence. said: as many, the next-turn scorer's. None: without it."""
        signs = signs_of(text, self._language)
        found = self._bias + self._signs[signs].sum(axis=0, dtype=np.float32) / max(len(signs), 1) ** 0.5
        if vector is not None:
            found = found + self._vector @ vector
        if said is not None:
            found = found + self._said @ said
        about, does, feeling = (_likely(part) for part in np.split(found, np.cumsum(list(HEADS.values()))[:-1]))
        return Understood(tuple(about.tolist()), tuple(does.tolist()), float(feeling @ np.asarray(FEELINGS)))


def _likely(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum(), dtype=np.float32)


@functools.cache
def heads_for(language: Language, path: Path = WEIGHTS, sha256: str = SHA256) -> Heads:
    """Raises UnderstandingError."""
    return Heads(_weights(path, sha256), language)


@functools.cache
def _weights(path: Path, sha256: str) -> Mapping[str, Floats]:
    try:
        with np.load(io.BytesIO(pinned(path, sha256)), allow_pickle=False) as stored:
            return {name: stored[name].astype(np.float32) for name in stored.files}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise UnderstandingError(f"The companion's {path.name} can't be read: {error}.") from error
