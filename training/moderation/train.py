"""Trains the classifier: `python -m training.moderation.train PACK OUT [--device cuda] [--epochs 6] [--fold K]`.

PACK is what training.moderation.pack wrote. Writes OUT.safetensors (8 bits: what ships), OUT.npz (the logits of every
held-back example, from which thresholds are chosen) and OUT.pt (for training.moderation.soup). With `--fold K` the
held-back part is the K-th fifth of all scenes instead, for looking at rows with a net that never saw them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from moderation.detectors.classifier.grams import places_of
from moderation.detectors.classifier.outputs import AT
from training.moderation.net import Net, loss_of
from training.moderation.quantise import quantised

FOLDS: Final = 5
SCORED: Final = 1200  # held-back written rows that an epoch is judged by
OURS: Final = 2.0  # examples of this weight and more carry labels of our own
CALM: Final = 0.85  # of lines that are laid before others, how many are harmless
SHORT: Final = 18  # tokens of a line that is laid before others: batches stay short
BEFORE_TOKENS: Final = 64  # as in moderation.detectors.classifier.reading
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
    token_drop: float = 0.05  # tokens masked at random
    dropout: float = 0.2
    branch: float = 0.15
    common: float = 3.0  # how much more the outputs count that say "anything at all", and how grave
    inside: float = 0.1  # dropout inside the upper layers
    trunk: int = 3  # layers that stay as they are
    beside: float = 0.5  # of messages that stand alone, how many are read beside another line
    average: float = 0.998  # of the weights over steps (exponential moving average): what is kept
    order: int = 7  # of the examples; the first weights are always the same, so that runs can be averaged


class Pack:
    """examples.npz, opened. Lengths in tokens; places made once."""

    def __init__(self, path: Path, *, places: bool = True) -> None:
        data = np.load(path)
        self.tokens: npt.NDArray[np.uint16] = data["tokens"]
        self.token_starts, self.token_ends = _runs(data["token_ends"])
        self.segment_starts, self.segment_ends = _runs(data["segment_ends"])
        self.lengths = self.token_ends[self.segment_ends - 1] - self.token_starts[self.segment_starts]
        self.targets: npt.NDArray[np.int8] = data["targets"]
        self.weights: npt.NDArray[np.float32] = data["weights"]
        self.held: npt.NDArray[np.bool_] = data["held"]
        self.source: npt.NDArray[np.int8] = data["source"]
        self.sources: list[str] = data["sources"].tolist()
        self.language: npt.NDArray[np.int8] = data["language"]
        self.scene: npt.NDArray[np.int8] = data["scene"]
        # Messages without a line before them; and single lines, by language, that could be one: harmless ones, and all.
        one, side = self.segment_ends - self.segment_starts == 1, self.targets[:, AT["message/any"]]
        self.alone = one & (self.targets[:, AT["message/T01"]] >= 0)
        one &= self.lengths <= SHORT
        self.calm = [np.flatnonzero(one & (side == 0) & (self.language == n)) for n in range(4)]
        self.lines = [np.flatnonzero(one & (side >= 0) & (self.language == n)) for n in range(4)]
        self.places = _places(data["texts"], data["text_ends"]) if places else []
        self.places_before = _places(data["earlier"], data["earlier_ends"]) if places else []

    def __len__(self) -> int:
        return len(self.lengths)

    def batches(self, rows: npt.NDArray[np.int64], size: int, rng: np.random.Generator | None) -> Iterator[Any]:
        """Rows of like length together; in a new order each time where `rng` is given."""
        if rng is None:
            order = rows[np.argsort(self.lengths[rows], kind="stable")]
            groups = [order[at : at + size] for at in range(0, len(order), size)]
        else:
            rows = rng.permutation(rows)
            groups = []
            for at in range(0, len(rows), size * 50):
                pool = rows[at : at + size * 50]
                pool = pool[np.argsort(self.lengths[pool], kind="stable")]
                groups += [pool[n : n + size] for n in range(0, len(pool), size)]
            groups = [groups[n] for n in rng.permutation(len(groups))]
        yield from groups


def _runs(ends: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    return np.concatenate([[0], ends[:-1]]), ends


def _places(blob: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int32]]:
    whole = blob.tobytes()
    starts = [0, *ends.tolist()[:-1]]
    return [places_of(whole[a:b].decode("utf-8")) for a, b in zip(starts, ends.tolist(), strict=True)]


class Trainer:
    """Trunk, net and data on one device."""

    def __init__(self, pack: Pack, encoder: Path, settings: Settings, device: str) -> None:
        torch.manual_seed(7)
        self.pack, self.settings, self.device = pack, settings, torch.device(device)
        self.amp = torch.bfloat16 if device == "cuda" else torch.float32
        self.bert = bert_open(encoder, settings.trunk).to(self.device)
        self.net = Net(
            nn.ModuleList(self.bert.encoder.layer[settings.trunk :]), dropout=settings.dropout, branch=settings.branch
        ).to(self.device)
        self.lower = self.bert.encoder.layer[: settings.trunk]
        for part in self.net.layers.modules():
            if isinstance(part, nn.Dropout):
                part.p = settings.inside
        self.columns = torch.ones(len(AT), device=self.device)
        for name, at in AT.items():
            if name.endswith(COMMON):
                self.columns[at] = settings.common
        self.tokens = torch.from_numpy(pack.tokens.astype(np.int32)).to(self.device)
        self.rng = np.random.default_rng(settings.order)

    def start(self, path: Path) -> None:
        """Goes on from weights in 8 bits."""
        from safetensors.numpy import load_file

        raw = load_file(path)
        full = {
            name: value.astype(np.float32) * raw[f"{name}.scale"] if f"{name}.scale" in raw else value
            for name, value in raw.items()
            if not name.endswith(".scale")
        }
        self.net.load_state_dict({name: torch.from_numpy(value.astype(np.float32)) for name, value in full.items()})

    def beside(self, rows: npt.NDArray[np.int64]) -> list[list[int]]:
        """For some messages that stand alone, one to three other rows, to be read as if they had been said before. Most
        messages come in a conversation, and what came before mostly has nothing to do with them."""
        chosen: list[list[int]] = [[] for _ in rows]
        if not self.net.training:
            return chosen
        for place, row in enumerate(rows):
            if self.pack.alone[row] and self.rng.random() < self.settings.beside:
                for _ in range(int(self.rng.integers(1, 4))):
                    pool = self.pack.calm if self.rng.random() < CALM else self.pack.lines
                    of_language = pool[int(self.pack.language[row])]
                    chosen[place].append(int(of_language[self.rng.integers(len(of_language))]))
        return chosen

    def hidden(self, rows: npt.NDArray[np.int64], beside: list[list[int]]) -> tuple[Tensor, Tensor, Tensor]:
        """What the trunk gives for every segment alone, laid side by side: hidden, kinds, mask (texts, tokens)."""
        pack = self.pack
        runs: list[tuple[int, int, bool]] = []  # first token, end, and whether it is what is judged
        whole_lengths = []
        for row, others in zip(rows, beside, strict=True):
            own = [
                (int(pack.token_starts[at]), int(pack.token_ends[at]))
                for at in range(pack.segment_starts[row], pack.segment_ends[row])
            ]
            for other in others:
                at = int(pack.segment_ends[other]) - 1
                end = int(pack.token_ends[at])
                own.insert(0, (max(int(pack.token_starts[at]), end - BEFORE_TOKENS), end))
            runs += [(start, end, number == len(own) - 1) for number, (start, end) in enumerate(own)]
            whole_lengths.append(sum(end - start for start, end in own))
        starts, ends, last = (np.asarray(column) for column in zip(*runs, strict=True))
        lengths = torch.from_numpy(ends - starts).to(self.device)
        at = torch.from_numpy(starts).to(self.device)
        reach = torch.arange(int(lengths.max()), device=self.device)
        real = reach[None, :] < lengths[:, None]
        ids = self.tokens[(at[:, None] + reach[None, :]).clamp(max=len(self.tokens) - 1)].masked_fill(~real, 0)
        if self.net.training and self.settings.token_drop:
            lot = torch.rand(ids.shape, device=self.device) < self.settings.token_drop
            ids = ids.masked_fill(lot & real & (reach[None, :] > 0), 103)  # [MASK]
        with torch.no_grad():
            states = self.bert.embeddings(input_ids=ids)
            for layer in self.lower:
                given = layer(states, real[:, None, None, :])
                states = given[0] if isinstance(given, tuple) else given
        # One after another, in the order of the rows: segments of a row follow each other.
        flat = states[real]
        kind = torch.from_numpy(~last).to(self.device).long()[:, None].expand_as(real)[real]
        whole = torch.tensor(whole_lengths, device=self.device)
        mask = torch.arange(int(whole.max()), device=self.device)[None, :] < whole[:, None]
        hidden = flat.new_zeros(*mask.shape, flat.shape[-1])
        kinds = torch.zeros(mask.shape, dtype=torch.long, device=self.device)
        hidden[mask], kinds[mask] = flat, kind
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

    def logits(self, rows: npt.NDArray[np.int64]) -> Tensor:
        pack, beside = self.pack, self.beside(rows)
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

    def train(self, rows: npt.NDArray[np.int64], held: npt.NDArray[np.int64]) -> float:
        """Learns from `rows`; of all epochs the averaged weights that do best on `held` are kept. How well they do."""
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
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min(1.0, step / 200) * max(0.0, 1 - step / steps)
        )
        written = self.pack.sources.index("written")
        weights = np.where(self.pack.source == written, self.pack.weights * s.written, self.pack.weights)
        kept = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(s.average))
        best: tuple[float, dict[str, Tensor]] = (-1.0, {})
        for epoch in range(s.epochs):
            self.net.train()
            total, count, begun = 0.0, 0, time.monotonic()
            for batch in self.pack.batches(rows, s.batch, self.rng):
                targets = torch.from_numpy(self.pack.targets[batch]).to(self.device)
                counts = torch.from_numpy(weights[batch]).float().to(self.device)
                loss = loss_of(self.logits(batch), targets, counts, self.columns)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                kept.update_parameters(self.net)
                if count % 50 == 0:
                    total += float(loss.detach())
                if count % 200 == 199:
                    print(f"    step {count + 1}, {time.monotonic() - begun:.0f} s", flush=True)
                count += 1
            learning, self.net = self.net, kept.module
            score = self.score(held)
            if score > best[0]:
                best = (score, {name: weight.detach().clone() for name, weight in self.net.state_dict().items()})
            self.net = learning
            loss_mean, spent = total / max(1, -(-count // 50)), time.monotonic() - begun
            print(f"  epoch {epoch + 1}: loss {loss_mean:.4f}, held {score:.4f}, {spent:.0f} s", flush=True)
        self.net.load_state_dict(best[1])
        return best[0]

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
        for batch in self.pack.batches(rows, 256, None):
            values = self.logits(batch).cpu().numpy()
            found[[place[int(row)] for row in batch]] = values
        return found


def bert_open(path: Path, trunk: int = 3) -> Any:
    """The encoder of training.moderation.pack, frozen but for its upper layers, in full precision."""
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    config._attn_implementation = "sdpa"
    model = BertModel(config, add_pooling_layer=False)
    weights = load_file(path)
    full = {
        name: weight.float() * weights[f"{name}.scale"].float() if f"{name}.scale" in weights else weight.float()
        for name, weight in weights.items()
        if not name.endswith(".scale") and not name.startswith("pooler")
    }
    missing, unknown = model.load_state_dict(full, strict=False)
    if [name for name in missing if "position_ids" not in name] or unknown:
        raise ValueError(f"not the encoder's weights: missing {missing}, unknown {unknown}")
    for name, weight in model.named_parameters():
        weight.requires_grad_(name.startswith(tuple(f"encoder.layer.{n}." for n in range(trunk, 6))))
    return model.eval()


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
    from safetensors.numpy import save_file

    found = trainer.held_logits(rest)
    print(json.dumps(report(trainer.pack, rest, found)), flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out.with_suffix(".npz"), rows=rest, found=found.astype(np.float16))
    weights = {name: weight.float().cpu().numpy() for name, weight in trainer.net.state_dict().items()}
    save_file(quantised(weights), out.with_suffix(".safetensors"))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--fold", type=int)
    parser.add_argument("--start", type=Path, help="weights to go on from, as they ship")
    parser.add_argument("--head-only", action="store_true", help="layers and pieces of words stay as they are")
    parser.add_argument("--opened", type=float, default=1.0, help="share of the open sets' rows to learn from")
    for name, value in vars(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    options = vars(parser.parse_args(arguments))
    folder, out, device, fold = (options.pop(name) for name in ("pack", "out", "device", "fold"))
    start, opened, head_only = options.pop("start"), options.pop("opened"), options.pop("head_only")
    settings = Settings(**options)
    pack = Pack(folder / "examples.npz")
    trainer = Trainer(pack, folder / "encoder.safetensors", settings, device)
    held = pack.held if fold is None else pack.scene % FOLDS == fold
    if start is not None:
        trainer.start(start)
    if head_only:
        trainer.net.layers.requires_grad_(False)
        trainer.net.grams.requires_grad_(False)
    bank = [at for at, name in enumerate(pack.sources) if name == "bank"]  # none with --written-only
    ours = (pack.weights >= OURS) | np.isin(pack.source, bank)
    some = ours | (np.random.default_rng(1).random(len(pack)) < opened)
    # Of the open sets' held-back rows as many as are learnt from: enough for the cuts.
    train, rest = np.flatnonzero(~held & some), np.flatnonzero(held & some)
    print(f"{len(train)} to learn from, {len(rest)} held back; {settings}", flush=True)
    written = np.flatnonzero(held & (pack.source == pack.sources.index("written")))
    best = 0.0
    if settings.epochs:  # none: only the held-back logits of the weights that it starts from
        best = trainer.train(train, np.random.default_rng(2).permutation(written)[:SCORED])
    written_out(trainer, rest, out)
    torch.save({"held": best, "net": trainer.net.state_dict()}, out.with_suffix(".pt"))  # for training.moderation.soup


if __name__ == "__main__":
    main()
