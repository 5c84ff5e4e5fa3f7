"""Places for readers to mark: `python -m training.choosing.pools make FOLDER --lang en --places 300`, and, when they
have, `... pools take FOLDER --lang en`.

Draws turns of held talks (training/talks) that nobody has judged yet, and writes each into FOLDER/<lang>.txt with what
was said before it and up to 34 lines that might answer it: those that weigh most today, and some others. A reader
writes `FOLDER/<lang>.marks`: the number of the place, a colon, and a digit for each line (0 no sense here, 1 sensible,
2 sensible and specific to it). `take` adds them to judged/<lang>.tsv.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.turn import ROOT
from companion.bank import Bank, bank_for
from companion.engines.embedded.candidates import Candidate
from companion.engines.embedded.engine import EmbeddedEngine
from companion.engines.embedded.mind import Turn, ruled
from companion.engines.embedded.replying import open_to
from companion.engines.embedded.weighing import WeighingError, signs, weigher
from companion.types import LANGUAGES, Language
from training.choosing.places import FOLDER, MARKS, Judged, Replayed, places, written
from training.talks import Talk, talks

BEST: Final = 22  # candidates that weigh most
MOST: Final = 34
SHOWN: Final = 6  # lines before the message
WEIGHED: Final = frozenset(("engine", "control"))  # who answered: what skills and written replies answer is not open


def open_places(language: Language, bank: Bank, *, of: str = "") -> Iterator[tuple[Talk, int]]:
    """of: only those of talks whose id begins so."""
    done = {(place.talk, place.at) for place in places(bank)}
    for talk in talks():
        if talk.language == language and talk.id.startswith(of):
            for at, turn in enumerate(talk.turns):
                if turn.by in WEIGHED and (talk.id, at) not in done:
                    yield talk, at


def drawn(turn: Turn, draw: random.Random) -> list[Candidate]:
    """In no order that tells anything."""
    first = ruled(turn)
    found = open_to(turn, first) if first is not None else []
    try:
        own = weigher()
        likely = own.likely(signs(turn, found, own.judged))[:, 0]
        found = [found[at] for at in (-likely).argsort().tolist()]
    except WeighingError:
        draw.shuffle(found)
    rest = found[BEST:]
    draw.shuffle(rest)
    chosen = [*found[:BEST], *rest[: MOST - BEST]]
    draw.shuffle(chosen)
    return list({one.pick.chosen.text: one for one in chosen}.values())


def make(folder: Path, language: Language, count: int, *, seed: int, of: str) -> int:
    engine, bank = EmbeddedEngine(cache_dir=ROOT / "var" / "cache"), bank_for(language)
    replayed, draw = Replayed(engine, bank), random.Random(seed)  # noqa: S311  no secret
    found = list(open_places(language, bank, of=of))
    draw.shuffle(found)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{language}.txt").open("w") as shown, (folder / f"{language}.jsonl").open("w") as kept:
        for number, (talk, at) in enumerate(found[:count]):
            turn = asyncio.run(replayed.turn(talk, at, seed=draw.randrange(10**6)))
            some = drawn(turn, draw)
            before = [line.text for line in turn.prompt.history[-SHOWN:]]
            who = ("teen", "companion")
            lines = [f"  {who[place % 2]}: {text}" for place, text in enumerate(before)]
            texts = [f"{place}. {one.pick.chosen.text}" for place, one in enumerate(some, 1)]
            heading = f"### {number} ({len(some)})"
            shown.write("\n".join((heading, *lines, f"TEEN SAYS: {turn.prompt.text}", *texts, "", "")))
            ids = [one.pick.chosen.line.id for one in some]
            kept.write(json.dumps({"number": number, "talk": talk.id, "at": at, "lines": ids}) + "\n")
    return min(count, len(found))


def take(folder: Path, language: Language) -> int:
    bank = bank_for(language)
    given = dict(row.split(":") for row in (folder / f"{language}.marks").read_text().splitlines() if ":" in row)
    rows = []
    for one in map(json.loads, (folder / f"{language}.jsonl").read_text().splitlines()):
        marks = given.get(str(one["number"]), "").strip()
        if len(marks) == len(one["lines"]) and set(marks) <= MARKS:
            by_line = dict(zip(one["lines"], map(int, marks), strict=True))
            rows.append(written(Judged(one["talk"], one["at"], by_line), bank))
    with (FOLDER / f"{language}.tsv").open("a", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)
    return len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("make", "take"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lang", choices=LANGUAGES, default="en")
    parser.add_argument("--places", type=int, default=300)
    parser.add_argument("--of", default="", help="only talks whose name begins so")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.command == "make":
        count = make(options.folder, options.lang, options.places, seed=options.seed, of=options.of)
    else:
        count = take(options.folder, options.lang)
    print(f"{count} places")


if __name__ == "__main__":
    main()
