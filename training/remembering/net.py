"""What the tagger learns: `companion.memory.tagger` in torch, for training."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn

from companion.memory.lexicon import LISTS
from companion.memory.tokens import PIECES, SHAPES, TIMES, WORDS
from companion.memory.told import CHANNELS
from companion.types import LANGUAGES

SIZE: Final = 384
LETTERS: Final = 64  # numbers for a whole word, and as many for its pieces
FORGOTTEN: Final = 0.3  # of the words, so that pieces and sense must do as well: names are new every time


class Net(nn.Module):
    """layers: upper layers of an encoder (BertLayer), copied, to be tuned."""

    def __init__(self, layers: nn.ModuleList, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.layers = layers
        self.words = nn.Embedding(WORDS, LETTERS, padding_idx=0)
        self.pieces = nn.EmbeddingBag(PIECES, LETTERS, mode="mean", padding_idx=0)
        self.mix = nn.Linear(2 * LETTERS, SIZE)
        self.shape = nn.Embedding(len(SHAPES), SIZE)
        self.time = nn.Embedding(len(TIMES), SIZE)
        self.language = nn.Embedding(len(LANGUAGES), SIZE)
        self.lists = nn.Linear(len(LISTS), SIZE, bias=False)
        self.said = nn.Linear(2 * len(CHANNELS), SIZE, bias=False)
        self.out = nn.Linear(SIZE + 2 * LETTERS + 2 * len(CHANNELS), 3 * len(CHANNELS))
        self.dropout = nn.Dropout(dropout)
        for table in (self.words, self.shape, self.time, self.language):
            nn.init.normal_(table.weight, std=0.02)
        nn.init.normal_(self.pieces.weight, std=0.05)
        with torch.no_grad():
            self.words.weight[0] = 0
            self.pieces.weight[0] = 0
            self.out.weight.mul_(0.2)  # and nearly every tag is outside: the first steps would learn only that
            self.out.bias.view(-1, 3).copy_(torch.tensor([4.0, -1.0, -1.0]).expand(len(CHANNELS), 3))
        for part in self.layers.modules():
            if isinstance(part, nn.Dropout):
                part.p = dropout

    def forward(self, seen: dict[str, Tensor]) -> Tensor:
        """seen: hidden (texts, tokens, 384), word, shape, time (texts, tokens), pieces (texts, tokens, 12), language
        (texts,), said (texts, tokens, 2 x channels), mask (texts, tokens). Gives (texts, tokens, channels, 3)."""
        word = seen["word"]
        texts, tokens = word.shape
        if self.training:
            word = word.masked_fill(torch.rand(word.shape) < FORGOTTEN, 0)
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
        return self.out(read).view(texts, tokens, len(CHANNELS), 3)  # type: ignore[no-any-return]
