"""Two towers on the frozen trunk: one reads what was said, the other a reply; close together where the one may follow
the other (the bi-encoder of Humeau et al. 2020, arXiv:1905.01969, with in-batch negatives). A second vector of what was
said is close to that of another message that says the same.

The tower of what was said runs in every turn. Replies of the bank are read once, when they are prepared.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from training.multilingual.layers import layers_run

SIZE: Final = 384
KINDS: Final = 4  # 0: the message that is answered, 1: the line before it, 2, 3: before that
AWAY: Final = -1e4  # of what is no wrong answer
WARMEST: Final = 60.0


class Towers(nn.Module):
    """said, reply: upper layers of the encoder (BertLayer), copied, to be tuned."""

    def __init__(self, said: nn.ModuleList, reply: nn.ModuleList) -> None:
        super().__init__()
        self.said, self.reply = said, reply
        self.kinds = nn.Embedding(KINDS, SIZE)
        nn.init.zeros_(self.kinds.weight)
        self.said_out, self.same_out = nn.Linear(2 * SIZE, SIZE), nn.Linear(SIZE, SIZE)
        self.reply_out = nn.Linear(SIZE, SIZE)
        with torch.no_grad():
            for out in (self.said_out, self.same_out, self.reply_out):
                out.bias.zero_()
            self.said_out.weight.copy_(torch.cat([torch.eye(SIZE) / 2] * 2, dim=1))
            self.same_out.weight.copy_(torch.eye(SIZE))
            self.reply_out.weight.copy_(torch.eye(SIZE))
        # Logs of what cosines are multiplied with: among replies, among messages, among a judged place's lines.
        self.warmth = nn.Parameter(torch.tensor([3.0, 3.0, 2.0]))

    def read_said(self, hidden: Tensor, kinds: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """hidden (texts, tokens, 384) from the trunk, lines side by side; kinds and mask (texts, tokens). What may
        follow, and what the message says: (texts, 384) of unit length each."""
        states = layers_run(self.said, hidden + self.kinds(kinds), mask)
        message, whole = (_mean(states, chosen) for chosen in (mask & (kinds == 0), mask))
        follows = self.said_out(torch.cat([message, whole], dim=1))
        return normalize(follows.float(), dim=1), normalize(self.same_out(message).float(), dim=1)

    def read_reply(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """(texts, 384) of unit length."""
        return normalize(self.reply_out(_mean(layers_run(self.reply, hidden, mask), mask)).float(), dim=1)

    def scales(self) -> Tensor:
        return self.warmth.exp().clamp(max=WARMEST)


def _mean(states: Tensor, chosen: Tensor) -> Tensor:
    real = chosen.unsqueeze(-1)
    return (states * real).sum(1) / real.sum(1).clamp(min=1)


class Known(NamedTuple):
    """Which texts of a batch answer the same thing, and which line each answers with: (texts,) each."""

    group: Tensor
    line: Tensor


def loss_of_following(said: Tensor, reply: Tensor, echo: Tensor, known: Known, scale: Tensor) -> Tensor:
    """Cross-entropy of each true reply among those of its batch, and of each message among its batch's. Left out are
    replies of the same group or of the same words. One more wrong answer of each is its own message, said back.
    said, reply, echo: (texts, 384)."""
    scores = scale * said @ reply.T
    itself = torch.eye(len(said), dtype=torch.bool, device=said.device)
    same = torch.stack([each[:, None] == each[None, :] for each in known]).any(0) & ~itself
    scores = scores.masked_fill(same, AWAY)
    echoed = scale * (said * echo).sum(1, keepdim=True)
    right = torch.arange(len(said), device=said.device)
    forth = cross_entropy(torch.cat([scores, echoed], dim=1), right)
    return (forth + cross_entropy(scores.T, right)) / 2


def loss_of_sameness(one: Tensor, other: Tensor, exchange: Tensor, scale: Tensor) -> Tensor:
    """Cross-entropy of each message's other way among those of its batch, both ways round. one, other: (texts, 384);
    exchange: (texts,)."""
    itself = torch.eye(len(one), dtype=torch.bool, device=one.device)
    same = (exchange[:, None] == exchange[None, :]) & ~itself
    scores = (scale * one @ other.T).masked_fill(same, AWAY)
    right = torch.arange(len(one), device=one.device)
    return (cross_entropy(scores, right) + cross_entropy(scores.T, right)) / 2


def loss_of_likeness(own: Tensor, taught: Tensor) -> Tensor:
    """How far the likenesses in a batch are from those that the whole encoder finds. own, taught: (texts, 384) of unit
    length."""
    return ((own @ own.T - taught @ taught.T) ** 2).mean()


def loss_of_marks(said: Tensor, reply: Tensor, place: Tensor, marks: Tensor, scale: Tensor) -> Tensor:
    """Cross-entropy of a place's good lines among all its lines; what is specific counts twice. said: (places, 384);
    reply: (lines, 384), place, marks: (lines,)."""
    scores = scale * (said[place] * reply).sum(1)
    weight = marks.float()
    most = torch.full((len(said),), AWAY, device=said.device).scatter_reduce(0, place, scores.detach(), "amax")
    each = (scores - most[place]).exp()
    total = torch.zeros(len(said), device=said.device).index_add(0, place, each)
    likely = scores - most[place] - total[place].log()
    good = torch.zeros(len(said), device=said.device).index_add(0, place, weight)
    known = good > 0
    return -(likely * weight / good[place].clamp(min=1)).sum() / known.sum().clamp(min=1)
