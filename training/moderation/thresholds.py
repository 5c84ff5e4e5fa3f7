"""Where each output cuts, chosen on the held-back scenes alone:
`python -m training.moderation.thresholds PACK RUN.npz WEIGHTS.safetensors [--version 1.0.0]`.

For each output: a slope by logistic regression of the truth on the logit (Platt 1999), and a cut. `any` decides
whether anything is done: the lowest cut that keeps harmless texts under it, those that were written to look like danger
and those of everyday talk. Of a message its slope is such that no more of everyday talk than said here is over what
counts as sure (moderation.asking). Under the cut, `unsure` is the score from which a message isn't called fine. The
others only name what `any` found, so they cut where naming goes best (F1); but hate is also asked for by itself, and
cuts where as few harmless rows of its own scenes stay over it as of all rows over `any`.

Writes moderation/detectors/classifier/classifier.yaml and prints what each cut gives.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import yaml

from moderation.asking import SURE
from moderation.detectors.classifier.detector import ENOUGH
from moderation.detectors.classifier.outputs import AT, OUTPUTS
from moderation.detectors.classifier.weights import FOLDER, SETTINGS, Cut
from training.moderation.ordinary import SOURCE as ORDINARY
from training.moderation.packed import Pack

# How many harmless texts may be acted on: of written ones, each of them made to look like danger, and of everyday ones.
WRITTEN_FALSE: Final = {"message": 0.044, "reply": 0.02}
EVERYDAY_FALSE: Final = {"message": 0.026, "reply": 0.02}  # a reply is tried once more
EVERYDAY_SURE: Final = 0.002  # ... at once, without a question first
# And of how many it may be said that nobody is sure.
WRITTEN_UNSURE: Final = 0.078
EVERYDAY_UNSURE: Final = 0.07
TALK: Final = (
    ORDINARY, "clinc150", "natural_questions", "self_dialogue", "synthetic_persona_chat", "topical_chat", "xpersona",
)  # fmt: skip
# The bank's answers are everyday replies; its sayings are of all that a teenager brings, trouble too.
EVERYDAY: Final = {"message": TALK, "reply": (*TALK, "bank")}


LEAST: Final = 8  # positives that a cut is chosen from; with fewer the output never speaks

Logits = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Chosen:
    """One output's cut and what it gives on the held-back rows."""

    name: str
    slope: float
    shift: float
    recall: float
    false: float
    everyday: float
    positives: int


@dataclass(frozen=True)
class Among:
    """Held-back rows. harmless: written to look like danger; everyday: talk; beside: in a scene with a positive."""

    harmless: Mask
    everyday: Mask
    beside: Mask


def chosen(name: str, logits: Logits, truth: npt.NDArray[np.int8], among: Among) -> Chosen:
    """truth: 1, 0, or -1 for unknown."""
    harmless, everyday, beside = among.harmless, among.everyday, among.beside
    known, positive = truth >= 0, truth == 1
    if positive.sum() < LEAST:
        return Chosen(name, 1.0, -8.0, 0.0, 0.0, 0.0, int(positive.sum()))
    slope = _slope(logits[known], positive[known])
    side, _, output = name.partition("/")
    if output == "T16":
        cut = _over(logits[beside & harmless & ~positive], WRITTEN_FALSE[side])
    elif output == "any":
        cut = max(_over(logits[harmless], WRITTEN_FALSE[side]), _over(logits[everyday], EVERYDAY_FALSE[side]))
        if side == "message":
            slope = _odds(SURE) / max(0.5, _over(logits[everyday], EVERYDAY_SURE) - cut)
    else:
        cut = _balanced(logits[known], positive[known])
    over = logits >= cut
    return Chosen(
        name, slope, -slope * cut, float(over[positive].mean()), float(over[harmless].mean()),
        float(over[everyday].mean()), int(positive.sum()),
    )  # fmt: skip


def _odds(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))


def _over(logits: Logits, share: float) -> float:
    """The lowest cut that so many stay over."""
    return float(np.quantile(logits, 1 - share)) + 1e-4


