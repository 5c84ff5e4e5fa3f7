"""What the tagger learns: `companion.memory.tagger` in torch, for training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

SIZE: Final = 384
LAYERS: Final = 5  # the sixth above the trunk gathers a sentence, which nobody asks for here
LETTERS: Final = 64  # numbers for a whole word, and as many for its pieces
FORGOTTEN: Final = 0.3  # of the words, so that pieces and sense must do as well: names are new every time


@dataclass(frozen=True)
class Sizes:
    """How many there are of each. The pack says it: companion.memory does not open where the net may be trained."""

    words: int
    pieces: int
    shapes: int
    times: int
    languages: int
    lists: int
    channels: int


class Net(nn.Module):
    """layers: upper layers of an encoder (BertLayer), copied, to be tuned."""

    def __init__(self, layers: nn.ModuleList, sizes: Sizes, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.layers, self.channels = layers, sizes.channels
        self.words = nn.Embedding(sizes.words, LETTERS, padding_idx=0)
        self.pieces = nn.EmbeddingBag(sizes.pieces, LETTERS, mode="mean", padding_idx=0)
        self.mix = nn.Linear(2 * LETTERS, SIZE)
        self.shape = nn.Embedding(sizes.shapes, SIZE)
        self.time = nn.Embedding(sizes.times, SIZE)
        self.language = nn.Embedding(sizes.languages, SIZE)
        self.lists = nn.Linear(sizes.lists, SIZE, bias=False)
        self.said = nn.Linear(2 * sizes.channels, SIZE, bias=False)
        self.out = nn.Linear(SIZE + 2 * LETTERS + 2 * sizes.channels, 3 * sizes.channels)
        self.dropout = nn.Dropout(dropout)
        for table in (self.words, self.shape, self.time, self.language):
            nn.init.normal_(table.weight, std=0.02)
        nn.init.normal_(self.pieces.weight, std=0.05)
        with torch.no_grad():
            self.words.weight[0] = 0
            self.pieces.weight[0] = 0
            self.out.weight.mul_(0.2)  # and nearly every tag is outside: the first steps would learn only that
            self.out.bias.view(-1, 3).copy_(torch.tensor([4.0, -1.0, -1.0]).expand(sizes.channels, 3))
        for part in self.layers.modules():
            if isinstance(part, nn.Dropout):
                part.p = dropout

    def forward(self, seen: dict[str, Tensor]) -> Tensor:
        """seen: hidden (texts, tokens, 384), word, shape, time (texts, tokens), pieces (texts, tokens, 12), lists
        (texts, tokens, lists), language (texts,), said (texts, tokens, 2 x channels), mask (texts, tokens). Gives
        (texts, tokens, channels, 3)."""
        word = seen["word"]
        texts, tokens = word.shape
        if self.training:
            word = word.masked_fill(torch.rand(word.shape, device=word.device) < FORGOTTEN, 0)
        pieces = self.pieces(seen["pieces"].view(texts * tokens, -1)).view(texts, tokens, -1)
        letters = torch.cat([self.words(word), pieces], -1)
        states = (
            seen["hidden"]
            + self.mix(self.dropout(letters))
            + self.shape(seen["shape"])
            + self.time(seen["time"])
            + self.language(seen["language"])[:, None]
            + self.lists(seen["lists"])
            + self.said(seen["said"])
        )
        attend = seen["mask"][:, None, None, :]
        for layer in self.layers:
            given: Any = layer(states, attend)
            states = given[0] if isinstance(given, tuple) else given
        read = torch.cat([self.dropout(states), letters, seen["said"]], -1)
        return self.out(read).view(texts, tokens, self.channels, 3)  # type: ignore[no-any-return]
