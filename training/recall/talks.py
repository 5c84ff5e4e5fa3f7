"""Long talks of two made-up people, joined from short dialogues of open data sets: what recall is tuned on.

`talks.tsv` points to the dialogues (file, row, a hash of what stands there) and says who began and when; their text
stays in ../shared/data. `questions.tsv` has our own questions, each with the turns that answer it.
"""

from __future__ import annotations

import csv
import functools
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
DATA: Final = HERE.parents[2] / "shared" / "data" / "train"
# The people of these data sets have no names. Friends do, and say them: so do ours, now and then.
NAMED: Final = 0.15
OPENINGS: Final = ("Hey {}! {}", "Hi {}, {}", "{}! {}", "Hey {}, how are you? {}")
ASIDES: Final = ("Thanks, {}! {}", "Wow, {}! {}", "Yeah, {}. {}", "Oh {}, {}", "Cool, {}! {}", "I hear you, {}. {}")


class DataMissing(Exception):
    """The data sets are not where they should be, or not the ones that the pointers mean."""


@dataclass(frozen=True)
class Said:
    """A turn. `id` is talk.session.turn, as the questions name it."""

    id: str
    who: str
    at: str
    text: str


@dataclass(frozen=True)
class Question:
    talk: str
    text: str
    evidence: frozenset[str]


def talks(data: Path = DATA, *, language: str = "en") -> dict[str, list[Said]]:
    """By the talk's number: its turns in order. English is learnt from, French only measured. Raises DataMissing."""
    found: dict[str, list[Said]] = {}
    sessions: dict[str, int] = {}
    for row in _table(_name("talks", language)):
        talk, people = row["talk"], (row["first"], row["second"])
        session = sessions[talk] = sessions.get(talk, 0) + 1
        texts = utterances(row["file"], _rows(data / row["file"])[int(row["row"])])
        if digest(texts) != row["hash"]:
            raise DataMissing(f"Row {row['row']} of {row['file']} is not the one that was read for these questions.")
        found.setdefault(talk, []).extend(_session(f"{talk}.{session}", texts, people, row["at"]))
    return found


def questions(*, language: str = "en") -> list[Question]:
    return [
        Question(row["talk"], row["question"], frozenset(f"{row['talk']}.{place}" for place in row["evidence"].split()))
        for row in _table(_name("questions", language))
    ]


def utterances(file: str, row: dict[str, Any]) -> list[str]:
    """What was said by turns, whatever the data set calls it."""
    if file.startswith("xpersona"):
        return [_joined(text) for pair in row["dialogue"] for text in pair if text != "__SILENCE__"]
    return [turn if isinstance(turn, str) else str(turn["text"]) for turn in row["turns"]]


def digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:10]


def _session(name: str, texts: Sequence[str], people: tuple[str, str], at: str) -> Iterator[Said]:
    for place, text in enumerate(texts):
        who, other = people[place % 2], people[1 - place % 2]
        draw = zlib.crc32(f"{name}.{place}".encode())
        if place == 0:
            said = OPENINGS[draw % len(OPENINGS)].format(other, text)
        elif draw % 1000 < 1000 * NAMED:
            said = ASIDES[draw // 1000 % len(ASIDES)].format(other, text)
        else:
            said = text
        yield Said(f"{name}.{place}", who, at, said)


def _joined(text: str) -> str:
    """The punctuation of this data set stands apart from its words."""
    return re.sub(r" ([.,!?;:])", r"\1", text).replace(". . .", "...")


def _name(stem: str, language: str) -> str:
    return f"{stem}.tsv" if language == "en" else f"{stem}_{language}.tsv"


def _table(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


@functools.cache
def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    except FileNotFoundError as error:
        raise DataMissing(f"{path} is missing: the data sets stand in ../shared/data beside the repository.") from error
