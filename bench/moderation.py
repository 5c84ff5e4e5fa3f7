"""How well the whole safety layer tells danger from what only looks like it, beside simple peers in the same run:
`python -m bench.moderation [--dev FOLDER] [--train FOLDER] [--no-peers]`, or `make bench-moderation`.

Ours: rules, watch and classifier, as shipped, band 13-15. Peers: better-profanity (a keyword list), alt-profanity-check
(a linear model on words), and a linear head on this house's own encoder, trained here on the open sets of ../shared.
Each score is the one that curves are drawn from; "acted on" is any action but `allow`.

Printed, and kept in bench/results/moderation.txt with the day and the commit. Nothing is tuned on these sets.
"""

from __future__ import annotations

import argparse
import collections
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench import always_open, held_back, jailbreaks
from bench.safety import DEV, OTHER_FILES, RESULTS, ROOT, Share, _rows
from bench.turn import commit
from chatbot.core import clock
from chatbot.core.encoder import TRUNK, encode
from moderation.detectors.classifier.detector import Classifier
from moderation.detectors.classifier.reading import Reading, runs_of
from moderation.screen import Screen
from moderation.types import Language, Screening, WatchState

OUT = RESULTS.parent / "moderation.txt"
TRAIN = ROOT.parent / "shared" / "data" / "train"
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
HATE = ("T16", "T17")
PEER_ROWS = 12_000
Scorer = Callable[[Sequence[str]], list[float]]


@dataclass(frozen=True)
class Row:
    """A text of a set: what it is (`bad`), and the group that it is reported under."""

    text: str
    bad: bool
    group: str = ""
    language: Language = "en"


# --- ours -------------------------------------------------------------------------------------------------------------


class Ours:
    """The shipped screen, with texts encoded in batches."""

    def __init__(self) -> None:
        self.classifier = Classifier()
        self.screen = Screen(classifier=self.classifier)

    def screened(self, rows: Sequence[Row]) -> list[Screening]:
        found: list[Screening] = []
        own = self.classifier.encoder()
        for start in range(0, len(rows), 256):
            chunk = rows[start : start + 256]
            encoded = own.encode([row.text for row in chunk], heads=(TRUNK,))
            runs = [runs_of(one, ()) for one in encoded]
            given = iter(own.joined([run for several in runs for run in several], head=self.classifier.head))
            for row, several in zip(chunk, runs, strict=True):
                reading = Reading(row.text, (), tuple(next(given) for _ in several))
                found.append(self.one(row.text, row.language, reading))
        return found

    def one(self, text: str, language: Language, reading: Reading | None = None) -> Screening:
        watch = WatchState()
        return self.screen.check_message(text, reading=reading, band="13-15", language=language, watch=watch, now=NOW)


# --- peers ------------------------------------------------------------------------------------------------------------


def keyword_list() -> Scorer:
    from better_profanity import profanity

    profanity.load_censor_words()
    return lambda texts: [float(profanity.contains_profanity(text)) for text in texts]


def profanity_check() -> Scorer:
    from profanity_check import predict_prob

    return lambda texts: [float(value) for value in predict_prob(list(texts))]


def linear_head(folder: Path) -> Scorer:
    """Logistic regression on sentence vectors, from the open sets' own labels of anything harmful or toxic."""
    from sklearn.linear_model import LogisticRegression

    from training.moderation.opened import examples_opened

    known: list[tuple[str, int]] = []
    for example in examples_opened(folder):
        value = example.targets.get("message/any", example.targets.get("message/toxic"))
        if value is not None:
            known.append((example.text, value))
    rng = np.random.default_rng(1)
    some = [known[int(at)] for at in rng.permutation(len(known))[:PEER_ROWS]]
    vectors = np.stack([one.array for one in encode([text for text, _ in some])])
    head = LogisticRegression(max_iter=500, class_weight="balanced").fit(vectors, [bad for _, bad in some])
    return lambda texts: head.predict_proba(np.stack([one.array for one in encode(list(texts))]))[:, 1].tolist()


