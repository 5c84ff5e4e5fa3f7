"""Ways to reach somebody that show by their form: e-mail, web address, handle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from moderation.detectors.personal.told import Later
from moderation.types import Span

_EMAIL: Final = Later(r"[\p{L}\p{N}._%+\-]{1,64}@[\p{L}\p{N}\-]{1,63}(?:\.[\p{L}\p{N}\-]{2,63}){1,4}")
_EMAIL_SAID: Final = Later(
    r"[\p{L}\p{N}._%+\-]{2,64}\s?[(\[]?\s?(?:\bat\b|\barroba\b|\barobase\b|@)\s?[)\]]?\s?"
    r"(?:gmail|hotmail|outlook|yahoo|icloud|live|proton(?:mail)?|aol|orange|free|uol|bol|terra)"
    r"\s?[(\[]?\s?(?:\bdot\b|\bponto\b|\bpunto\b|\bpoint\b|\.)\s?[)\]]?\s?(?:com|net|org|fr|es|me|br|mx)\b"
)
_URL: Final = Later(
    r"(?:https?://|www\.)[^\s<>\"']{2,300}"
    r"|\b[a-z0-9][a-z0-9\-]{0,62}(?:\.[a-z0-9\-]{1,63}){0,3}"
    r"\.(?:com|org|net|io|gg|me|ly|co|app|tv|br|mx|ar|es|fr|uk|us|de|edu|gov|dev|xyz|info|site|online|blog|example)"
    r"(?:\b/[^\s<>\"']{0,200}|\b)"
    r"|\b[a-z0-9][a-z0-9\-]{1,62}(?:\.[a-z0-9\-]{1,63}){0,3}\.[a-z]{2,12}/[^\s<>\"'/]{2,200}(?:/[^\s<>\"']{0,200})?"
)
_HANDLE: Final = Later(r"(?:^|[\s(:,;/])(@[\p{L}\p{N}_.]{2,30})")
_DISCORD: Final = Later(r"\b[\p{L}\p{N}_.]{2,32}#\d{4}\b")


def contact_spans(text: str) -> Iterator[Span]:
    if "@" in text:
        yield from _all(_EMAIL, text, "email")
        yield from (Span(match.start(1), match.end(1), "handle") for match in _HANDLE.finditer(text))
    yield from _all(_EMAIL_SAID, text, "email")
    yield from _all(_URL, text, "url")
    if "#" in text:
        yield from _all(_DISCORD, text, "handle")


def _all(pattern: Any, text: str, kind: str) -> Iterator[Span]:
    return (Span(match.start(), match.end(), kind) for match in pattern.finditer(text))
