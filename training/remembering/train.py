"""Trains the tagger: `python -m training.remembering.train FOLDER OUT [--device cuda] [--epochs 8 | --seconds 300]`.

FOLDER is what training.remembering.pack wrote. Layers of multilingual-e5-small, those above the ones that ship as they
are (chatbot.core.encoder.multilingual), are tuned on the rows. Writes OUT.safetensors (8 bits), averaged over steps,
each time that it does better on the rows that are kept back: whole spans, found exactly. Chances are learnt afterwards
by training.remembering.held; without them there is nothing to ship.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel

from training.averaged import averaged
from training.moderation.quantise import weights_write, wide
from training.multilingual.layers import layers_new, layers_read
from training.remembering.net import LAYERS, Net
from training.remembering.packed import BEGIN, INSIDE, OUTSIDE, Pack, Rows

WARM: Final = 100  # steps


@dataclass(frozen=True)
class Settings:
    epochs: int = 8
    seconds: float = 0.0  # after so many the rates have fallen to nothing and it ends; 0: after `epochs`
    tokens: int = 8000  # in a batch
    rate_layers: float = 2.5e-4
    rate_rest: float = 1.5e-3
    decay: float = 0.01
    dropout: float = 0.15
    average: float = 0.998  # of the weights over steps (exponential moving average): what is kept
    order: int = 7  # of the rows; the first weights are always the same


class Trainer:
    """Net and data on one device."""

    def __init__(self, pack: Pack, layers: nn.ModuleList, settings: Settings) -> None:
        torch.manual_seed(7)
        self.pack, self.settings = pack, settings
        self.net = Net(layers, pack.sizes, dropout=settings.dropout).to(pack.device)
        self.draw = np.random.default_rng(settings.order)
        self.learn, self.held = np.flatnonzero(~pack.held), np.flatnonzero(pack.held)

    def read(self, rows: Rows, net: nn.Module) -> tuple[Tensor, Tensor]:
        """What the net gives (texts, tokens, channels, 3), and the right tags."""
        seen, tags = self.pack.laid(rows)
        # On a processor the other way of attending takes a third of a step.
        with torch.autocast(self.pack.device.type, dtype=torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            given: Tensor = net(seen)
        return given.float(), tags

    def train(self, out: Path) -> None:
        """The averaged weights that do best are written at once: a run that is cut off is not lost."""
        s, begun = self.settings, time.monotonic()
        layers = list(self.net.layers.parameters())
        known = {id(weight) for weight in layers}
        rest = [weight for weight in self.net.parameters() if id(weight) not in known]
        optimiser = torch.optim.AdamW(
            [{"params": layers, "lr": s.rate_layers}, {"params": rest, "lr": s.rate_rest}], weight_decay=s.decay
        )
        first = [group["lr"] for group in optimiser.param_groups]
        kept = AveragedModel(self.net, multi_avg_fn=averaged(s.average))
        best, step, steps = -1.0, 0, s.epochs * len(self.pack.batches(self.learn, s.tokens, np.random.default_rng(1)))
        done = 0.0
        for epoch in itertools.count(1):
            self.net.train()
            total, count = torch.zeros((), device=self.pack.device), 0
            for rows in self.pack.batches(self.learn, s.tokens, self.draw):
                for group, rate in zip(optimiser.param_groups, first, strict=True):
                    group["lr"] = rate * min(1.0, (step + 1) / WARM) * max(0.0, 1 - done)
                given, tags = self.read(rows, self.net)
                loss = cross_entropy(given.flatten(0, 2), tags.flatten(), reduction="sum")
                loss = loss / int(self.pack.lengths[rows].sum())
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
                optimiser.step()
                kept.update_parameters(self.net)
                total, count, step = total + loss.detach(), count + 1, step + 1
                done = (time.monotonic() - begun) / s.seconds if s.seconds else step / steps
                if done >= 1:
                    break
            score, found = self.score(kept.module)
            if score > best:
                best = score
                weights_write(kept.module, out, made_for=self.pack.made_for)
            spent = time.monotonic() - begun
            print(f"  epoch {epoch}: loss {float(total) / count:.4f}, held {found}, {spent:.0f} s", flush=True)
            if done >= 1:
                break

    @torch.inference_mode()
    def score(self, net: nn.Module) -> tuple[float, str]:
        """F1 of spans in the rows that are kept back, and a line that says more."""
        net.eval()
        counted = torch.zeros(3, device=self.pack.device)
        for rows in self.pack.batches(self.held, 4 * self.settings.tokens):
            given, tags = self.read(rows, net)
            counted += spans_counted(given.argmax(-1), tags)
        both, found, told = counted.tolist()
        score = 2 * both / max(1.0, found + told)
        return score, f"{score:.4f} (precision {both / max(1.0, found):.3f}, recall {both / max(1.0, told):.3f})"


def spans_counted(found: Tensor, told: Tensor) -> Tensor:
    """How many spans are in both, in the one, in the other. Tags: (texts, tokens, channels); of padding, below 0."""
    found = found.masked_fill(told < 0, OUTSIDE)
    begins, ends = zip(*(_spans(tags.clamp(min=OUTSIDE)) for tags in (found, told)), strict=True)
    same = begins[0] & begins[1] & (ends[0] == ends[1])
    return torch.stack([same.sum(), begins[0].sum(), begins[1].sum()])


def _spans(tags: Tensor) -> tuple[Tensor, Tensor]:
    """Where spans begin, and of every place the next that goes on with nothing: there the span ends that begins."""
    before = torch.cat([torch.full_like(tags[:, :1], OUTSIDE), tags[:, :-1]], 1)
    begins = (tags == BEGIN) | ((tags == INSIDE) & (before == OUTSIDE))
    size = tags.shape[1]
    places = torch.arange(size, device=tags.device)[None, :, None]
    stops = torch.where(tags == INSIDE, size, places)
    after = torch.cat([stops[:, 1:], torch.full_like(stops[:, :1], size)], 1)
    return begins, after.flip(1).cummin(1).values.flip(1)


def start(net: Net, path: Path) -> None:
    """Goes on from weights as they ship."""
    own = net.state_dict()
    found = wide(load_file(path))
    net.load_state_dict({name: torch.from_numpy(value) for name, value in found.items() if name in own})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--start", type=Path, help="weights to go on from, as they ship")
    for name, value in vars(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    options = vars(parser.parse_args(arguments))
    folder, out, device, weights = (options.pop(name) for name in ("folder", "out", "device", "start"))
    pack = Pack(folder / "tagged.npz", device)
    layers = layers_new(LAYERS) if weights else layers_read(folder / "layers.safetensors", LAYERS)
    trainer = Trainer(pack, layers, Settings(**options))
    if weights:
        start(trainer.net, weights)
    begun = time.monotonic()
    pack.read()
    print(
        f"{len(trainer.learn)} rows to learn from, {len(trainer.held)} kept back, {len(pack.states)} tokens read in"
        f" {time.monotonic() - begun:.0f} s; {trainer.settings}",
        flush=True,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    trainer.train(out)


if __name__ == "__main__":
    main()
