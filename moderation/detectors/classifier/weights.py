"""The committed weights: layers in 8 bits, pieces of words in 4, checked by hash before they are opened."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chatbot.core.encoder.eight import SCALE, widened
from chatbot.core.encoder.four import BLOCK
from moderation.detectors.classifier.grams import BUCKETS
from moderation.detectors.classifier.outputs import AT, OUTPUTS

FOLDER: Final = Path(__file__).parent
SETTINGS: Final = FOLDER / "classifier.yaml"
GRAMS: Final = "grams.weight"

Floats = npt.NDArray[np.float32]


class WeightsError(Exception):
    """The classifier can't be used. The sentence says which file, what is wrong and what to do."""


class Cut(BaseModel):
    """One output: its logit times `slope` plus `shift` is the score's logit, so that 0.5 is where it is acted on."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    slope: Annotated[float, Field(gt=0)]
    shift: float


class Settings(BaseModel):
    """classifier.yaml: which file, and where each output cuts. Written by training/moderation/thresholds.py."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    file: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    made_on: str
    head: Literal["moderation"] = "moderation"
    unsure: Annotated[float, Field(gt=0, le=0.5)]  # the score of message/any from which a message is not called fine
    cuts: dict[str, Cut]

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        wrong = sorted(set(self.cuts) ^ set(OUTPUTS))
        if wrong:
            raise ValueError(f"cuts: {wrong[0]} is {'missing' if wrong[0] in AT else 'no output'}")
        return self


@dataclass(frozen=True, eq=False)
class Weights:
    """Everything of the file, opened. layers: the upper layers by their name in the encoder; dense: the rest."""

    layers: Mapping[str, Floats]
    dense: Mapping[str, Floats]
    grams: npt.NDArray[np.uint8]  # (places, blocks, 16), two numbers in each
    gram_scales: npt.NDArray[np.float16]  # (places, blocks)


def settings_read(path: Path = SETTINGS) -> Settings:
    """Raises WeightsError."""
    try:
        return Settings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WeightsError(
            f"{path.name}: {where or 'the file'}: {first['msg']}. Take the released file again."
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WeightsError(f"{path.name} can't be read: {error}. Take the released file again.") from None


def weights_read(settings: Settings, folder: Path = FOLDER) -> Weights:
    """Raises WeightsError; a file that was cut short or is another one is never opened."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = folder / settings.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"The classifier's {settings.file} can't be read: {error.strerror}.") from None
    found = hashlib.sha256(content).hexdigest()
    if found != settings.sha256:
        raise WeightsError(
            f"The classifier's {settings.file} is not the pinned one ({len(content)} bytes, sha256 {found}, expected "
            f"{settings.sha256}): it was cut short or replaced. Take the released file again."
        )
    try:
        raw = load(content)
        return _opened(raw)
    except (SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(f"The classifier's {settings.file} has not the expected content: {error}.") from None


def _opened(raw: Mapping[str, npt.NDArray[np.generic]]) -> Weights:
    full = widened(raw, leave=GRAMS)
    layers = {name.removeprefix("layers."): value for name, value in full.items() if name.startswith("layers.")}
    dense = {name: value for name, value in full.items() if not name.startswith("layers.")}
    if dense["out.weight"].shape[0] != len(OUTPUTS) or dense["direct.weight"].shape[0] != len(OUTPUTS):
        raise ValueError(f"{dense['out.weight'].shape[0]} outputs, expected {len(OUTPUTS)}")
    grams, scales = raw[GRAMS], raw[f"{GRAMS}{SCALE}"]
    if grams.dtype != np.uint8 or grams.shape != (BUCKETS, *scales.shape[1:], BLOCK // 2):
        raise ValueError(f"pieces of words as {grams.dtype} {grams.shape}")
    return Weights(layers, dense, grams.astype(np.uint8, copy=False), scales.astype(np.float16, copy=False))
