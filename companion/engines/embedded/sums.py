"""Sums in a message: "whats 7 x 8". The one thing that a program is expected to know."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

import re2

from companion.folding import plain
from companion.types import Language

SIGNS: Final[Mapping[str, str]] = {"+": r"\+", "-": r"-|−", "*": r"\*|x|×|·", "/": r"/|÷|:"}
WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {"+": "plus", "-": "minus", "*": "times", "/": "divided by"},
    "pt-BR": {"+": "mais", "-": "menos", "*": "vezes", "/": "dividido por"},
    "es": {"+": "mas", "-": "menos", "*": "por", "/": "entre|dividido (?:entre|por)"},
    "fr": {"+": "plus", "-": "moins", "*": "fois", "/": "divise par"},
}
# Before the sum, so that "i lost 3-1" and "a 10/10" are no questions.
ASKED: Final[Mapping[Language, str]] = {
    "en": r"what(?:s| s|'s| is)|how much is|calculate|solve",
    "pt-BR": r"quanto (?:e|da|fica|seria)|qual e|calcula|resolve",
    "es": r"cuanto (?:es|da|seria)|cual es|calcula|resuelve",
    "fr": r"combien (?:font|fait|ca fait)|ca fait combien|c'est combien|calcule",
}
MOST_PLACES: Final = 3
DECIMAL: Final[Mapping[Language, str]] = {"en": ".", "pt-BR": ",", "es": ",", "fr": ","}


@functools.cache
def _patterns(language: Language) -> tuple[Any, Mapping[str, Any]]:
    ways = {sign: re2.compile(f"^(?:{signs}|{WORDS[language][sign]})$") for sign, signs in SIGNS.items()}
    any_way = "|".join((*SIGNS.values(), *WORDS[language].values()))
    asked = re2.compile(rf"(?:{ASKED[language]})\s+(\d{{1,6}})\s*({any_way})\s*(\d{{1,6}})\s*(?:[?!.=]|$)")
    return asked, ways


def answer_of(text: str, language: Language) -> str | None:
    """What the sum that is asked for comes to, in the language's own notation; None where none is asked for, or where
    it can't be said (divided by 0, or no end to its places)."""
    asked, ways = _patterns(language)
    match = asked.search(plain(text))
    if match is None:
        return None
    first, second = int(match.group(1)), int(match.group(3))
    sign = next(sign for sign, pattern in ways.items() if pattern.match(match.group(2)))
    if sign == "/" and second == 0:
        return None
    found = {"+": first + second, "-": first - second, "*": first * second}.get(sign, Fraction(first, second or 1))
    places = Fraction(found) * 10**MOST_PLACES
    if places.denominator != 1:
        return None
    whole = f"{float(found):.{MOST_PLACES}f}".rstrip("0").rstrip(".")
    return whole.replace(".", DECIMAL[language])
