"""From a text to scores and hits. The reading is the encoder's; spelling, joining and cutting happen here, in numpy."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from chatbot.core.encoder import TRUNK, Encoded, Encoder, EncoderError
from chatbot.core.encoder.four import BLOCK, rows_widened
from chatbot.core.encoder.multilingual import multilingual
from moderation.detectors.classifier.grams import places_of
from moderation.detectors.classifier.head import NAME, UpperLayers
from moderation.detectors.classifier.outputs import AT, LEVELS, OUTPUTS, SEVERITIES
from moderation.detectors.classifier.reading import Reading, Runs, runs_of
from moderation.detectors.classifier.weights import (
    FOLDER,
    SETTINGS,
    Floats,
    Settings,
    Weights,
    WeightsError,
    settings_read,
    weights_read,
)
from moderation.normalise import normalise
from moderation.taxonomy import CATEGORIES
from moderation.types import LEARNED, UNSURE, Hit, Level, Side

log = logging.getLogger(__name__)

ACTED: Final = 0.5
VIOLENCE: Final = frozenset({"T08", "T09", "T15"})
ENOUGH: Final = 4  # words that a text needs before the classifier acts on it; rules answer shorter ones
NAMED: Final = 0.15  # under this a category is no name for what was found
# On a message these never ask for anything; T03 is the rules' alone, and no account is locked by a guess at an age.
_SILENT: Final = frozenset({"T03", "T05", "T24", "T25", "T27", "T29", "under_13"})
_OPEN: Final = ("T05", "T27")  # what looks like harm to many and is none
_LEAST: Final[Mapping[str, int]] = {"T12": 3, "T09": 3, "T30": 4}


@dataclass(frozen=True)
class Opinion:
    """hits: what is acted on; scores: every category and `any`, 0.5 where it begins to be acted on."""

    hits: tuple[Hit, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)


class Classifier:
    """Thread safe; opens its files and joins the encoder on first use.

    DANGER: making one never raises, whatever its files hold, or the house would have no screen and no crisis help. What
    is wrong is kept, and raised as WeightsError by whatever needs the files; `version` says "unusable" then.
    """

    name = "classifier"

    def __init__(self, *, settings: Path = SETTINGS, folder: Path = FOLDER, shared: Encoder | None = None) -> None:
        self.version, self.head = "unusable", NAME
        self._folder = folder
        self._shared = shared
        self._settings: Settings | None = None
        self._weights: Weights | None = None
        self._broken: WeightsError | None = None
        self._lock = threading.Lock()
        try:
            self._settings = settings_read(settings)
        except WeightsError as error:
            self._broken = error
            return
        self.version, self.head = self._settings.version, f"{NAME}-{self._settings.sha256[:12]}"
        cuts = [self._settings.cuts[name] for name in OUTPUTS]
        self._slopes = np.asarray([cut.slope for cut in cuts], np.float32)
        self._shifts = np.asarray([cut.shift for cut in cuts], np.float32)

    def weights(self) -> Weights:
        """Read once; what is wrong with the files is found once too, and not again with every message."""
        with self._lock:
            if self._weights is not None:
                return self._weights
            if self._broken is not None or self._settings is None:
                raise self._broken or WeightsError("The classifier has no settings.")
            try:
                self._weights = weights_read(self._settings, self._folder)
            except WeightsError as error:
                self._broken = error
                raise
            return self._weights

    def encoder(self) -> Encoder:
        """The process's encoder for four languages, with this head on it."""
        found = self._shared or multilingual()
        found.joined_head_ensure(self.head, lambda: UpperLayers(self.weights))
        return found

    async def read_async(self, text: str, before: tuple[str, ...]) -> Reading:
        """Reads in the encoder's thread. Never raises: what couldn't be read is None, and `opinion` raises when it is
        asked."""
        own = self.encoder()
        try:
            new = [line for line in dict.fromkeys(before) if own.tails.find(line) is None]
            encoded, *read = await own.encode_many_async([text, *new], heads=(TRUNK,))
            runs = await own.joined_async(self._runs(text, encoded, before, new, read), head=self.head)
        except Exception as error:  # rules still speak, and the screen tells what failed
            known = isinstance(error, EncoderError | WeightsError)  # another's text may hold words of the message
            log.error("classifier_failed: %s", error if known else type(error).__name__)
            return Reading(text, before)
        return Reading(text, before, tuple(runs))

    def read(self, text: str, before: tuple[str, ...]) -> Reading:
        """Like `read_async`, waiting for it. Raises EncoderError or WeightsError."""
        own = self.encoder()
        new = [line for line in dict.fromkeys(before) if own.tails.find(line) is None]
        encoded, *read = own.encode([text, *new], heads=(TRUNK,))
        runs = own.joined(self._runs(text, encoded, before, new, read), head=self.head)
        return Reading(text, before, tuple(runs))

    def _runs(
        self, text: str, encoded: Encoded, before: Sequence[str], new: Sequence[str], read: Sequence[Encoded]
    ) -> Runs:
        """`before` as found among the kept tails or as just `read`; the text itself is kept for its next turn."""
        fresh = {line: self.encoder().tails.keep(line, one) for line, one in zip(new, read, strict=True)}
        tails = [fresh[line] if line in fresh else self.encoder().tails.find(line) for line in before]
        self.encoder().tails.keep(text, encoded)
        return runs_of(encoded, [tail for tail in tails if tail is not None])

    def opinion(self, reading: Reading, side: Side) -> Opinion:
        """What a reading says. Raises WeightsError, or EncoderError where nothing could be read."""
        if reading.late:
            raise EncoderError("The message was not read in time.")
        if reading.runs is None:
            reading = self.read(reading.text, reading.before)
        unsure = self._settings.unsure if self._settings is not None else ACTED
        return opinion(self._scores(reading), side, reading.text, unsure)

    def _scores(self, reading: Reading) -> Floats:
        """(outputs,): the highest of all runs, cut so that 0.5 is where it is acted on."""
        _, _, logits = self.seen(reading)
        found: Floats = _sigmoid(logits.max(axis=0) * self._slopes + self._shifts)
        return found

    def seen(self, reading: Reading) -> tuple[Floats, Floats, Floats]:
        """(runs, 256) and (1, 32): what the last weights see; (runs, outputs): what they make of it, before any cut."""
        weights = self.weights()
        dense = weights.dense
        read = np.stack(reading.runs or ())
        pooled = _normed(read, dense["read_norm.weight"], dense["read_norm.bias"]) @ dense["read.weight"].T
        bag = self._bag(weights, reading.text)
        spelt = bag @ dense["spelt.weight"].T
        beside = np.zeros_like(spelt)
        if reading.before:
            beside = self._bag(weights, "\n".join(reading.before)) @ dense["spelt_before.weight"].T
        inner = _gelu(pooled + dense["read.bias"] + spelt + beside)
        return inner, bag, inner @ dense["out.weight"].T + dense["out.bias"] + bag @ dense["direct.weight"].T

    def _bag(self, weights: Weights, text: str) -> Floats:
        places = places_of(normalise(text).text)
        if not places.size:
            return np.zeros((1, weights.grams.shape[1] * BLOCK), np.float32)
        rows = rows_widened(weights.grams[places], weights.gram_scales[places])
        total = rows.sum(axis=0, keepdims=True) / np.sqrt(np.float32(places.size))
        found: Floats = _normed(total, weights.dense["gram_norm.weight"], weights.dense["gram_norm.bias"])
        return found


