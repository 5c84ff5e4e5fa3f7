"""Trains what orders the candidates of recall: `python -m training.recall.train OUT.npz [--folds] [--data FOLDER]`.

Learns from our own questions on long talks joined from open dialogues (talks.py). With `--folds` it first prints recall
on talks that were held back, one at a time, and on a French one. Every question is learnt from twice: with vectors, and
by words alone, since a turn may have none.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from chatbot.core.encoder import Floats, encode
from companion.memory.features import NAMES
from companion.memory.ranking import Index
from companion.memory.reranker import FEATURES, Reranker
from companion.memory.said import Said
from training.recall import talks as dialogues
from training.recall.talks import Question

HIDDEN: Final = 16
SEEDS: Final = 5  # nets whose mean ships
STEPS: Final = 200
PACE, DECAY = 0.01, 0.01
KS: Final = (1, 5, 10, 20)


@dataclass(frozen=True)
class Example:
    """A question's candidates: what is seen of each, which are right, and how many right turns there are in all."""

    talk: str
    seen: Floats
    right: npt.NDArray[np.bool_]
    wanted: int
    sense: bool

    def recall(self, scores: Floats, k: int) -> float:
        return float(self.right[np.argsort(-scores, kind="stable")[:k]].sum() / self.wanted)


def index_of(turns: Sequence[dialogues.Said], *, sense: bool = True) -> Index:
    texts = [turn.text for turn in turns]
    if not sense:
        return Index(texts, said=[Said(turn.who, turn.at) for turn in turns])
    whole = [one.array for one in encode([f"{turn.who}: {turn.text}" for turn in turns])]
    bare = [one.array for one in encode(texts)]
    return Index(texts, whole, said=[Said(turn.who, turn.at, own) for turn, own in zip(turns, bare, strict=True)])


def examples(talk: str, turns: Sequence[dialogues.Said], asked: Sequence[Question]) -> list[Example]:
    found: list[Example] = []
    ids = [turn.id for turn in turns]
    for sense in (True, False):
        index = index_of(turns, sense=sense)
        vectors = [one.array for one in encode([one.text for one in asked])] if sense else [None] * len(asked)
        for question, vector in zip(asked, vectors, strict=True):
            places, seen = index.candidates(question.text, vector)
            right = np.array([ids[place] in question.evidence for place in places.tolist()])
            found.append(Example(talk, seen, right, len(question.evidence), sense))
    return found


def trained(given: Sequence[Example], *, seed: int) -> nn.Sequential:
    """Softmax over a question's candidates; several right ones share the mass."""
    torch.manual_seed(seed)
    learnt = [one for one in given if one.right.any()]
    seen = torch.from_numpy(np.concatenate([one.seen for one in learnt]))
    owner = torch.from_numpy(np.repeat(np.arange(len(learnt)), [len(one.seen) for one in learnt]))
    right = torch.from_numpy(np.concatenate([one.right / one.right.sum() for one in learnt]).astype(np.float32))
    net = nn.Sequential(nn.Linear(len(NAMES), HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1, bias=False))
    steps = torch.optim.Adam(net.parameters(), lr=PACE, weight_decay=DECAY)
    for _ in range(STEPS):
        loss = -(right * _log_softmax(net(seen)[:, 0], owner, len(learnt))).sum() / len(learnt)
        steps.zero_grad()
        loss.backward()
        steps.step()
    return net


def _log_softmax(scores: Tensor, owner: Tensor, count: int) -> Tensor:
    most = torch.full((count,), -torch.inf).scatter_reduce(0, owner, scores.detach(), "amax")
    apart = scores - most[owner]
    return apart - torch.zeros(count).index_add(0, owner, apart.exp()).log()[owner]


def joined(nets: Sequence[nn.Sequential]) -> dict[str, Any]:
    """The mean of several nets, as one that is wider."""
    firsts = [net[0] for net in nets]
    return {
        "features": np.array(FEATURES),
        "first.weight": np.concatenate([one.weight.detach().numpy().T for one in firsts], axis=1).astype(np.float16),
        "first.bias": np.concatenate([one.bias.detach().numpy() for one in firsts]).astype(np.float16),
        "out.weight": (np.concatenate([net[2].weight.detach().numpy()[0] for net in nets]) / len(nets)).astype(
            np.float16
        ),
    }


def learnt(given: Sequence[Example]) -> Reranker:
    return Reranker(joined([trained(given, seed=seed) for seed in range(SEEDS)]))


def held_back(given: Sequence[Example]) -> None:
    found: dict[bool, list[list[float]]] = {True: [], False: []}
    for talk in dict.fromkeys(one.talk for one in given):
        net = learnt([one for one in given if one.talk != talk])
        for one in given:
            if one.talk == talk:
                scores = net.score(one.seen)
                found[one.sense].append([one.recall(scores, k) for k in KS])
    for sense, rows in found.items():
        reached = np.mean([one.right.sum() / one.wanted for one in given if one.sense == sense])
        print(f"held back, {_told(sense)}: {_shares(rows)}  among the candidates {reached:.3f}")


def elsewhere(given: Sequence[Example], data: Path, *, language: str) -> None:
    """In a language that nothing was learnt from."""
    net = learnt(given)
    asked = dialogues.questions(language=language)
    for talk, turns in dialogues.talks(data, language=language).items():
        found = examples(talk, turns, [one for one in asked if one.talk == talk])
        for sense in (True, False):
            rows = [[one.recall(net.score(one.seen), k) for k in KS] for one in found if one.sense == sense]
            print(f"{language}, {_told(sense)}: {_shares(rows)}  ({len(rows)} questions)")


def _told(sense: bool) -> str:
    return "words and sense" if sense else "words alone"


def _shares(rows: Sequence[Sequence[float]]) -> str:
    return "  ".join(f"@{k} {value:.3f}" for k, value in zip(KS, np.mean(rows, axis=0), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--folds", action="store_true")
    parser.add_argument("--data", type=Path, default=dialogues.DATA, help="the open data sets to learn from")
    options = parser.parse_args()
    torch.set_num_threads(1)
    given: list[Example] = []
    for talk, turns in dialogues.talks(options.data).items():
        given.extend(examples(talk, turns, [one for one in dialogues.questions() if one.talk == talk]))
    if options.folds:
        held_back(given)
        elsewhere(given, options.data, language="fr")
    with options.out.open("wb") as file:
        np.savez(file, **joined([trained(given, seed=seed) for seed in range(SEEDS)]))
    print(f"{options.out}: sha256 {hashlib.sha256(options.out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
