"""Which of the candidates makes the most sense here, and says the most of what was said.

A small net, the same for all languages, that learnt from readers' marks (training/choosing): from how near a candidate
is to the message in every way that the engine knows, from the message, and from what readers said of its line elsewhere
(judged.py). It gives two likelihoods: that the line makes sense, and that it is specific to this place as well
(Adiwardana et al. 2020). The persona and the seed decide between candidates that are about as good.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from chatbot.core.encoder import SIZE, Floats
from companion.engines.embedded.judged import Judged, Place
from companion.pinned import arrays_pinned
from companion.types import ABOUTS, DOES, LANGUAGES, TONES, Language
from companion.words import content_words, feeling_of, words_of

if TYPE_CHECKING:
    from companion.engines.embedded.candidates import Candidate
    from companion.engines.embedded.mind import Turn

WEIGHTS: Final = Path(__file__).with_name("choosing.npz")
SHA256: Final = "2a2aebcbbb6c5bf951883788f05bdd78e80a7111474598295176581acf063aa1"
# The order is the weights'. Steps of the rules that may have chosen a candidate, and acts that its exchange may answer.
STEPS: Final = (
    "first", "told", "lost", "sum", "follow", "act", "moved", "retrieved", "otherwise", "heard", "weak", "blended",
    "greeted", "repair",
)  # fmt: skip
ACTS: Final = (
    "greeting", "farewell", "farewell_night", "thanks", "laugh", "agree", "disagree", "shrug", "not_understood",
    "change_topic", "listening", "sorry", "insult", "compliment", "confused", "are_you_real",
)  # fmt: skip
COMPARED: Final = 3  # of the first numbers: where the candidate stands among the others
CLIPPED: Final = 5.0
SPECIFIC: Final = 0.6  # what being specific counts beside making sense
LEANING: Final = 0.04  # what e times more of the persona counts
DRAWN: Final = 0.1  # how far the seed moves a candidate
USED: Final = 0.15  # taken from an exchange that was used a few turns ago
TIRED: Final = 0.05  # taken from what only listens, for each time that it only listened lately


class WeighingError(Exception):
    """The weights are missing or not the pinned ones."""


class Weigher:
    def __init__(self, weights: Mapping[str, Any]) -> None:
        """Raises WeighingError."""
        try:
            self.judged = Judged(weights, LANGUAGES)
            self._mean, self._spread = (weights[name].astype(np.float32) for name in ("mean", "spread"))
            self._layers = [
                (weights[f"{name}.weight"].astype(np.float32).T, weights[f"{name}.bias"].astype(np.float32))
                for name in ("first", "second", "out", "skip")
            ]
        except KeyError as error:
            raise WeighingError(f"The weights for choosing have no {error}.") from error

    def best(self, turn: Turn, found: Sequence[Candidate]) -> Candidate:
        """found: one at least."""
        likely = self.likely(signs(turn, found, self.judged))
        values = [
            float(sensible + SPECIFIC * specific) + _leaning(turn, one)
            for one, (sensible, specific) in zip(found, likely, strict=True)
        ]
        return max(zip(values, found, strict=True), key=lambda each: (each[0], each[1].pick.chosen.line.id))[1]

    def likely(self, given: Floats) -> Floats:
        """(candidates, 2): that each makes sense, that it is specific too. given: what `signs` gave."""
        seen = np.clip((given - self._mean) / self._spread, -CLIPPED, CLIPPED)
        (first, to_first), (second, to_second), (out, to_out), (skip, to_skip) = self._layers
        inner = np.maximum(seen @ first + to_first, 0)
        inner = np.maximum(inner @ second + to_second, 0)
        found = inner @ out + to_out + seen @ skip + to_skip
        return np.asarray(1 / (1 + np.exp(-found)), dtype=np.float32)


def _leaning(turn: Turn, one: Candidate) -> float:
    line = one.pick.chosen.line
    digest = hashlib.blake2b(f"{turn.prompt.seed}:{line.id}".encode(), digest_size=8).digest()
    drawn = DRAWN * int.from_bytes(digest) / 2**64
    used = USED if one.pick.exchange.id in turn.talk.lately and one.pick.exchange.act is None else 0.0
    tired = TIRED * turn.talk.listened_lately if one.pick.exchange.act == "listening" and not turn.heavy else 0.0
    return LEANING * math.log(turn.chooser.leaning(one.pick.chosen)) + drawn - used - tired


def place_of(turn: Turn, at: int = -1) -> Place:
    understood = turn.reading.understood
    does = np.zeros(len(DOES)) if understood is None else np.asarray(understood.does)
    vector = turn.reading.likeness[0].query.vector
    held = np.zeros(SIZE, np.float32) if vector is None else vector
    return Place(turn.prompt.language, does.astype(np.float32), held, at)


def signs(turn: Turn, found: Sequence[Candidate], judged: Judged, *, at: int = -1) -> Floats:
    """(candidates, numbers). at: the judged place that this is, in training."""
    shared = _of_message(turn)
    likes = _likes(turn, found)
    own = np.array([_of_candidate(turn, one, *likes[one.pick.exchange.id]) for one in found], np.float32)
    near = own[:, :COMPARED]
    behind = near - near.max(axis=0)
    rank = (-near).argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") / len(found)
    marked = judged.at(place_of(turn, at))
    said = np.array([marked.of(one.pick.chosen.line, one.pick.exchange) for one in found], np.float32)
    return np.concatenate([own, behind, rank, np.tile(shared, (len(found), 1)), said], axis=1, dtype=np.float32)


def _likes(turn: Turn, found: Sequence[Candidate]) -> dict[str, tuple[float, float]]:
    """By exchange: how near what it answers is to any part of the message, and to the whole of it."""
    exchanges = {one.pick.exchange.id: one.pick.exchange for one in found}
    near = {own: (0.0, 0.0) for own in exchanges}
    said = [exchange for exchange in exchanges.values() if exchange.said]
    for at, likeness in enumerate(turn.reading.likeness):
        for hit in turn.index.among(likeness, said):
            most, whole = near[hit.exchange.id]
            near[hit.exchange.id] = (max(most, hit.score), whole if at else hit.score)
    return near


@functools.lru_cache(maxsize=1 << 14)
def _words(text: str, language: Language) -> tuple[frozenset[str], int]:
    """Its content words, and how it feels."""
    words = words_of(text, language)
    return frozenset(content_words(words, language)), feeling_of(words, language)


def _of_candidate(turn: Turn, one: Candidate, most: float, whole: float) -> list[float]:
    line, exchange, index = one.pick.chosen.line, one.pick.exchange, turn.index
    text, language = one.pick.chosen.text, turn.prompt.language
    understood, pending = turn.reading.understood, turn.talk.pending
    about = exchange.about if exchange.about != "anything" else None
    content, feeling = _words(text, language)
    shared = content.intersection(turn.content)
    return [
        most,
        whole,
        turn.fit(line.id),
        bool(shared),
        len(shared) / max(1, len(turn.content)),
        understood.about[ABOUTS.index(about)] if understood is not None and about is not None else 0.0,
        understood.does[DOES.index(exchange.hears)] if understood is not None and exchange.hears is not None else 0.0,
        about is not None,
        exchange.about == "anything",
        exchange.hears is not None,
        "?" in text,
        text.count("?") > 1,
        len(text) / 100,
        bool(line.slots),
        "quote" in line.slots,
        "thing" in line.slots,
        feeling,
        index.side(exchange),
        exchange.situation == turn.talk.situation,
        exchange.act is not None,
        "/otherwise" in line.id,
        "/then" in line.id,
        pending is not None and exchange in pending.then,
        pending is not None and pending.id == exchange.id,
        *(line.tone == tone for tone in TONES),
        *(exchange.act == act for act in ACTS),
        exchange.act is not None and any(act.name == exchange.act for act in turn.reading.acts),
        exchange.persona is not None,
        *(one.step == step for step in STEPS),
    ]


def _of_message(turn: Turn) -> Floats:
    understood, reading, talk = turn.reading.understood, turn.reading, turn.talk
    heads = (*understood.about, *understood.does, understood.feeling, understood.asks) if understood is not None else ()
    values: list[float] = [
        turn.feeling,
        turn.heavy,
        turn.prompt.low,
        talk.turns == 0,
        min(talk.turns, 6) / 6,
        talk.asked > 0,
        talk.pending is not None,
        reading.asks,
        turn.names_companion,
        "?" in turn.prompt.text,
        min(len(reading.words), 20) / 20,
        len(turn.content) / 10,
        *(turn.prompt.language == language for language in LANGUAGES),
        *(heads or itertools.repeat(0.0, len(ABOUTS) + len(DOES) + 2)),
    ]
    return np.array(values, np.float32)


@functools.cache
def weigher(path: Path = WEIGHTS, sha256: str = SHA256) -> Weigher:
    """Raises WeighingError."""
    try:
        return Weigher(arrays_pinned(path, sha256))
    except (OSError, ValueError) as error:
        raise WeighingError(f"The companion's {path.name} can't be read: {error}.") from error
