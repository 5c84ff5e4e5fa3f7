"""Personal data in a text as given: e-mail, phone, handle, web address, card number. Places, for masking and tips.

Names of schools and streets are the rules' part (T18), since they depend on the language.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import re2

from moderation.types import Span


def _options() -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options


_HALVES: Final = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_EMAIL: Final = re2.compile(r"[\p{L}\p{N}._%+\-]{1,64}@[\p{L}\p{N}\-]{1,63}(?:\.[\p{L}\p{N}\-]{2,63}){1,4}", _options())
_URL: Final = re2.compile(
    r"(?:https?://|www\.)[^\s<>\"']{2,300}"
    r"|\b[a-z0-9][a-z0-9\-]{0,62}(?:\.[a-z0-9\-]{1,63}){0,3}"
    r"\.(?:com|org|net|io|gg|me|ly|co|app|tv|br|mx|ar|es|fr|uk|us|de|edu|gov)(?:\b/[^\s<>\"']{0,200}|\b)",
    _options(),
)
_HANDLE: Final = re2.compile(r"(?:^|[\s(:,])(@[\p{L}\p{N}_.]{2,30})", _options())
_NAMED: Final = re2.compile(
    r"\b(?:insta(?:gram)?|ig|snap(?:chat)?|discord|disc|tiktok|ttk|telegram|twitter|roblox|whats(?:app)?)"
    r"(?:\s+(?:handle|user(?:name)?|usu[aá]rio|usuario|pseudo|name|nome|nombre|nom))?"
    r"\s*(?:is|[eé]|es|c'?est|:|=)\s*(@?[\p{L}\p{N}_.#]{3,32})",
    _options(),
)
_DISCORD: Final = re2.compile(r"\b[\p{L}\p{N}_.]{2,32}#\d{4}\b", _options())
_DIGITS: Final = re2.compile(r"\+?\(?\d[\d\s().\-/]{5,24}\d", _options())
_ABOUT_PHONES: Final = re2.compile(
    r"\b(?:phone|number|call|text|txt|cell|mobile|whats(?:app)?|wpp|zap|telefone|fone|celular|cel|n[uú]mero|liga|"
    r"tel[eé]fono|m[oó]vil|ll[aá]mame|escr[ií]beme|num[eé]ro|t[eé]l(?:[eé]phone)?|portable|appelle)\b",
    _options(),
)
# Words that a sentence has after "insta is", and that are nobody's name.
_NO_NAMES: Final = frozenset(
    "the not a an so my down better cool fun dumb bad good great boring annoying broken dead full just really too "
    "muito legal ruim bom chato uma um o a la el una muy mejor genial malo trop nul bien mieux pas une le".split()
)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start and text[end - 1] in " .,;:-()/\n\t":
        end -= 1
    return start, end


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _numbers(text: str) -> Iterator[Span]:
    about_phones = _ABOUT_PHONES.search(text) is not None
    for match in _DIGITS.finditer(text):
        start, end = _trim(text, match.start(), match.end())
        piece = text[start:end]
        digits = "".join(char for char in piece if char in "0123456789")
        if 13 <= len(digits) <= 19 and _luhn(digits):
            yield Span(start, end, "card")
        elif _phone(piece, digits, about_phones=about_phones):
            yield Span(start, end, "phone")


def _phone(piece: str, digits: str, *, about_phones: bool) -> bool:
    if "\n" in piece or not 7 <= len(digits) <= 15 or len(set(digits)) == 1:
        return False
    if piece.startswith("+"):
        return len(digits) >= 8
    groups = piece.replace("(", " ").replace(")", " ").replace("-", " ").replace(".", " ").replace("/", " ").split()
    if all(len(group) == 4 and group[:2] in {"19", "20"} for group in groups):
        return False
    dated = len(groups) == 3 and len(digits) <= 8
    if about_phones:
        return not dated or len(digits) > 8
    # Without a word about phones, only what is written like one: groups of two and more digits, ten in all.
    return len(digits) >= 10 and 2 <= len(groups) <= 6 and min(map(len, groups)) >= 2 and "/" not in piece


def personal_spans(text: str) -> tuple[Span, ...]:
    """Spans of personal data, in order, without overlaps (the earlier and longer one wins)."""
    # Half a surrogate pair is no UTF-8, and RE2 reads nothing else. One character stays one character.
    text = text if text.isascii() else text.translate(_HALVES)
    found: list[Span] = [Span(m.start(), m.end(), "email") for m in _EMAIL.finditer(text)] if "@" in text else []
    found += [Span(*_trim(text, m.start(), m.end()), "url") for m in _URL.finditer(text)]
    if "@" in text:
        found += [Span(*_trim(text, m.start(1), m.end(1)), "handle") for m in _HANDLE.finditer(text)]
    if "#" in text:
        found += [Span(m.start(), m.end(), "handle") for m in _DISCORD.finditer(text)]
    for match in _NAMED.finditer(text):
        if match.group(1).lower() not in _NO_NAMES:
            found.append(Span(*_trim(text, match.start(1), match.end(1)), "handle"))
    if any(char.isdigit() for char in text):
        found += _numbers(text)
    return _disjoint(found)


def _disjoint(spans: list[Span]) -> tuple[Span, ...]:
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, s.start - s.end)):
        if span.end > span.start and (not kept or span.start >= kept[-1].end):
            kept.append(span)
    return tuple(kept)


def mask(text: str, spans: tuple[Span, ...]) -> str:
    """The text with each span replaced by its kind in brackets, e.g. [phone]."""
    out: list[str] = []
    at = 0
    for span in spans:
        out += [text[at : span.start], f"[{span.type}]"]
        at = span.end
    return "".join([*out, text[at:]])
