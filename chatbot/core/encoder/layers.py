"""One layer of the encoder in plain torch, from weights by their names in the model's file. The library's own module
does the same arithmetic in more calls, and importing it takes longer than loading the model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

HEADS: Final = 12
EPSILON: Final = 1e-12

Product = Callable[[Any], Any]  # (rows, inputs) to (rows, outputs)
Made = Callable[[Sequence[Any], Sequence[Any]], Product]  # from weights (outputs, inputs) and biases, side by side


class Product32:
    """Linear layers side by side, as one product and a bias, with the weights as the product reads them (a third less
    time for a sentence)."""

    def __init__(self, weights: Sequence[Any], biases: Sequence[Any]) -> None:
        import torch

        self.weight = torch.cat(list(weights)).t().contiguous()
        self.bias = torch.cat(list(biases))

    def __call__(self, flat: Any) -> Any:
        import torch

        return torch.addmm(self.bias, flat, self.weight)


class Product8:
    """The same on 8-bit weights, one scale a row; what comes in is brought to 8 bits by its own range."""

    def __init__(self, weights: Sequence[Any], biases: Sequence[Any]) -> None:
        import torch

        weight = torch.cat(list(weights))
        scales = (weight.abs().amax(1) / 127).clamp(min=1e-8).double()
        zeros = torch.zeros(len(scales), dtype=torch.long)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch announces another way of writing this
            whole = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
            self.packed = torch.ops.quantized.linear_prepack(whole, torch.cat(list(biases)))

    def __call__(self, flat: Any) -> Any:
        import torch

        return torch.ops.quantized.linear_dynamic(flat, self.packed, reduce_range=False)


def quick() -> Made:
    """For weights that ship in 8 bits: half the time, where the processor has such a product."""
    import torch

    return Product8 if torch.backends.quantized.engine in {"x86", "fbgemm", "onednn"} else Product32


class Layer:
    """weights: of one layer, by their names below `encoder.layer.N.` of the model's file. Raises KeyError."""

    def __init__(self, weights: Mapping[str, Any], *, made: Made = Product32) -> None:
        def linear(*names: str) -> Product:
            return made([weights[f"{name}.weight"] for name in names], [weights[f"{name}.bias"] for name in names])

        self.mixed = linear("attention.self.query", "attention.self.key", "attention.self.value")
        self.out = linear("attention.output.dense")
        self.inner, self.outer = linear("intermediate.dense"), linear("output.dense")
        self.norms = [norm_of(weights, name) for name in ("attention.output.LayerNorm", "output.LayerNorm")]

    def __call__(self, hidden: Any, attend: Any) -> Any:
        from torch.nn.functional import gelu, layer_norm, scaled_dot_product_attention

        texts, tokens, size = hidden.shape
        flat = hidden.reshape(texts * tokens, size)
        mixed = self.mixed(flat).view(texts, tokens, 3, HEADS, size // HEADS)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(query, key, value, attn_mask=attend)
        flat = layer_norm(self.out(seen.transpose(1, 2).reshape(flat.shape)) + flat, *self.norms[0])
        flat = layer_norm(self.outer(gelu(self.inner(flat))) + flat, *self.norms[1])
        return flat.view(texts, tokens, size)


def norm_of(weights: Mapping[str, Any], name: str) -> tuple[tuple[int, ...], Any, Any, float]:
    """What torch's layer_norm takes beside the states."""
    weight = weights[f"{name}.weight"]
    return tuple(weight.shape), weight, weights[f"{name}.bias"], EPSILON


def layers_of(weights: Mapping[str, Any], count: int, *, prefix: str = "", made: Made = Product32) -> list[Layer]:
    """The first `count` layers under `prefix`. Raises KeyError."""
    return [Layer(below(weights, f"{prefix}{number}."), made=made) for number in range(count)]


def below(weights: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def layers_run(layers: Sequence[Any], hidden: Any, mask: Any) -> Any:
    """Layers one after another; padding is not attended to."""
    attend = None if bool(mask.all()) else mask[:, None, None, :]
    for layer in layers:
        hidden = layer(hidden, attend)
    return hidden
