"""Averages the weights of several runs, one after another while it helps on the held-back scenes (Wortsman et al. 2022,
"Model soups"): `python -m training.moderation.soup PACK OUT RUN.pt ... [--device cuda]`.

The runs start from the same weights and differ in settings and order; what ships costs no more than one of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.moderation.train import Pack, Settings, Trainer, written_out

State = dict[str, Tensor]


def mean_of(states: Sequence[State]) -> State:
    return {name: torch.stack([state[name].float() for state in states]).mean(0) for name in states[0]}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    pack = Pack(options.pack / "examples.npz")
    trainer = Trainer(pack, options.pack / "encoder.safetensors", Settings(), options.device)
    written = np.flatnonzero(pack.held & (pack.source == pack.sources.index("written")))
    runs = [(torch.load(path, map_location=options.device, weights_only=True), path.stem) for path in options.runs]
    runs.sort(key=lambda run: -run[0]["held"])
    chosen: list[State] = []
    best = -1.0
    for run, name in runs:
        trainer.net.load_state_dict(mean_of([*chosen, run["net"]]))
        score = trainer.score(written)
        print(f"{name}: alone {run['held']:.4f}, with those before {score:.4f}", flush=True)
        if score > best:
            best, chosen = score, [*chosen, run["net"]]
    trainer.net.load_state_dict(mean_of(chosen))
    print(f"{len(chosen)} runs averaged: {best:.4f}")
    written_out(trainer, np.flatnonzero(pack.held), options.out)


if __name__ == "__main__":
    main()
