"""Teaches the output that decides what ordinary talk is like:
`python -m training.moderation.everyday KEPT.npz [--version 0.4.1]`.

`message/any` was learnt beside close calls and reads one message in twenty of an ordinary talk like danger, for hardly
any row is one. Its last weights alone, which are linear, are learnt again here: on what the rest of the classifier
makes of written rows (danger, close calls), of the messages of training/understanding and of whole talks that readers
held (training/talks), which are all harmless. All else stays as it was trained. Rows about the own life count five
times, so that what is found of them stays. A message is also read beside the ones before it, so half of all rows are
given a few ordinary messages that came before; those of talks have their own.

The cut is then set where somewhat more of the held-back danger is found than before, the doubt where as much is, what
is sure where as little of ordinary talk is; it prints what that gives. What the classifier makes of 90,000 texts (half
an hour) is kept in KEPT.npz.
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
import yaml
from safetensors.numpy import load_file, save_file
from torch.nn.functional import binary_cross_entropy_with_logits

from moderation.detectors.classifier.detector import ENOUGH, Classifier
from moderation.detectors.classifier.outputs import AT
from moderation.detectors.classifier.reading import BEFORE
from moderation.detectors.classifier.weights import FOLDER, SETTINGS
from moderation.types import Language
from training.moderation.written import examples_written
from training.talks import talks
from training.understanding.rows import HELD_SHARE, rows_written

ANY: Final = AT["message/any"]
MOST: Final = 20_000  # written rows of danger
MOST_CLOSE: Final = 11_000  # written rows that only look like it
OWN_LIFE: Final = 5.0  # weight of rows of L2 and over
ORDINARY: Final = 2.0  # ... of messages of ordinary talk
BESIDE: Final = 0.5
EPOCHS, BATCH, RATE, DECAY = 30, 512, 2e-3, 1e-2
MORE: Final = 0.012  # more of the held-back danger is found than before: texts of other sets stand further off
SURE: Final = 0.9  # asking.SURE

Floats = npt.NDArray[np.float32]
Kind = int
DANGER, CLOSE, TALK = 0, 1, 2


@dataclass(frozen=True)
class Row:
    text: str
    language: Language
    kind: Kind
    before: tuple[str, ...] = ()
    own_life: bool = False
    held: bool = False


@dataclass(frozen=True)
class Kept:
    """Of each run (what is read by itself, or beside what came before): inner (runs, 256) and bag (runs, 32), what the
    last weights see; any (runs,), what they said; of, which row it is of. Of each row the rest."""

    inner: Floats
    bag: Floats
    any: Floats
    of: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int8]
    own_life: npt.NDArray[np.bool_]
    held: npt.NDArray[np.bool_]
    long: npt.NDArray[np.bool_]

    def most(self, of_runs: Floats) -> Floats:
        """(rows,): the most that was said of any run, which is what counts."""
        found = np.full(len(self.kind), -np.inf, np.float32)
        np.maximum.at(found, self.of, of_runs)
        return found

    def learnt(self) -> npt.NDArray[np.int64]:
        """The runs to learn from: all of what is harmless; of danger that of which most was said."""
        danger = (self.kind == DANGER)[self.of]
        chosen = ~danger | (self.any >= self.most(self.any)[self.of])
        return np.flatnonzero(chosen & ~self.held[self.of])


def rows() -> Iterator[Row]:
    draw = random.Random(5)  # noqa: S311  no secret
    found: dict[Kind, list[Row]] = {DANGER: [], CLOSE: []}
    for example in examples_written():
        truth = example.targets.get("message/any")
        if truth is not None:
            own = any(example.targets.get(f"message/L{level}") == 1 for level in (2, 3, 4))
            kind = DANGER if truth else CLOSE
            row = Row(example.text, example.language, kind, tuple(example.before), own, example.part == "held")
            found[kind].append(row)
    for kind, most in ((DANGER, MOST), (CLOSE, MOST_CLOSE)):
        yield from draw.sample(found[kind], min(most, len(found[kind])))
    for row in rows_written():
        yield Row(row.text, row.language, TALK, held=row.held)
    for talk in talks():
        said = [turn.text for turn in talk.turns]
        held = hashlib.sha256(talk.id.encode()).digest()[0] % HELD_SHARE == 0
        for at, text in enumerate(said):
            yield Row(text, talk.language, TALK, tuple(said[max(0, at - BEFORE) : at]), held=held)


def beside_talk(some: Sequence[Row]) -> Iterator[Row]:
    """Half of the rows that stand by themselves once more, after one to three ordinary messages of their own side."""
    draw = random.Random(6)  # noqa: S311  no secret
    talk: defaultdict[tuple[Language, bool], list[str]] = defaultdict(list)
    for row in some:
        if row.kind == TALK:
            talk[row.language, row.held].append(row.text)
    for row in some:
        if not row.before and draw.random() < BESIDE:
            yield replace(row, before=tuple(draw.sample(talk[row.language, row.held], draw.randint(1, 3))))


def read(some: Sequence[Row]) -> Kept:
    classifier = Classifier()
    runs: list[tuple[Floats, Floats, Floats]] = []
    of: list[int] = []
    for number, row in enumerate(some):
        inner, bag, logits = classifier.seen(classifier.read(row.text, row.before))
        runs += [(one, bag[0], logits[at, ANY]) for at, one in enumerate(inner)]
        of += [number] * len(inner)
    inner, bag, said = (np.stack([run[at] for run in runs]).astype(np.float32) for at in range(3))
    kinds = np.array([row.kind for row in some], np.int8)
    own, held = np.array([row.own_life for row in some]), np.array([row.held for row in some])
    long = np.array([len(row.text.split()) >= ENOUGH for row in some])
    return Kept(inner, bag, said, np.array(of), kinds, own, held, long)


@dataclass(frozen=True)
class Learned:
    """The new logit is scale * the old one + inner @ of_inner + bag @ of_bag + bias."""

    scale: float
    of_inner: Floats
    of_bag: Floats
    bias: float

    def logits(self, kept: Kept) -> Floats:
        """(rows,)"""
        found: Floats = self.scale * kept.any + kept.inner @ self.of_inner + kept.bag @ self.of_bag + self.bias
        return kept.most(found)


def learned(kept: Kept) -> Learned:
    torch.manual_seed(1)
    learn = kept.learnt()
    kind, own_life = kept.kind[kept.of], kept.own_life[kept.of]
    seen = torch.tensor(np.concatenate([kept.inner, kept.bag], axis=1)[learn])
    said, truth = torch.tensor(kept.any[learn]), torch.tensor((kind == DANGER)[learn], dtype=torch.float)
    weight = torch.tensor(np.where(own_life, OWN_LIFE, np.where(kind == TALK, ORDINARY, 1.0))[learn])
    line, scale = torch.nn.Linear(seen.shape[1], 1), torch.tensor(1.0, requires_grad=True)
    torch.nn.init.zeros_(line.weight)
    torch.nn.init.zeros_(line.bias)
    optimizer = torch.optim.AdamW([*line.parameters(), scale], lr=RATE, weight_decay=DECAY)
    for _ in range(EPOCHS):
        for some in torch.randperm(len(seen)).split(BATCH):
            found = line(seen[some])[:, 0] + scale * said[some]
            loss = (binary_cross_entropy_with_logits(found, truth[some], reduction="none") * weight[some]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    own = line.weight.detach().numpy()[0].astype(np.float32)
    width = kept.inner.shape[1]
    return Learned(float(scale.detach()), own[:width], own[width:], float(line.bias.detach()))


def share_over(scores: Floats, cut: float, among: npt.NDArray[np.bool_]) -> float:
    return float((scores[among] >= cut).mean())


def cuts(new: Floats, kept: Kept, settings: dict[str, Any]) -> dict[str, float]:
    """slope and shift of `any`, and `unsure`; prints what they give on what is held back."""
    now = settings["cuts"]["message/any"]
    before = now["slope"] * kept.most(kept.any) + now["shift"]
    danger, close, talk = (kept.held & kept.long & (kept.kind == kind) for kind in (DANGER, CLOSE, TALK))
    own = danger & kept.own_life
    half = float(np.quantile(new[danger], 1 - share_over(before, 0.0, danger) - MORE))
    surely = float(np.log(SURE / (1 - SURE)))
    sure = max(half + 0.5, float(np.quantile(new[talk], 1 - share_over(before, surely, talk))))
    slope = surely / (sure - half)
    doubt = float(np.log(settings["unsure"] / (1 - settings["unsure"])))
    least = min(half, float(np.quantile(new[danger], 1 - share_over(before, doubt, danger))))
    unsure = float(1 / (1 + np.exp(-slope * (least - half))))
    for name, among in (("danger", danger), ("own life", own), ("close calls", close), ("ordinary talk", talk)):
        was = [f"{share_over(before, cut, among):6.2%}" for cut in (0.0, doubt, surely)]
        is_now = [f"{share_over(new, cut, among):6.2%}" for cut in (half, least, sure)]
        print(f"{name:14} {among.sum():6}  acted on {was[0]} -> {is_now[0]}", end="  ")
        print(f"with doubts {was[1]} -> {is_now[1]}  sure {was[2]} -> {is_now[2]}")
    return {"slope": round(slope, 4), "shift": round(-slope * half, 4), "unsure": round(unsure, 4)}


def written(found: Learned, path: Path) -> None:
    weights = load_file(path)
    out, direct, bias = (weights[name].astype(np.float32) for name in ("out.weight", "direct.weight", "out.bias"))
    out[ANY] = found.scale * out[ANY] + found.of_inner
    direct[ANY] = found.scale * direct[ANY] + found.of_bag
    bias[ANY] = found.scale * bias[ANY] + found.bias
    for name, value in (("out.weight", out), ("direct.weight", direct), ("out.bias", bias)):
        weights[name] = value.astype(weights[name].dtype)
    save_file(weights, path)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kept", type=Path)
    parser.add_argument("--version", default="0.4.1")
    options = parser.parse_args(arguments)
    if options.kept.exists():
        with np.load(options.kept) as stored:
            kept = Kept(**{name: stored[name] for name in stored.files})
    else:
        some = list(rows())
        kept = read([*some, *beside_talk(some)])
        np.savez(options.kept, **vars(kept))
    found = learned(kept)
    settings = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    given = cuts(found.logits(kept), kept, settings)
    target = FOLDER / settings["file"]
    written(found, target)
    settings["unsure"] = given.pop("unsure")
    settings["cuts"]["message/any"] = given
    settings |= {"version": options.version, "made_on": date.today().isoformat()}
    settings["sha256"] = hashlib.sha256(target.read_bytes()).hexdigest()
    SETTINGS.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
