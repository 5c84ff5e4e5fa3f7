"""The classifier's upper layers as a joined head of the shared encoder: they run in its thread, on what the trunk gave
for the text that is judged and for what came before it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final

from moderation.detectors.classifier.weights import Weights

NAME: Final = "moderation"
SIZE: Final = 384
LAYERS: Final = 3
JUDGED: Final = 0  # kinds of parts
EARLIER: Final = 1


class UpperLayers:
    """Mean and maximum over what is judged and over all that was read, (runs, 1536). Opened on first use, in the
    encoder's thread; raises what opening raises, each time."""

    def __init__(self, weights: Callable[[], Weights]) -> None:
        self._weights = weights
        self._layers: list[Any] | None = None
        self._kinds: Any = None

    def __call__(self, hidden: Any, kinds: Any, mask: Any) -> Any:
        import torch

        from chatbot.core.encoder.model import layers_run

        if self._layers is None:
            weights = self._weights()
            self._kinds = torch.from_numpy(weights.dense["kinds.weight"])
            self._layers = _layers_built(weights)
        hidden = layers_run(self._layers, hidden + self._kinds[kinds], mask)
        found = []
        for chosen in (mask & (kinds == JUDGED), mask):
            real = chosen.unsqueeze(-1)
            found.append((hidden * real).sum(1) / real.sum(1).clamp(min=1))
            found.append(hidden.masked_fill(~real, -1e4).amax(1))
        return torch.cat(found, dim=1)


def _layers_built(weights: Weights) -> list[Any]:
    import torch
    from transformers import BertConfig
    from transformers.models.bert.modeling_bert import BertLayer

    from chatbot.core.encoder.model import Layer

    config = BertConfig(hidden_size=SIZE, num_attention_heads=12, intermediate_size=4 * SIZE)
    config._attn_implementation = "sdpa"
    built: list[Any] = []
    for number in range(LAYERS):
        layer = BertLayer(config).eval().requires_grad_(False)
        prefix = f"{number}."
        own = {name.removeprefix(prefix): value for name, value in weights.layers.items() if name.startswith(prefix)}
        layer.load_state_dict({name: torch.from_numpy(value) for name, value in own.items()})
        built.append(_quick(Layer(layer)))
    return built


def _quick(layer: Any) -> Any:
    """The layer with its products in 8 bits, as the weights ship: half the time. As it was where the processor has no
    such product."""
    import torch

    if torch.backends.quantized.engine in {"x86", "fbgemm", "onednn"}:
        for name in ("mixed", "out", "inner", "outer"):
            setattr(layer, name, _Product8(getattr(layer, name)))
    return layer


class _Product8:
    """A linear layer on 8-bit weights, one scale a row; what comes in is brought to 8 bits by its own range."""

    def __init__(self, given: Any) -> None:
        import torch

        weight = given.weight.t().contiguous()
        scales = (weight.abs().amax(1) / 127).clamp(min=1e-8).double()
        zeros = torch.zeros(len(scales), dtype=torch.long)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch announces another way of writing this
            whole = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
            self.packed = torch.ops.quantized.linear_prepack(whole, given.bias)

    def __call__(self, flat: Any) -> Any:
        import torch

        return torch.ops.quantized.linear_dynamic(flat, self.packed, reduce_range=False)