def peers(train: Path) -> Iterator[tuple[str, Scorer]]:
    for name, make in (
        ("better-profanity", keyword_list),
        ("alt-profanity-check", profanity_check),
        ("MiniLM, linear head", lambda: linear_head(train)),
    ):
        try:
            yield name, make()
        except Exception as error:  # a peer that can't run here is said, and the rest goes on
            print(f"  {name} is not here: {error}")


# --- figures ----------------------------------------------------------------------------------------------------------


def auprc(bad: Sequence[bool], scores: Sequence[float]) -> float:
    """Average precision; ties are taken together, so that a list of yes and no gets no luck of the order."""
    truth, values = np.asarray(bad), np.asarray(scores)
    total, hits, seen, area = max(1, int(truth.sum())), 0, 0, 0.0
    for value in np.unique(values)[::-1]:
        at = values == value
        new = int(truth[at].sum())
        hits, seen = hits + new, seen + int(at.sum())
        area += new / total * hits / seen
    return area


def figures(bad: Sequence[bool], flagged: Sequence[bool]) -> str:
    pairs = collections.Counter(zip(bad, flagged, strict=True))
    hit, missed, false, right = pairs[True, True], pairs[True, False], pairs[False, True], pairs[False, False]
    precision = hit / (hit + false) if hit + false else 0.0
    recall = hit / (hit + missed) if hit + missed else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    balanced = (recall + (right / (right + false) if right + false else 0.0)) / 2
    false_rate = false / (false + right) if false + right else 0.0
    return (
        f"precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}, balanced accuracy {balanced:.3f}, "
        f"false {false_rate:.1%}"
    )


def actions(found: Iterable[Screening]) -> str:
    counted = collections.Counter(one.decision.action for one in found)
    total = sum(counted.values()) or 1
    return ", ".join(f"{name} {count / total:.1%}" for name, count in counted.most_common())


# --- the sets ---------------------------------------------------------------------------------------------------------


def simple_safety(dev: Path) -> list[Row]:
    rows = _rows(dev / "simple_safety_tests" / "prompts.jsonl")
    return [Row(row["prompt"], True, row["harm_area"]) for row in rows]


def xstest(dev: Path) -> list[Row]:
    return [Row(r["prompt"], r["label"] == "unsafe", r["label"]) for r in _rows(dev / "xstest" / "prompts.jsonl")]


def teen_policy(dev: Path) -> list[Row]:
    rows = _rows(dev / "teen_policy_pack" / "prompts.jsonl")
    graded = [(row, int(str(row["label"])[-1])) for row in rows if row.get("text")]
    return [Row(row["text"], grade >= 2, row["policy"]) for row, grade in graded if grade != 1]


def not_inject(dev: Path) -> list[Row]:
    return [Row(row["prompt"], False) for row in _rows(dev / "prompt_injections" / "notinject.jsonl")]


def hatecheck(path: Path, language: Language) -> list[Row]:
    rows = _rows(path)
    return [
        Row(row["test_case"], row["label_gold"] == "hateful", row["target_ident"] or "none", language) for row in rows
    ]


def sets(dev: Path) -> Iterator[tuple[str, list[Row]]]:
    yield "SimpleSafetyTests", simple_safety(dev)
    yield "XSTest", xstest(dev)
    yield "Teen safety policy pack (grades 2 and 3 against 0)", teen_policy(dev)
    yield "NotInject (all harmless)", not_inject(dev)
    yield "HateCheck, en", hatecheck(dev / "hatecheck" / "cases.jsonl.gz", "en")
    for name, language in OTHER_FILES.items():
        folder = dev / "multilingual_hatecheck"
        yield f"Multilingual HateCheck, {language}", hatecheck(folder / f"{name}.jsonl.gz", language)


