"""What towers do on what was kept back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from training.multilingual.laid import Numbers

if TYPE_CHECKING:
    from training.next_turn.train import Trainer

AMONG: Final = 20
SCORED: Final = 3000  # pairs, or places, of a kind
LANGUAGES: Final = ("en", "pt-BR", "es", "fr")
CHOOSE: Final = 1
PLACES: Final = 32  # read at once: each has 33 lines


@torch.inference_mode()
def figures(trainer: Trainer) -> dict[str, float]:
    """By language: `follows` and `follows ours`, hits@1 among 20 of open dialogues and of the bank; `same`, how often
    the nearest of all the bank's messages is of a message's own exchange, beside the whole encoder's `taught`;
    `sensible`, `specific`: how often the line that follows best in a judged place is; all: the mean of those that
    choose among runs."""
    trainer.net.eval()
    found: dict[str, float] = {}
    for number, name in enumerate(LANGUAGES):
        found |= {f"{kind} {name}": round(value, 4) for kind, value in _of(trainer, number).items()}
    chosen = [value for kind, value in found.items() if not kind.startswith("taught")]
    return {"all": round(float(np.mean(chosen)), 4) if chosen else 0.0, **found}


def _of(trainer: Trainer, language: int) -> dict[str, float]:
    data, found = trainer.data, {}
    for kind, ours in (("follows", False), ("follows ours", True)):
        rows = np.flatnonzero((data["part"] == CHOOSE) & (data["language"] == language) & (data["ours"] == ours))
        if len(rows) > AMONG:
            rows = np.random.default_rng(3).permutation(rows)[:SCORED]
            said = torch.cat([trainer.said(data["before"][some])[0] for some in _parts(rows)])
            reply = torch.cat([trainer.answered(data["reply"][some]) for some in _parts(rows)])
            found[kind] = hits_of(said, reply, torch.from_numpy(data["group"][rows]).to(trainer.device))
    own = data["way_language"] == language
    asked, known = np.flatnonzero(own & data["way_held"]), np.flatnonzero(own & ~data["way_held"])
    if len(asked) and len(known):
        vectors = [
            torch.cat([trainer.said(data["way"][some][:, None])[1] for some in _parts(rows)]) for rows in (asked, known)
        ]
        taught = [trainer.taught[torch.from_numpy(data["way"][rows]).to(trainer.device)] for rows in (asked, known)]
        right = data["way_exchange"]
        for kind, (one, other) in (("same", vectors), ("taught", taught)):
            nearest = known[(one @ other.T).argmax(1).cpu().numpy()]
            found[kind] = float((right[nearest] == right[asked]).mean())
    places = np.flatnonzero((data["place_language"] == language) & data["place_held"])[:SCORED]
    if len(places):
        best = np.concatenate([_best(trainer, some) for some in _parts(places, PLACES)])
        found |= {"sensible": float((best > 0).mean()), "specific": float((best > 1).mean())}
    return found


def _best(trainer: Trainer, places: Numbers) -> Numbers:
    """The mark of the line that follows best in each of these places."""
    place, lines, marks = trainer.marked(places)
    said = trainer.said(trainer.data["place_before"][places])[0]
    scores = (said[torch.from_numpy(place).to(trainer.device)] * trainer.answered(lines)).sum(1).cpu().numpy()
    order = np.lexsort((-scores, place))
    first = np.unique(place[order], return_index=True)[1]
    return marks[order][first].astype(np.int64)


def _parts(rows: Numbers, most: int = 512) -> list[Numbers]:
    return np.array_split(rows, max(1, -(-len(rows) // most)))


def hits_of(said: Tensor, reply: Tensor, group: Tensor) -> float:
    """The share of messages whose own reply is the closest among it and 19 others' (drawn, always the same)."""
    draw = np.random.default_rng(5)
    others = torch.from_numpy(draw.integers(0, len(said), (len(said), AMONG - 1))).to(said.device)
    wrong = (said[:, None, :] * reply[others]).sum(2)
    wrong = wrong.masked_fill(group[others] == group[:, None], -2.0)
    own = (said * reply).sum(1)
    return float((own[:, None] > wrong).all(1).float().mean())
