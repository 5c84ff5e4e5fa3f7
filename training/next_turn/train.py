"""Trains the two towers: `python -m training.next_turn.train FOLDER OUT [--device cuda] [--seconds 300]`.

FOLDER is what training.next_turn.pack wrote. Each step learns four things at once, in one language: which reply
follows, which messages say the same, how alike the whole encoder finds them, and which lines readers found sensible.
Writes OUT.safetensors (8 bits: what ships) whenever it does better on what is kept back for choosing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim.swa_utils import AveragedModel

from training.averaged import averaged
from training.moderation.quantise import weights_start, weights_write
from training.multilingual.laid import Numbers, side_by_side
from training.multilingual.layers import Trunk, layers_read, layers_run
from training.next_turn.held import figures
from training.next_turn.net import (
    SIZE,
    Known,
    Towers,
    loss_of_following,
    loss_of_likeness,
    loss_of_marks,
    loss_of_sameness,
)

ABOVE: Final = "above.safetensors"  # the encoder's layers over the trunk
LAYERS: Final = 6
# On a processor the other way back takes a third of a step.
ATTENTION: Final = {"cpu": [SDPBackend.MATH], "cuda": [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]}
READ: Final = {"cpu": 128, "cuda": 2048}  # lines that are read at once
LEARN: Final = 0  # the part that is learnt from
WARM: Final = 200  # steps
ALIKE: Final = 8  # so many times a batch is drawn, of which it takes what is alike in length


@dataclass(frozen=True)
class Settings:
    said: int = 3  # layers of the tower that runs in every turn
    reply: int = 2
    steps: int = 8000
    batch: int = 512  # pairs
    ways: int = 384  # pairs of messages that say the same
    places: int = 32
    rate_layers: float = 3e-4
    rate_head: float = 1e-3
    decay: float = 0.01
    inside: float = 0.1  # dropout inside the layers
    english: float = 0.45  # of the steps; the other languages have the rest, each the same
    open: float = 0.55  # of a language's steps how many learn from open dialogues, where it has so many
    average: float = 0.998  # of the weights over steps: what is kept
    each: int = 1000  # steps between two looks at what is kept back
    seconds: float = 0.0  # after so many the rates have fallen to nothing and it ends; 0: after `steps`


class Trainer:
    def __init__(self, folder: Path, settings: Settings, device: str) -> None:
        torch.manual_seed(7)
        self.settings, self.device = settings, torch.device(device)
        self.data = dict(np.load(folder / "pairs.npz"))
        self.ends = self.data["token_ends"].astype(np.int64)
        self.starts = np.concatenate([[0], self.ends[:-1]])
        self.lengths = self.ends - self.starts
        before = self.data["before"]
        self.context = (self.lengths[before] * (before >= 0)).sum(1)
        said, reply, whole = (layers_read(folder / ABOVE, count) for count in (settings.said, settings.reply, LAYERS))
        self.net = Towers(said, reply).to(self.device)
        for part in self.net.modules():
            if isinstance(part, nn.Dropout):
                part.p = settings.inside
        whole.to(self.device).requires_grad_(False).eval()
        self.states, self.taught = self._read(Trunk().to(self.device), whole)
        self.pools = list(self._pools())
        self.rng = np.random.default_rng(7)

    @torch.no_grad()
    def _read(self, trunk: Trunk, above: nn.ModuleList) -> tuple[Tensor, Tensor]:
        """What the frozen trunk gives for every line, alone and once; and the whole encoder's vectors of what the bank
        answers, from which their mean is taken: it finds any two sentences alike."""
        tokens = torch.from_numpy(self.data["tokens"].astype(np.int32)).to(self.device)
        states = torch.zeros(len(tokens), SIZE, dtype=torch.bfloat16, device=self.device)
        vectors = torch.zeros(len(self.starts), SIZE, device=self.device)
        is_way = np.isin(np.arange(len(self.starts)), self.data["way"])
        for some, taught in ((np.flatnonzero(is_way), True), (np.flatnonzero(~is_way), False)):
            order = some[np.argsort(self.lengths[some], kind="stable")]
            for lines in np.array_split(order, max(1, len(order) // READ[self.device.type])):
                at, _, mask = self._placed(lines[:, None])
                with torch.autocast(self.device.type, dtype=torch.bfloat16):
                    lower = trunk(tokens[at].masked_fill(~mask, 0), mask)
                    states[at[mask]] = lower[mask].to(states.dtype)
                    if taught:
                        real = mask.unsqueeze(-1)
                        mean = (layers_run(above, lower, mask).float() * real).sum(1) / real.sum(1)
                        vectors[torch.from_numpy(lines).to(self.device)] = nn.functional.normalize(mean, dim=1)
        vectors = vectors - vectors.sum(0) / max(1, int(is_way.sum()))
        return states, nn.functional.normalize(vectors, dim=1)

    def _placed(self, lines: Numbers) -> tuple[Tensor, Tensor, Tensor]:
        """Lines side by side: where each token is, how far its line stands from the last, and which are there: (texts,
        tokens) each. lines: (texts, columns), -1 for none."""
        at, column = side_by_side(self.starts[lines], self.lengths[lines] * (lines >= 0))
        mask = column < lines.shape[1]
        kinds = (lines.shape[1] - 1 - column) * mask
        return tuple(torch.from_numpy(one).to(self.device) for one in (at, kinds, mask))  # type: ignore[return-value]

    def said(self, lines: Numbers) -> tuple[Tensor, Tensor]:
        """What may follow and what the last says, (texts, 384) each. lines: (texts, columns), -1 for none."""
        at, kinds, mask = self._placed(lines)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            return self.net.read_said(self.states[at].float() * mask.unsqueeze(-1), kinds, mask)

    def answered(self, lines: Numbers) -> Tensor:
        at, _, mask = self._placed(lines[:, None])
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            return self.net.read_reply(self.states[at].float() * mask.unsqueeze(-1), mask)

    def _pools(self) -> Any:
        """Of each language what it learns from: pairs of open dialogues, pairs of ours, ways by exchange, places."""
        data = self.data
        learn = data["part"] == LEARN
        for language in range(4):
            own = learn & (data["language"] == language)
            ways = np.flatnonzero((data["way_language"] == language) & ~data["way_held"])
            ways = ways[np.argsort(data["way_exchange"][ways], kind="stable")]
            _, first, count = np.unique(data["way_exchange"][ways], return_index=True, return_counts=True)
            yield Pool(
                np.flatnonzero(own & ~data["ours"]),
                np.flatnonzero(own & data["ours"]),
                ways,
                first[count > 1],
                count[count > 1],
                np.flatnonzero((data["place_language"] == language) & ~data["place_held"]),
            )

    def step_loss(self) -> Tensor:
        s, data, draw = self.settings, self.data, self.rng
        language = 0 if draw.random() < s.english else int(draw.integers(1, 4))
        pool, scales = self.pools[language], self.net.scales()
        rows = pool.opened if draw.random() < min(s.open, pool.openness) else pool.ours
        losses = []
        if len(rows):
            rows = self._drawn(rows)
            before, reply = data["before"][rows], data["reply"][rows]
            known = Known(*(torch.from_numpy(one).to(self.device) for one in (data["group"][rows], reply)))
            echo = self.answered(before[:, -1])
            losses.append(loss_of_following(self.said(before)[0], self.answered(reply), echo, known, scales[0]))
        if len(pool.first):
            one, other, exchange = pool.ways_drawn(draw, s.ways)
            lines = np.concatenate([data["way"][one], data["way"][other]])
            same = self.said(lines[:, None])[1]
            of = torch.from_numpy(exchange).to(self.device)
            losses.append(loss_of_sameness(same[: len(one)], same[len(one) :], of, scales[1]))
            losses.append(10 * loss_of_likeness(same, self.taught[torch.from_numpy(lines).to(self.device)]))
        if len(pool.places):
            losses.append(self.marks_loss(draw.choice(pool.places, min(s.places, len(pool.places)), replace=False)))
        return torch.stack(losses).sum()

    def _drawn(self, rows: Numbers) -> Numbers:
        """A batch of about one length, so that it has little padding."""
        some = self.rng.choice(rows, min(ALIKE * self.settings.batch, len(rows)), replace=False)
        some = some[np.argsort(self.context[some], kind="stable")]
        first = int(self.rng.integers(0, max(1, len(some) - self.settings.batch + 1)))
        return some[first : first + self.settings.batch]

    def marks_loss(self, places: Numbers) -> Tensor:
        place, lines, marks = self.marked(places)
        said, reply = self.said(self.data["place_before"][places])[0], self.answered(lines)
        at, given = torch.from_numpy(place).to(self.device), torch.from_numpy(marks).to(self.device)
        return loss_of_marks(said, reply, at, given, self.net.scales()[2])

    def marked(self, places: Numbers) -> tuple[Numbers, Numbers, npt.NDArray[np.int8]]:
        """Of all lines of these places: which of the places, the line, the mark."""
        ends = self.data["place_ends"]
        starts = np.concatenate([[0], ends[:-1]])
        rows = np.concatenate([np.arange(starts[one], ends[one]) for one in places])
        place = np.repeat(np.arange(len(places)), ends[places] - starts[places])
        return place, self.data["line"][rows].astype(np.int64), self.data["mark"][rows]

    def train(self, out: Path) -> None:
        s, begun = self.settings, time.monotonic()
        layers = [*self.net.said.parameters(), *self.net.reply.parameters()]
        known = {id(weight) for weight in layers}
        head = [weight for weight in self.net.parameters() if id(weight) not in known]
        optimiser = torch.optim.AdamW(
            [{"params": layers, "lr": s.rate_layers}, {"params": head, "lr": s.rate_head}], weight_decay=s.decay
        )
        first = [group["lr"] for group in optimiser.param_groups]
        kept = AveragedModel(self.net, multi_avg_fn=averaged(s.average))
        best, step, done, total = -1.0, 0, 0.0, torch.zeros((), device=self.device)
        while done < 1:
            done = (time.monotonic() - begun) / s.seconds if s.seconds else step / s.steps
            for group, rate in zip(optimiser.param_groups, first, strict=True):
                group["lr"] = rate * min(1.0, step / WARM) * max(0.0, 1 - done)
            self.net.train()
            optimiser.zero_grad(set_to_none=True)
            with sdpa_kernel(ATTENTION[self.device.type]):
                loss = self.step_loss()
                loss.backward()
            nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            optimiser.step()
            kept.update_parameters(self.net)
            total, step = total + loss.detach(), step + 1
            if step % s.each == 0 or done >= 1:
                learning, self.net = self.net, kept.module
                found = figures(self)
                if found["all"] > best:
                    best = found["all"]
                    weights_write(self.net, out)
                self.net = learning
                mean = float(total) / ((step - 1) % s.each + 1)
                print(f"  step {step}: loss {mean:.3f}, {time.monotonic() - begun:.0f} s, {found}", flush=True)
                total = torch.zeros((), device=self.device)


@dataclass(frozen=True)
class Pool:
    """Of one language. opened, ours: pairs. ways: in the order of their exchanges, those of one beginning at `first`,
    `count` of them, two at least. places: judged ones."""

    opened: Numbers
    ours: Numbers
    ways: Numbers
    first: Numbers
    count: Numbers
    places: Numbers

    @property
    def openness(self) -> float:
        return len(self.opened) / max(1, len(self.opened) + len(self.ours))

    def ways_drawn(self, draw: np.random.Generator, most: int) -> tuple[Numbers, Numbers, Numbers]:
        """Two ways of each of some exchanges, and which exchange."""
        chosen = draw.permutation(len(self.first))[:most]
        count = self.count[chosen]
        one = (draw.random(len(chosen)) * count).astype(np.int64)
        other = (one + 1 + (draw.random(len(chosen)) * (count - 1)).astype(np.int64)) % count
        first = self.first[chosen]
        return self.ways[first + one], self.ways[first + other], chosen


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
    print(f"{len(trainer.starts)} lines, {len(trainer.states)} tokens; {trainer.settings}", flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    trainer.train(out)


if __name__ == "__main__":
    main()