def opinion(scores: Floats, side: Side, text: str, unsure: float = ACTED) -> Opinion:
    """Scores as hits over the whole text. `any` says whether something is acted on, the categories say what it is:
    those over their cut, or the nearest to it. A message that is under it but over `unsure` gets one hit that says so.
    Of a few words nothing is made: they could be the end of anything."""
    said = {name.partition("/")[2]: float(scores[at]) for name, at in AT.items() if name.startswith(f"{side}/")}
    severity = max((rank for rank in SEVERITIES if said[f"severity{rank}"] >= ACTED), default=2)
    hits: list[Hit] = []
    speaks = said["any"] >= ACTED and len(text.split()) >= ENOUGH
    for category in _named(said, side) if speaks else ():
        level = _level(said) if side == "message" and category == "T01" else None
        friend = category == "T01" and level is None and said.get("friend", 0.0) >= ACTED
        hits.append(
            Hit(
                f"{LEARNED}{category}",
                category,
                _severity(category, severity, level, friend=friend),
                level=level,
                about="friend" if friend else None,
                score=round(said[category], 4),
                end=len(text),
            )
        )
    doubtful = side == "message" and said["any"] >= unsure and all(said[name] < ACTED for name in _OPEN)
    if doubtful and not hits and len(text.split()) >= ENOUGH:
        nearest = _nearest(said, side)
        hits.append(Hit(f"{LEARNED}unsure", nearest, UNSURE, score=round(said[nearest], 4), end=len(text)))
    shown = {name: value for name, value in said.items() if name in CATEGORIES}
    return Opinion(tuple(hits), {**shown, "any": said["any"]})


def _named(said: Mapping[str, float], side: Side) -> list[str]:
    over = [category for category in _asking(side) if said[category] >= ACTED]
    nearest = _nearest(said, side)
    over = over or ([nearest] if said[nearest] >= NAMED else [])
    # Violence told, threatened and joined in sound alike: one of them is meant.
    violent = sorted(VIOLENCE & set(over), key=lambda category: -said[category])
    return [category for category in over if category not in violent[1:]]


def _nearest(said: Mapping[str, float], side: Side) -> str:
    return max(_asking(side), key=lambda category: said[category])


def _asking(side: Side) -> list[str]:
    return [category for category in CATEGORIES if side == "reply" or category not in _SILENT]


def _level(said: Mapping[str, float]) -> Level | None:
    return next((level for level in reversed(LEVELS) if said[level] >= ACTED), None)


def _severity(category: str, severity: int, level: Level | None, *, friend: bool) -> int:
    if category == "T01":
        return 2 if friend else 4 if level in {"L3", "L4"} else 3
    return max(severity, _LEAST.get(category, 2))


def _normed(values: Any, weight: Floats, bias: Floats) -> Any:
    mean = values.mean(axis=-1, keepdims=True)
    spread = values.var(axis=-1, keepdims=True)
    return (values - mean) / np.sqrt(spread + 1e-5) * weight + bias


def _gelu(values: Any) -> Any:
    """The exact form, x/2 (1 + erf(x/sqrt 2)), by Abramowitz and Stegun 7.1.26 (error under 2e-7)."""
    x = values / np.sqrt(2.0)
    t = 1.0 / (1.0 + 0.3275911 * np.abs(x))
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.sign(x) * (1.0 - poly * np.exp(-x * x))
    return 0.5 * values * (1.0 + erf)


def _sigmoid(values: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -30, 30)))
