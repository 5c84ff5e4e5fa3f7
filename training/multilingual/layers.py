"""Layers of multilingual-e5-small as torch's own modules, for training on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import Tensor, nn
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertLayer

from chatbot.core.encoder.four import rows_widened, widened
from chatbot.core.encoder.layers import EPSILON, below
from chatbot.core.encoder.multilingual import FOLDER, LAYERS, TRUNK_LAYERS, WORDS
from training.multilingual.package import SIZE, Package


def layers_new(count: int) -> nn.ModuleList:
    """To be filled."""
    config = BertConfig(hidden_size=SIZE, num_attention_heads=12, intermediate_size=1536)
    config._attn_implementation = "sdpa"
    return nn.ModuleList(BertLayer(config) for _ in range(count))


def layers_filled(states: Iterable[Mapping[str, Any]]) -> nn.ModuleList:
    """Of each layer its weights, in full precision."""
    each = list(states)
    layers = layers_new(len(each))
    for layer, own in zip(layers, each, strict=True):
        layer.load_state_dict({name: torch.from_numpy(value) for name, value in own.items()})
    return layers


def layers_read(path: Path, count: int) -> nn.ModuleList:
    """From a file like that which ships (Package.layers_packed)."""
    wide = widened(load_file(path))
    return layers_filled(below(wide, f"{number}.") for number in range(count))


def layers_above(package: Package, count: int) -> nn.ModuleList:
    """The model's own, above those that ship as they are."""
    return layers_filled(package.layer(TRUNK_LAYERS + number) for number in range(count))


class Trunk(nn.Module):
    """The part that ships (chatbot.core.encoder.multilingual), frozen."""

    def __init__(self) -> None:
        super().__init__()
        words = load_file(FOLDER / WORDS)
        self.words = nn.Embedding.from_pretrained(torch.from_numpy(rows_widened(words["words"], words["words.scale"])))
        self.places = nn.Embedding.from_pretrained(torch.from_numpy(words["places"].astype(np.float32)))
        self.norm = nn.LayerNorm(SIZE, eps=EPSILON)
        norm = {name: torch.from_numpy(words[f"norm.{name}"].astype(np.float32)) for name in ("weight", "bias")}
        self.norm.load_state_dict(norm)
        self.layers = layers_read(FOLDER / LAYERS, TRUNK_LAYERS)
        self.requires_grad_(False)
        self.eval()

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(texts, tokens) to (texts, tokens, 384)."""
        hidden: Tensor = self.norm(self.words(ids) + self.places.weight[: ids.shape[1]])
        return layers_run(self.layers, hidden, mask)


def layers_run(layers: nn.ModuleList, hidden: Tensor, mask: Tensor) -> Tensor:
    """Padding is not attended to."""
    attend = mask[:, None, None, :]
    for layer in layers:
        given: Any = layer(hidden, attend)
        hidden = given[0] if isinstance(given, tuple) else given
    return hidden
