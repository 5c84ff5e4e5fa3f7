"""Trains what weighs the companion's candidates: `python -m training.choosing.train OUT.npz [--folds 5]`.

Replays each judged place with the engine of today, and learns which of its lines readers found sensible, and specific.
What readers said of a line elsewhere is part of what is learnt from, so a place's own marks are left out of it. With
`--folds` it first prints, of talks that were held back, how often the line that weighs most made sense, beside the line
that the rules chose and beside any line at all.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as entropy

from bench.turn import ROOT
from chatbot.core.encoder import Floats
from companion.engines.embedded.candidates import Candidate
from companion.engines.embedded.engine import EmbeddedEngine
from companion.engines.embedded.judged import Judged, key_of
from companion.engines.embedded.lines import Chosen, Pick
from companion.engines.embedded.mind import Turn, ruled
from companion.engines.embedded.weighing import CLIPPED, SPECIFIC, place_of, signs
from companion.types import LANGUAGES, Language
from training.choosing.places import Judged as JudgedPlace
from training.choosing.places import Replayed, places
from training.talks import talks

FEWEST: Final = 5  # lines of a place that the bank still has
HIDDEN: Final = 48
SCALE: Final = 127


@dataclass(frozen=True)
class Settings:
    epochs: int = 12
    batch: int = 24  # places
    rate: float = 2e-3
    decay: float = 0.05
    drop: float = 0.3
    ranked: float = 0.2  # what the order within a place counts beside each mark by itself
    nets: int = 3  # whose mean ships


@dataclass(frozen=True)
class Seen:
    """One judged place, replayed. marks: (candidates,). ruled: one of the exchange that the rules chose, or None."""

    language: Language
    talk: str
    turn: Turn
    found: tuple[Candidate, ...]
    marks: npt.NDArray[np.int64]

    @property
    def ruled(self) -> int | None:
        return next((at for at, one in enumerate(self.found) if one.step), None)


async def seen(language: Language, engine: EmbeddedEngine) -> list[Seen]:
    bank = (await engine._index(language)).bank
    replayed, by_id = Replayed(engine, bank), {talk.id: talk for talk in talks()}
    found = []
    for place in places(bank):
        if len(place.marks) >= FEWEST and place.talk in by_id:
            turn = await replayed.turn(by_id[place.talk], place.at)
            some = _candidates(turn, place)
            marks = np.array([place.marks[one.pick.chosen.line.id] for one in some])
            found.append(Seen(language, place.talk, turn, tuple(some), marks))
    return found


def _candidates(turn: Turn, place: JudgedPlace) -> list[Candidate]:
    by_rule = ruled(turn)
    own = by_rule.pick.exchange.id if by_rule is not None else ""
    made = []
    for line_id in place.marks:
        line = turn.bank.lines[line_id]
        chosen = turn.chooser.fitting(line) or Chosen(line, line.text)
        exchange = turn.bank.owners[line_id]
        made.append(Candidate(Pick(chosen, exchange), by_rule.step if by_rule and exchange.id == own else ""))
    return made


def judged_of(some: Sequence[Seen], learnt: Sequence[bool]) -> dict[str, Any]:
    """What Judged is made from. Of places that are not learnt from there are no marks."""
    rows = [(at, place) for at, (place, learn) in enumerate(zip(some, learnt, strict=True)) if learn]
    lines, owners, of, marks = [], [], [], []
    for at, place in rows:
        for one, mark in zip(place.found, place.marks.tolist(), strict=True):
            lines.append(key_of(place.language, one.pick.chosen.line.text))
            owners.append(key_of(place.language, one.pick.exchange.id))
            of.append(at)
            marks.append(mark)
    usual = []
    for language in LANGUAGES:
        own = np.concatenate([place.marks for _, place in rows if place.language == language] or [np.zeros(1)])
        usual.append(float((own > 0).mean()))
    held = [place_of(place.turn) for place in some]
    vectors = np.stack([one.vector for one in held])
    return {
        "line": np.array(lines, np.uint64),
        "exchange": np.array(owners, np.uint64),
        "place": np.array(of, np.int32),
        "mark": np.array(marks, np.int8),
        "does": np.stack([one.does for one in held]).astype(np.float16),
        "vector": np.round(vectors * SCALE).astype(np.int8),
        "usual": np.array(usual, np.float32),
    }


class Net(nn.Module):
    def __init__(self, inputs: int, drop: float) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(inputs, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.out, self.skip = nn.Linear(HIDDEN, 2), nn.Linear(inputs, 2)
        self.drop = nn.Dropout(drop)

    def forward(self, given: Tensor) -> Tensor:
        inner = torch.relu(self.first(self.drop(given)))
        inner = torch.relu(self.second(self.drop(inner)))
        found: Tensor = self.out(inner) + self.skip(given)
        return found


def loss_of(found: Tensor, wanted: Tensor, sizes: Sequence[int], settings: Settings) -> Tensor:
    """found, wanted: (candidates, 2), of several places one after another."""
    loss = entropy(found, wanted) * 2
    ranked = torch.zeros(())
    for said, right in zip(found.split(list(sizes)), wanted.split(list(sizes)), strict=True):
        for column in range(2):
            count = right[:, column].sum()
            if count > 0:
                ranked = ranked - (torch.log_softmax(said[:, column], 0) * right[:, column]).sum() / count
    return loss + settings.ranked * ranked / len(sizes)


def trained(given: Sequence[Tensor], marks: Sequence[Tensor], settings: Settings, seed: int) -> Net:
    """given: a place's candidates, (candidates, numbers) each, standardised."""
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    net = Net(given[0].shape[1], settings.drop)
    optimizer = torch.optim.AdamW(net.parameters(), lr=settings.rate, weight_decay=settings.decay)
    steps = settings.epochs * -(-len(given) // settings.batch)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=steps)
    for _ in range(settings.epochs):
        order = draw.permutation(len(given)).tolist()
        for first in range(0, len(order), settings.batch):
            some = order[first : first + settings.batch]
            wanted = torch.cat([marks[at] for at in some])
            wanted = torch.stack([wanted > 0, wanted == 2], dim=1).float()
            loss = loss_of(
                net(torch.cat([given[at] for at in some])), wanted, [len(given[at]) for at in some], settings
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.eval()


def numbers(some: Sequence[Seen], judged: Judged) -> list[Floats]:
    return [signs(place.turn, place.found, judged, at=at) for at, place in enumerate(some)]


def learned(some: Sequence[Seen], learnt: Sequence[bool], settings: Settings) -> tuple[dict[str, Any], list[Floats]]:
    """What ships, and what it says of each place: (candidates, 2) likelihoods."""
    given = judged_of(some, learnt)
    raw = numbers(some, Judged(given, LANGUAGES))
    rows = np.concatenate([one for one, learn in zip(raw, learnt, strict=True) if learn])
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    ready = [torch.from_numpy(np.clip((one - mean) / spread, -CLIPPED, CLIPPED).astype(np.float32)) for one in raw]
    chosen = [at for at, learn in enumerate(learnt) if learn]
    marks = [torch.from_numpy(place.marks) for place in some]
    nets = [
        trained([ready[at] for at in chosen], [marks[at] for at in chosen], settings, seed)
        for seed in range(settings.nets)
    ]
    with torch.no_grad():
        said = [torch.stack([net(one) for net in nets]).mean(0).sigmoid().numpy() for one in ready]
    given |= {"mean": mean.astype(np.float32), "spread": spread.astype(np.float32)}
    return given | weights_of(nets), said


def weights_of(nets: Sequence[Net]) -> dict[str, Any]:
    """Side by side: the nets' mean as one net."""
    parts = [net.state_dict() for net in nets]
    count = len(nets)
    second = np.zeros((HIDDEN * count, HIDDEN * count), np.float16)
    for at, part in enumerate(parts):
        place = slice(at * HIDDEN, (at + 1) * HIDDEN)
        second[place, place] = part["second.weight"].numpy()
    side = {
        "first.weight": np.concatenate([part["first.weight"] for part in parts]),
        "first.bias": np.concatenate([part["first.bias"] for part in parts]),
        "second.weight": second,
        "second.bias": np.concatenate([part["second.bias"] for part in parts]),
        "out.weight": np.concatenate([part["out.weight"] for part in parts], axis=1) / count,
        "out.bias": np.mean([part["out.bias"].numpy() for part in parts], axis=0),
        "skip.weight": np.mean([part["skip.weight"].numpy() for part in parts], axis=0),
        "skip.bias": np.mean([part["skip.bias"].numpy() for part in parts], axis=0),
    }
    return {name: value.astype(np.float16) for name, value in side.items()}


def held_back(some: Sequence[Seen], folds: int, settings: Settings) -> None:
    fold = [hashlib.sha256(place.talk.encode()).digest()[0] % folds for place in some]
    said: list[Floats] = [np.zeros((0, 2), np.float32)] * len(some)
    for number in range(folds):
        _, found = learned(some, [own != number for own in fold], settings)
        said = [found[at] if fold[at] == number else one for at, one in enumerate(said)]
    print(f"{'':8}{'places':>7}{'weighed':>18}{'the rules':>18}{'any line':>18}   sensible / specific")
    for language in LANGUAGES:
        own = [(place, found) for place, found in zip(some, said, strict=True) if place.language == language]
        best = [int(place.marks[(found[:, 0] + SPECIFIC * found[:, 1]).argmax()]) for place, found in own]
        rules = [int(place.marks[place.ruled]) for place, _ in own if place.ruled is not None]
        most = [int(place.marks.max()) for place, _ in own]
        shares = (f"{_share(marks, 1):8.1%} /{_share(marks, 2):7.1%}" for marks in (best, rules, most))
        print(f"{language:8}{len(own):>7}" + "".join(f"{share:>18}" for share in shares))


def _share(marks: Sequence[int], least: int) -> float:
    return sum(mark >= least for mark in marks) / max(1, len(marks))


async def everything() -> list[Seen]:
    engine = EmbeddedEngine(cache_dir=ROOT / "var" / "cache")
    return [place for language in LANGUAGES for place in await seen(language, engine)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    options = parser.parse_args()
    some = asyncio.run(everything())
    print(f"{len(some)} places, {sum(len(place.marks) for place in some)} marks", flush=True)
    settings = Settings()
    if options.folds:
        held_back(some, options.folds, settings)
    given, _ = learned(some, [True] * len(some), settings)
    np.savez_compressed(options.out, **given)
    print(hashlib.sha256(options.out.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
