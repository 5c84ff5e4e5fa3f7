"""How the memory reads letters: folded to compare, flat to match patterns in."""

from __future__ import annotations

import unicodedata

_APOSTROPHES = "’‘ʼ´"


def fold(text: str) -> str:
    """Lower case without accents."""
    if text.isascii():
        return text.lower().strip()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).strip()


def flat(text: str) -> str:
    """The text without accents, letter by letter, so that places in it are places in the (NFC) text.

    Patterns and texts are matched flat: in RE2 an accented letter is no letter to `\\b`, so "mí" would have no end.
    """
    return text if text.isascii() else "".join(_bare(char) for char in text)


def _bare(char: str) -> str:
    if char.isascii():
        return char
    if char in _APOSTROPHES:
        return "'"
    apart = unicodedata.normalize("NFD", char)
    return apart[0] if len(apart) > 1 and all(unicodedata.combining(mark) for mark in apart[1:]) else char
