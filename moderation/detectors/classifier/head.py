"""The classifier's upper layers as a joined head of the shared encoder: they run in its thread, on what the trunk gave
for the text that is judged and for what came before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from moderation.detectors.classifier.weights import Weights

NAME: Final = "moderation"
LAYERS: Final = 4
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

        from chatbot.core.encoder.layers import layers_of, layers_run, quick

        if self._layers is None:
            weights = self._weights()
            own = {name: torch.from_numpy(value) for name, value in weights.layers.items()}
            self._layers = layers_of(own, LAYERS, made=quick())
            self._kinds = torch.from_numpy(weights.dense["kinds.weight"])
        hidden = layers_run(self._layers, hidden + self._kinds[kinds], mask)
        found = []
        for chosen in (mask & (kinds == JUDGED), mask):
            real = chosen.unsqueeze(-1)
            found.append((hidden * real).sum(1) / real.sum(1).clamp(min=1))
            found.append(hidden.masked_fill(~real, -1e4).amax(1))
        return torch.cat(found, dim=1)
