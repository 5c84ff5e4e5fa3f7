"""Trains the two towers: `python -m training.next_turn.train FOLDER OUT [--device cuda] [--layers 2] [--epochs 8]`.

FOLDER is what training.next_turn.pack wrote. Writes OUT.safetensors (8 bits: what ships), each time that it does better
on the dialogues that are there for choosing: hits@1 among 20.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from training.moderation.quantise import weights_start, weights_write
from training.next_turn.english import bert_open
from training.next_turn.net import SIZE, Known, Towers, loss_of

TRUNK: Final = 3
REPLY_LAYERS: Final = 3
AMONG: Final = 20
SCORED: Final = 3000  # pairs of a language that an epoch is judged by

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Settings:
    layers: int = 2  # of the tower that runs in every turn
    epochs: int = 8
    batch: int = 1024
    rate_layers: float = 2e-4
    rate_head: float = 1e-3
    decay: float = 0.01
    ours: int = 2  # how often an epoch has the bank's and the rows' pairs
    others: int = 6  # ... and every pair in another language than English, which the encoder was made for
    inside: float = 0.1  # dropout inside the layers
    seconds: float = 0.0  # after so many the schedule ends; 0: after `epochs`


class Trainer:
    def __init__(self, folder: Path, settings: Settings, device: str) -> None:
        torch.manual_seed(7)
        self.settings, self.device = settings, torch.device(device)
        data = np.load(folder / "pairs.npz")
        self.before = torch.from_numpy(data["before"]).long().to(self.device)
        self.reply = torch.from_numpy(data["reply"]).long().to(self.device)
        self.group = torch.from_numpy(data["group"]).to(self.device)
        self.language: npt.NDArray[np.int8] = data["language"]
        self.part: npt.NDArray[np.int8] = data["part"]
        self.ours: npt.NDArray[np.bool_] = data["ours"]
        ends = torch.from_numpy(data["token_ends"]).long().to(self.device)
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long, device=self.device), ends[:-1]])
        self.lengths = ends - self.starts
        bert = bert_open(folder / "encoder.safetensors", TRUNK).to(self.device)
        layers = bert.encoder.layer
        said = nn.ModuleList(copy.deepcopy(layers[TRUNK + n]) for n in range(settings.layers))
        reply = nn.ModuleList(copy.deepcopy(layers[TRUNK + n]) for n in range(REPLY_LAYERS))
        self.net = Towers(said, reply).to(self.device).requires_grad_(True)
        for part in self.net.modules():
            if isinstance(part, nn.Dropout):
                part.p = settings.inside
        tokens = torch.from_numpy(data["tokens"].astype(np.int32)).to(self.device)
        self.states = self._states(bert, layers[:TRUNK], tokens)
        self.rng = np.random.default_rng(7)

    @torch.no_grad()
    def _states(self, bert: Any, lower: nn.ModuleList, tokens: Tensor) -> Tensor:
        """What the frozen trunk gives for every line, alone and once."""
        found = torch.zeros(len(tokens), SIZE, dtype=torch.bfloat16, device=self.device)
        order = torch.argsort(self.lengths)
        for some in order.split(2048):
            reach = torch.arange(int(self.lengths[some].max()), device=self.device)
            real = reach[None, :] < self.lengths[some][:, None]
            at = (self.starts[some][:, None] + reach[None, :]).clamp(max=len(tokens) - 1)
            with torch.autocast(self.device.type, dtype=torch.bfloat16):
                states = bert.embeddings(input_ids=tokens[at].masked_fill(~real, 0))
                for layer in lower:
                    given = layer(states, real[:, None, None, :])
                    states = given[0] if isinstance(given, tuple) else given
            found[at[real]] = states[real].to(found.dtype)
        return found

    def laid(self, lines: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Lines side by side: hidden, kinds, mask (texts, tokens). lines: (texts, columns), -1 for none; the kind is
        how far a column stands from the last."""
        some = lines.clamp(min=0)
        lengths = self.lengths[some] * (lines >= 0)
        ends = lengths.cumsum(1)
        reach = torch.arange(int(ends[:, -1].max()), device=self.device)[None, :].expand(len(lines), -1)
        column = (reach[:, :, None] >= ends[:, None, :]).sum(2)
        mask = column < lines.shape[1]
        column = column.clamp(max=lines.shape[1] - 1)
        begun = (ends - lengths).gather(1, column)
        at = (self.starts[some].gather(1, column) + reach - begun).masked_fill(~mask, 0)
        return self.states[at].float() * mask.unsqueeze(-1), (lines.shape[1] - 1 - column) * mask, mask

    def said(self, rows: Tensor) -> Tensor:
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            return self.net.read_said(*self.laid(self.before[rows]))

    def answered(self, lines: Tensor) -> Tensor:
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            hidden, _, mask = self.laid(lines[:, None])
            return self.net.read_reply(hidden, mask)

    def batches(self) -> Iterator[Rows]:
        """One language each, so that no wrong answer is told by its language; the bank's and the rows' more often."""
        learn = self.part == 0
        found: list[Rows] = []
        for language in range(4):
            rows = np.flatnonzero(learn & (self.language == language))
            if language:
                rows = np.tile(rows, self.settings.others)
            else:
                rows = np.concatenate([rows, *[rows[self.ours[rows]]] * (self.settings.ours - 1)])
            rows = self.rng.permutation(rows)
            found += [rows[at : at + self.settings.batch] for at in range(0, len(rows), self.settings.batch)]
        for n in self.rng.permutation(len(found)):
            if len(found[n]) > AMONG:
                yield found[n]

    def train(self, out: Path) -> None:
        s, begun = self.settings, time.monotonic()
        layers = [*self.net.said.parameters(), *self.net.reply.parameters()]
        known = {id(weight) for weight in layers}
        head = [weight for weight in self.net.parameters() if id(weight) not in known]
        optimiser = torch.optim.AdamW(
            [{"params": layers, "lr": s.rate_layers}, {"params": head, "lr": s.rate_head}], weight_decay=s.decay
        )
        first = [group["lr"] for group in optimiser.param_groups]
        best, step, steps = -1.0, 0, s.epochs * sum(1 for _ in self.batches())
        for epoch in range(s.epochs):
            self.net.train()
            total, count = 0.0, 0
            for batch in self.batches():
                done = (time.monotonic() - begun) / s.seconds if s.seconds else step / steps
                for group, rate in zip(optimiser.param_groups, first, strict=True):
                    group["lr"] = rate * min(1.0, step / 100) * max(0.0, 1 - done)
                rows = torch.from_numpy(batch).to(self.device)
                said, reply = self.said(rows), self.answered(self.reply[rows])
                echo = self.answered(self.before[rows, -1])
                loss = loss_of(said, reply, echo, Known(self.group[rows], self.reply[rows]), self.net.warmth)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
                optimiser.step()
                if count % 50 == 0:
                    total += float(loss.detach())
                count, step = count + 1, step + 1
                if s.seconds and done >= 1:
                    break
            found = self.hits()
            score = found.get("en", 0.0)
            if score > best:
                best = score
                weights_write(self.net, out)
            spent = time.monotonic() - begun
            mean = total / max(1, -(-count // 50))
            print(f"  epoch {epoch + 1}: loss {mean:.4f}, hits {found}, {spent:.0f} s", flush=True)
            if s.seconds and spent >= s.seconds:
                break

    @torch.inference_mode()
    def hits(self, part: int = 1) -> dict[str, float]:
        """hits@1 among 20 by language, and among the bank's replies for its own pairs."""
        self.net.eval()
        found = {}
        for number, name in enumerate(("en", "pt-BR", "es", "fr")):
            for ours in (False, True):
                rows = np.flatnonzero((self.part == part) & (self.language == number) & (self.ours == ours))
                if len(rows) <= AMONG:
                    continue
                rows = np.random.default_rng(3).permutation(rows)[:SCORED]
                given = torch.from_numpy(rows).to(self.device)
                said = torch.cat([self.said(some) for some in given.split(512)])
                reply = torch.cat([self.answered(self.reply[some]) for some in given.split(512)])
                found[f"{name} ours" if ours else name] = round(hits_of(said, reply, self.group[given]), 4)
        return found


def hits_of(said: Tensor, reply: Tensor, group: Tensor) -> float:
    """The share of messages whose own reply is the closest among it and 19 others' (drawn, always the same)."""
    draw = np.random.default_rng(5)
    others = torch.from_numpy(draw.integers(0, len(said), (len(said), AMONG - 1))).to(said.device)
    wrong = (said[:, None, :] * reply[others]).sum(2)
    wrong = wrong.masked_fill(group[others] == group[:, None], -2.0)
    own = (said * reply).sum(1)
    return float((own[:, None] > wrong).all(1).float().mean())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--start", type=Path, help="weights to go on from, as they ship")
    for name, value in vars(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    options = vars(parser.parse_args(arguments))
    folder, out, device, start = (options.pop(name) for name in ("folder", "out", "device", "start"))
    trainer = Trainer(folder, Settings(**options), device)
    if start is not None:
        weights_start(trainer.net, start)
    print(f"{len(trainer.part)} pairs, {len(trainer.states)} tokens; {trainer.settings}", flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    trainer.train(out)
    print(f"  held back: {trainer.hits(2)}", flush=True)


if __name__ == "__main__":
    main()
