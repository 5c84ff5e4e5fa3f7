"""Two towers on the shared trunk: one reads what was said, the other a reply; close together where the one follows the
other (the bi-encoder of Humeau et al. 2020, arXiv:1905.01969, with in-batch negatives).

The tower of what was said runs in every turn, so it may have fewer layers. Replies of the bank are read once, when they
are prepared.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from training.multilingual.layers import layers_run

SIZE: Final = 384
KINDS: Final = 4  # 0: the message that is answered, 1: the line before it, 2, 3: before that


class Towers(nn.Module):
    """said, reply: upper layers of the encoder (BertLayer), copied, to be tuned."""

    def __init__(self, said: nn.ModuleList, reply: nn.ModuleList) -> None:
        super().__init__()
        self.said, self.reply = said, reply
        self.kinds = nn.Embedding(KINDS, SIZE)
        nn.init.zeros_(self.kinds.weight)
        self.said_out = nn.Linear(2 * SIZE, SIZE)
        self.reply_out = nn.Linear(SIZE, SIZE)
        nn.init.zeros_(self.said_out.bias)
        nn.init.zeros_(self.reply_out.bias)
        with torch.no_grad():
            self.said_out.weight.copy_(torch.cat([torch.eye(SIZE) / 2] * 2, dim=1))
            self.reply_out.weight.copy_(torch.eye(SIZE))
        self.warmth = nn.Parameter(torch.tensor(3.0))  # log of what cosines are multiplied with

    def read_said(self, hidden: Tensor, kinds: Tensor, mask: Tensor) -> Tensor:
        """hidden (texts, tokens, 384) from the trunk, lines side by side; kinds and mask (texts, tokens).
        (texts, 384) of unit length."""
        states = layers_run(self.said, hidden + self.kinds(kinds), mask)
        message, whole = (_mean(states, chosen) for chosen in (mask & (kinds == 0), mask))
        return normalize(self.said_out(torch.cat([message, whole], dim=1)).float(), dim=1)

    def read_reply(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """(texts, 384) of unit length."""
        return normalize(self.reply_out(_mean(layers_run(self.reply, hidden, mask), mask)).float(), dim=1)


def _mean(states: Tensor, chosen: Tensor) -> Tensor:
    real = chosen.unsqueeze(-1)
    return (states * real).sum(1) / real.sum(1).clamp(min=1)


class Known(NamedTuple):
    """Which texts of a batch answer the same thing, and which line each answers with: (texts,) each."""

    group: Tensor
    line: Tensor


def loss_of(said: Tensor, reply: Tensor, echo: Tensor, known: Known, warmth: Tensor) -> Tensor:
    """Cross-entropy of each true reply among those of its batch, and of each message among its batch's. Left out are
    replies of the same group or of the same words. One more wrong answer of each is its own message, said back.
    said, reply, echo: (texts, 384)."""
    scale = warmth.exp().clamp(max=60.0)
    scores = scale * said @ reply.T
    itself = torch.eye(len(said), dtype=torch.bool, device=said.device)
    same = torch.stack([each[:, None] == each[None, :] for each in known]).any(0) & ~itself
    scores = scores.masked_fill(same, -1e4)
    echoed = scale * (said * echo).sum(1, keepdim=True)
    right = torch.arange(len(said), device=said.device)
    forth = nn.functional.cross_entropy(torch.cat([scores, echoed], dim=1), right)
    return (forth + nn.functional.cross_entropy(scores.T, right)) / 2
