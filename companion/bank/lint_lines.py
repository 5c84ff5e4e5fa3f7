"""What one line, or one way to say something, must keep to."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import emoji
import re2
import yaml

from companion.bank.book import BankLine, Exchange
from companion.bank.form import ACTS_WITHOUT_SAID
from companion.bank.slots import SLOTS
from companion.types import Language

RULES = Path(__file__).parent / "rules.yaml"
LONGEST = 220
FAREWELL_WORDS = 15
FAREWELLS = frozenset({"farewell", "farewell_night"})
QUOTING = frozenset({"not_understood", "not_understood_twice", "listening"})
MARKUP = re2.compile(r"\*\*|__|^\s*[-*#>] |\n|`|https?://|<[a-z/]")
PLAIN = {"’": "'", "‘": "'", "œ": "oe", "\u00a0": " ", "\u202f": " "}
QUOTED = re2.compile(r'[“"«][^“”"«»]*[”"»]')
QUESTION = re2.compile(r"\?+[?!]*")


def folded(text: str) -> str:
    """Lower case, no accents, straight quotes: what the rules are written for."""
    straight = text.casefold()
    for given, plain in PLAIN.items():
        straight = straight.replace(given, plain)
    return "".join(letter for letter in unicodedata.normalize("NFD", straight) if not unicodedata.combining(letter))


@functools.cache
def banned(language: Language) -> tuple[tuple[object, str], ...]:
    """(compiled pattern, reason) of a language."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))[language]
    return tuple((re2.compile(pattern), rule["reason"]) for rule in rules for pattern in rule["any"])


def questions_in(text: str) -> int:
    """Questions to the reader; one that stands inside quotation marks is somebody else's."""
    return len(QUESTION.findall(QUOTED.sub(" ", text)))


def line_problems(line: BankLine, *, act: str | None, language: Language) -> Iterator[tuple[str, bool]]:
    """Yields (what, hard)."""
    text = line.text
    if len(text) > LONGEST:
        yield f"{len(text)} characters, at most {LONGEST}", True
    if questions_in(text) > 1:
        yield "more than one question", True
    if len(emoji.emoji_list(text)) > 1:
        yield "more than one emoji", True
    if MARKUP.search(text):
        yield "markup, a list, a link or a line break", True
    if text != text.strip() or "  " in text:
        yield "spaces too many", True
    if text[:1].islower():
        yield "begins with a small letter: was it cut at a comma inside [ ]?", False
    yield from _slot_problems(line, act=act)
    if act in FAREWELLS:
        yield from _farewell_problems(text)
    plain = folded(text)
    for pattern, reason in banned(language):
        if pattern.search(plain):  # type: ignore[attr-defined]  # re2 has no types
            yield f"banned ({reason})", True


def _farewell_problems(text: str) -> Iterator[tuple[str, bool]]:
    if "?" in text:
        yield "a farewell asks", True
    if len(text.split()) >= FAREWELL_WORDS:
        yield f"a farewell of {len(text.split())} words, asked are fewer than {FAREWELL_WORDS}", True


def _slot_problems(line: BankLine, *, act: str | None) -> Iterator[tuple[str, bool]]:
    unknown = line.slots - SLOTS
    if unknown:
        yield f"unknown slot {{{', '.join(sorted(unknown))}}}", True
    if "quote" in line.slots and act not in QUOTING:
        yield "{quote} stands only in not_understood, not_understood_twice and listening", True
    if line.text.count("{") != line.text.count("}"):
        yield "a curly bracket is left open", True


def said_problems(exchange: Exchange) -> Iterator[tuple[str, str, bool]]:
    """Yields (id, what, hard), follow-ups included."""
    if not exchange.said and exchange.hears is None and exchange.act not in ACTS_WITHOUT_SAID:
        yield exchange.id, "nothing under `said`", True
    for words in exchange.said:
        if "{" in words:
            yield exchange.id, f"a slot under `said`: {words!r}", True
        if len(words) > 160:
            yield exchange.id, f"said over 160 characters: {words!r}", True
        if "\n" in words:
            yield exchange.id, f"a line break under `said`: {words!r}", True
    for follow in exchange.then:
        yield from said_problems(follow)
