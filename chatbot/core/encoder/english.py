"""all-MiniLM-L6-v2 (Reimers and Gurevych 2019, arXiv:1908.10084; Apache-2.0), opened: three layers are the trunk, its
other three and the mean of the tokens the head `sentence`. It was made for English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from chatbot.core.encoder.errors import EncoderError
from chatbot.core.encoder.files import MODEL_SHA256, WEIGHTS, files_checked, model_directory
from chatbot.core.encoder.layers import below, layers_of, layers_run, norm_of
from chatbot.core.encoder.model import Opened

LAYERS: Final = 6
TRUNK_LAYERS: Final = 3


def english_opened(directory: Path | None = None, *, sha256: str = MODEL_SHA256) -> Opened:
    """By default the installed package's. Raises EncoderError that says what is wrong with the files."""
    directory = files_checked(directory or model_directory(), sha256=sha256)
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    try:
        weights = load_file(directory / WEIGHTS)
        # DANGER: this file asks for padding to 128 and cuts at 128; both off, or long messages lose their end.
        tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        layers = layers_of(weights, LAYERS, prefix="encoder.layer.")
        embedded = Embeddings(below(weights, "embeddings."))
    except Exception as error:  # whatever a broken file provokes is the same news for the operator
        raise EncoderError(f"The sentence encoder in {directory} can't be loaded: {error}") from error
    upper = UpperLayers(layers[TRUNK_LAYERS:])
    return Opened(tokenizer, ("[CLS]", "[SEP]", "[PAD]"), embedded, layers[:TRUNK_LAYERS], upper)


class Embeddings:
    """Word, position and kind of text (there is only one), and their norm."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self.words = weights["word_embeddings.weight"]
        self.places = weights["position_embeddings.weight"] + weights["token_type_embeddings.weight"][0]
        self.norm = norm_of(weights, "LayerNorm")

    def __call__(self, ids: Any) -> Any:
        from torch.nn.functional import layer_norm

        return layer_norm(self.words[ids] + self.places[: ids.shape[1]], *self.norm)


class UpperLayers:
    """The head `sentence`: the model's own upper layers and mean pooling."""

    def __init__(self, layers: Sequence[Any]) -> None:
        self.layers = layers

    def __call__(self, hidden: Any, mask: Any) -> Any:
        return mean_pooled(layers_run(self.layers, hidden, mask), mask)


def mean_pooled(hidden: Any, mask: Any) -> Any:
    """The mean of the real tokens, at unit length: what the model was trained for."""
    import torch

    weights = mask.unsqueeze(-1).to(hidden.dtype)
    pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(pooled, p=2, dim=1)
