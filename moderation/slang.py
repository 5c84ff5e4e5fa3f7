"""How teens spell things: spellings in slang.yaml -> plain words, for one more reading of a text (see normalise)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from moderation.types import LANGUAGES

SLANG: Final = Path(__file__).resolve().parent / "slang.yaml"
_WORD: Final = re.compile(r"[^\W_]+")
_SPELLING: Final = re.compile(r"[a-z0-9]+(?: [a-z0-9]+)?")
_PLAIN: Final = re.compile(r"[a-z]+(?:[ '-][a-z]+)*")
_JOINS: Final = frozenset("'@/_-")  # what makes a word part of an address, a name or a longer word


@dataclass(frozen=True)
class Slang:
    """spellings: spelling -> plain words. problem: a sentence where the file can't be used; then nothing is read."""

    spellings: dict[str, str]
    digest: str = ""
    problem: str | None = None


def slang_read(path: Path = SLANG) -> Slang:
    """The spellings of all languages in one table. Never raises: a broken file must not take the normaliser with it."""
    try:
        raw = path.read_bytes()
        return Slang(_table(yaml.load(raw, Loader=yaml.CSafeLoader)), hashlib.sha256(raw).hexdigest())
    except FileNotFoundError:
        return Slang({}, problem=f"{path.name}: the file is missing")
    except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
        return Slang({}, problem=f"{path.name}: can't be used: {' '.join(str(error).split())}")


def _table(parsed: dict[str, dict[str, list[str]]]) -> dict[str, str]:
    table: dict[str, str] = {}
    for language in LANGUAGES:
        for plain, spellings in parsed[language].items():
            if not _PLAIN.fullmatch(plain):
                raise ValueError(f"{plain!r} is not made of plain words")
            for spelling in spellings:
                if not _SPELLING.fullmatch(spelling):
                    raise ValueError(f"{spelling!r} is not one or two words of plain letters")
                if table.setdefault(spelling, plain) != plain:
                    raise ValueError(f"{spelling!r} stands for two things")
    return table


@cache
def slang() -> Slang:
    """The shipped spellings, read once."""
    return slang_read()


def spelled_out(text: str) -> Iterator[tuple[int, int, str]]:
    """Where a plain form of a text (see normalise) has a spelling, and the words for it, in order. Two words go first.
    Linear in the length of the text."""
    table = slang().spellings
    before: tuple[int, int, str] | None = None  # a word that may be the first of two
    for match in _WORD.finditer(text):
        start, end, word = match.start(), match.end(), match.group()
        alone = not _joined(text, start, end)
        if before is not None:
            pair = f"{before[2]} {word}" if alone and text[before[1] : start] == " " else ""
            if pair in table:
                yield before[0], end, table[pair]
                before = None
                continue
            if before[2] in table:
                yield before[0], before[1], table[before[2]]
        before = (start, end, word) if alone else None
    if before is not None and before[2] in table:
        yield before[0], before[1], table[before[2]]


def _joined(text: str, start: int, end: int) -> bool:
    """Is this part of an address, a name with signs, or a word with an apostrophe in it ("didn't", "jen's")?"""
    left = start > 1 and text[start - 1] in _JOINS and text[start - 2].isalnum()
    right = end + 1 < len(text) and text[end] in _JOINS and text[end + 1].isalnum()
    return left or right or (start > 0 and text[start - 1] == "@")
