"""What is trained: the encoder's upper layers and pieces of words, joined, one probability for each output.

The trunk below stays as it is, frozen: at run time it is shared with everybody else who reads the message. It reads
each text alone; the upper layers read the text that is judged together with what came before it. What runs then, in
numpy and on the shared trunk, is moderation.detectors.classifier; a test holds the two against each other.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from moderation.detectors.classifier.grams import BUCKETS
from moderation.detectors.classifier.outputs import OUTPUTS
from training.multilingual.layers import layers_run

SIZE: Final = 384
GRAM_SIZE: Final = 32
INNER: Final = 256
KINDS: Final = 2  # 0: what is judged, 1: what came before


class Net(nn.Module):
    """layers: the encoder's upper layers (BertLayer), copied, to be tuned."""

    def __init__(self, layers: nn.ModuleList, *, dropout: float = 0.2, branch: float = 0.15) -> None:
        super().__init__()
        self.layers = layers
        self.kinds = nn.Embedding(KINDS, SIZE)
        nn.init.zeros_(self.kinds.weight)
        self.grams = nn.EmbeddingBag(BUCKETS, GRAM_SIZE, mode="sum")
        nn.init.normal_(self.grams.weight, std=0.02)
        self.read_norm = nn.LayerNorm(4 * SIZE)
        self.gram_norm = nn.LayerNorm(GRAM_SIZE)
        self.read = nn.Linear(4 * SIZE, INNER)
        self.spelt = nn.Linear(GRAM_SIZE, INNER, bias=False)
        self.spelt_before = nn.Linear(GRAM_SIZE, INNER, bias=False)
        self.out = nn.Linear(INNER, len(OUTPUTS))
        self.direct = nn.Linear(GRAM_SIZE, len(OUTPUTS), bias=False)
        self.dropout = nn.Dropout(dropout)
        self.branch = branch
        nn.init.constant_(self.out.bias, -3.0)

    def forward(self, hidden: Tensor, kinds: Tensor, mask: Tensor, spelt: Bag, before: Bag) -> Tensor:
        """hidden (texts, tokens, 384) from the trunk, kinds and mask (texts, tokens). Logits (texts, outputs)."""
        read = self.read_norm(pooled(layers_run(self.layers, hidden + self.kinds(kinds), mask), kinds, mask).float())
        bag, earlier = self.bag(spelt), self.bag(before)
        read, bag, earlier = self.dropout(read), self.dropout(bag), self.dropout(earlier)
        if self.training and self.branch:
            # Now and then one of the two is missing, so that neither leans on the other.
            lot = torch.rand(len(read), 1, device=read.device)
            read = read * (lot > self.branch)
            bag, earlier = bag * (lot < 1 - self.branch), earlier * (lot < 1 - self.branch)
        inner = nn.functional.gelu(self.read(read) + self.spelt(bag) + self.spelt_before(earlier))
        return self.out(self.dropout(inner)) + self.direct(bag)

    def bag(self, given: Bag) -> Tensor:
        """(texts, 32): the sum of the pieces over the root of their number; zeros where there are none."""
        places, starts = given
        counts = torch.diff(starts, append=torch.tensor([len(places)], device=starts.device))
        total = self.grams(places, starts) / counts.clamp(min=1).sqrt().unsqueeze(1)
        return self.gram_norm(total) * (counts > 0).unsqueeze(1)


Bag = tuple[Tensor, Tensor]  # places of all texts one after another, and where each text starts


def pooled(hidden: Tensor, kinds: Tensor, mask: Tensor) -> Tensor:
    """Mean and maximum over what is judged, and over all that was read: (texts, 4 x 384)."""
    found = []
    for chosen in (mask & (kinds == 0), mask):
        real = chosen.unsqueeze(-1)
        found.append((hidden * real).sum(1) / real.sum(1).clamp(min=1))
        found.append(hidden.masked_fill(~real, -1e4).amax(1))
    return torch.cat(found, dim=1)


def loss_of(logits: Tensor, targets: Tensor, weights: Tensor, columns: Tensor) -> Tensor:
    """Binary cross-entropy over the outputs that are known (targets 0 or 1; -1 is unknown), by weight of the
    example and of the output."""
    counts = (targets >= 0) * weights.unsqueeze(1) * columns
    each = nn.functional.binary_cross_entropy_with_logits(logits, targets.clamp(min=0).float(), reduction="none")
    return (each * counts).sum() / counts.sum().clamp(min=1)