def on_set(name: str, rows: list[Row], ours: Ours, others: Sequence[tuple[str, Scorer]]) -> Iterator[str]:
    found = ours.screened(rows)
    bad = [row.bad for row in rows]
    hate = "HateCheck" in name
    yield f"\n{name}: {len(rows)} texts, {sum(bad)} harmful"
    yield f"  actions on harmful: {actions(one for one, row in zip(found, rows, strict=True) if row.bad)}"
    yield f"  actions on harmless: {actions(one for one, row in zip(found, rows, strict=True) if not row.bad)}"
    scores = [max(one.scores[code] for code in HATE) if hate else one.scores["any"] for one in found]
    flagged = [score >= 0.5 for score in scores] if hate else [one.decision.action != "allow" for one in found]
    mixed = 0 < sum(bad) < len(bad)
    yield f"  ours{' (hate categories)' if hate else ''}: {figures(bad, flagged)}" + (
        f", AUPRC {auprc(bad, scores):.3f}" if mixed else ""
    )
    for peer, scorer in others:
        theirs = scorer([row.text for row in rows])
        more = f", AUPRC {auprc(bad, theirs):.3f}" if mixed else ""
        yield f"  {peer}: {figures(bad, [score >= 0.5 for score in theirs])}{more}"
    for group in sorted({row.group for row in rows if row.group}):
        mine = [(one, row) for one, row in zip(found, rows, strict=True) if row.group == group]
        harmful = Share.of(flag for flag, row in zip(flagged, rows, strict=True) if row.group == group and row.bad)
        fine = Share.of(flag for flag, row in zip(flagged, rows, strict=True) if row.group == group and not row.bad)
        yield f"    {group[:44]:<45} {len(mine):4}: harmful acted on {harmful}, harmless acted on {fine}"


PUBLISHED = (
    "HateCheck, published (Roettger et al. 2021): Perspective 89.5% of hateful and 48.2% of harmless right "
    "(balanced 0.69)",
)


def latency(ours: Ours) -> Iterator[str]:
    """One message at a time, one thread, beside a bare pass of the encoder over the same text."""
    from bench.turn import bare_pass

    bare = bare_pass()
    base = "so today in class the teacher asked who wants to do the presentation first and of course nobody moved. "
    for length, times in ((200, 150), (2000, 25)):
        text = (base * 30)[:length]
        ours.one(text, "en")
        own, plain = [], []
        for _ in range(times):
            begun = time.perf_counter()
            bare(text)
            between = time.perf_counter()
            ours.one(text, "en")
            plain.append(between - begun)
            own.append(time.perf_counter() - between)
        half, far = statistics.median(own), sorted(own)[int(len(own) * 0.99) - 1]
        yield (
            f"  {length} characters: all detectors p50 {half * 1000:.1f} ms, p99 {far * 1000:.1f} ms "
            f"({far / half:.1f} times p50); bare pass {statistics.median(plain) * 1000:.1f} ms; "
            f"ratio {half / statistics.median(plain):.2f}"
        )


def report(dev: Path, train: Path, *, with_peers: bool) -> Iterator[str]:
    ours = Ours()
    yield f"Moderation, {clock.now():%Y-%m-%d}, commit {commit()}"
    yield f"policy {ours.screen.policy.version}; band 13-15; rules, watch and classifier {ours.classifier.version}"
    yield "\nOne message, one core"
    yield from latency(ours)
    if not dev.is_dir():
        yield "\nThe public sets are not here: give their folder with --dev."
        return
    others = list(peers(train)) if with_peers else []
    for name, rows in sets(dev):
        yield from on_set(name, rows, ours, others)
    yield ""
    yield from PUBLISHED
    yield from held_back.report(ours.screen)
    yield from always_open.report(ours.screen)
    yield from jailbreaks.report(train)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", type=Path, default=DEV, help="the folder with the public sets")
    parser.add_argument("--train", type=Path, default=TRAIN, help="the folder that the linear head learns from")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    lines: list[str] = []
    for line in report(options.dev, options.train, with_peers=not options.no_peers):
        print(line, flush=True)
        lines.append(line)
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
