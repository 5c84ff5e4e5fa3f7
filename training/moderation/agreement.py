"""What rows there are, and how far their two readings agree: `python -m training.moderation.agreement`.

Whether anything of severity 2 and over is there: agreement and Cohen's kappa. L3 and over: of the rows that either
reading calls so, the share that both do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from training.moderation.examples import Labels
from training.moderation.relabelled import labels_read
from training.moderation.written import SECOND, rows_read


def report() -> Iterator[str]:
    again = labels_read(SECOND)
    kinds: Counter[str] = Counter()
    scenes = set()
    there: Counter[tuple[int, int]] = Counter()
    grave: Counter[tuple[bool, bool]] = Counter()
    for row in rows_read():
        scenes.add((row.language, row.theme, row.scene))
        kinds.update([row.language, "rows"])
        kinds["harmless"] += row.harmless
        kinds["replies"] += row.side == "reply"
        kinds["several messages"] += row.side == "message" and len(row.lines) > 1
        second = again.get(row.key)
        if second is None:
            continue
        one, other = Labels(row.side, row.labels).targets(), Labels(row.side, second.labels).targets()
        name = f"{row.side}/any"
        if name in one and name in other:
            there[one[name], other[name]] += 1
        if row.side == "message":
            three = [any(read.get(f"message/{level}") == 1 for level in ("L3", "L4")) for read in (one, other)]
            grave[three[0], three[1]] += 1
    yield f"{kinds['rows']} rows in {len(scenes)} scenes: {dict(kinds)}"
    total = there.total()
    agreed = (there[0, 0] + there[1, 1]) / total
    first, second_share = (there[1, 0] + there[1, 1]) / total, (there[0, 1] + there[1, 1]) / total
    chance = first * second_share + (1 - first) * (1 - second_share)
    kappa = (agreed - chance) / (1 - chance)
    yield f"{total} read twice: {agreed:.1%} agree on whether anything is there, kappa {kappa:.3f}"
    either = grave[True, True] + grave[True, False] + grave[False, True]
    yield f"L3 and over: {grave[True, True]} of {either} called so by both ({grave[True, True] / either:.0%})"


if __name__ == "__main__":
    for line in report():
        print(line)