def _slope(logits: Logits, positive: Mask) -> float:
    """One-dimensional logistic regression by Newton's method, each step halved until the loss falls: from afar a whole
    one runs off."""
    x, target = logits.astype(np.float64), positive.astype(np.float64)
    at = np.zeros(2)  # slope, shift
    loss = _log_loss(at, x, target)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(at[0] * x + at[1], -30, 30)))
        w = p * (1 - p) + 1e-9
        gradient = np.array([((p - target) * x).sum(), (p - target).sum()])
        hessian = np.array([[(w * x**2).sum() + 1e-3, (w * x).sum()], [(w * x).sum(), w.sum() + 1e-3]])
        step = np.linalg.solve(hessian, gradient)
        while (new := _log_loss(at - step, x, target)) > loss and np.abs(step).max() > 1e-9:
            step /= 2
        if loss - new < 1e-9 * len(x):
            break
        at, loss = at - step, new
    return float(np.clip(at[0], 0.2, 3.0))


def _log_loss(at: npt.NDArray[np.float64], x: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> float:
    return float((np.logaddexp(0, at[0] * x + at[1]) - target * (at[0] * x + at[1])).sum())


def _balanced(logits: Logits, positive: Mask) -> float:
    """The cut with the best F1: for naming what is known to be there."""
    order = np.argsort(-logits)
    hits = np.cumsum(positive[order])
    f1 = 2 * hits / (np.arange(1, len(logits) + 1) + positive.sum())
    return float(logits[order][int(np.argmax(f1))])


def unsure(any_logits: Logits, cut: Cut, harmless: Mask, everyday: Mask) -> float:
    """The score of `any` over which so few harmless messages stay that all of them may be answered with more care."""
    least = max(_over(any_logits[harmless], WRITTEN_UNSURE), _over(any_logits[everyday], EVERYDAY_UNSURE))
    return min(0.5, round(float(1 / (1 + np.exp(-(cut.slope * least + cut.shift)))), 4))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--version", default="1.0.0")
    options = parser.parse_args(arguments)
    pack = Pack(options.pack / "examples.npz", places=False)
    run = np.load(options.run)
    rows, logits = run["rows"], run["found"].astype(np.float32)
    enough = pack.words[rows] >= ENOUGH
    written = enough & (pack.source[rows] == pack.sources.index("written"))
    everyday = {
        side: enough & np.isin(pack.source[rows], [pack.sources.index(name) for name in names if name in pack.sources])
        for side, names in EVERYDAY.items()
    }
    cuts = {}
    print("output, held-back positives, recall; over the cut among harmless written rows, among everyday ones")
    for name in OUTPUTS:
        side = name.partition("/")[0]
        harmless = written & (pack.targets[rows, AT[f"{side}/any"]] == 0)
        truth = np.where(written, pack.targets[rows, AT[name]], -1)
        known = pack.targets[rows, AT[f"{side}/T01"]] == 0
        beside = written & np.isin(pack.scene[rows], pack.scene[rows][truth == 1])
        cut = chosen(name, logits[:, AT[name]], truth, Among(harmless, everyday[side] & known, beside))
        cuts[name] = {"slope": round(cut.slope, 4), "shift": round(cut.shift, 4)}
        if cut.positives:
            print(f"  {name:20} {cut.positives:5} {cut.recall:6.1%} {cut.false:6.2%} {cut.everyday:6.2%}")
    target = FOLDER / "weights.safetensors"
    if options.weights.resolve() != target:
        shutil.copyfile(options.weights, target)
    settings = {
        "file": target.name,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "version": options.version,
        "made_on": date.today().isoformat(),
        "unsure": unsure(
            logits[:, AT["message/any"]],
            Cut(**cuts["message/any"]),
            written & (pack.targets[rows, AT["message/any"]] == 0),
            everyday["message"] & (pack.targets[rows, AT["message/T01"]] == 0),
        ),
        "cuts": cuts,
    }
    SETTINGS.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
