"""Numbers that stand for somebody: phone, bank card and account, identity papers, coordinates, internet address.

Whether digits can be a phone number is asked of Google's libphonenumber, country by country.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from moderation.detectors.personal.told import compiled
from moderation.types import Span

_DIGITS: Final = compiled(r"\+?\(?\d[\d\s().\-/]{5,24}\d")
_ABOUT_PHONES: Final = compiled(
    r"\b(?:phone|number|call|text|txt|cell|mobile|whats(?:app)?|wpp|zap|telefone|fone|celular|cel|n[uú]mero|liga|"
    r"tel[eé]fono|m[oó]vil|ll[aá]mame|escr[ií]beme|num[eé]ro|num|t[eé]l(?:[eé]phone)?|portable|appelle|contact|"
    r"contato|contacto)\b"
)
_WORDS: Final = (
    "zero|oh|one|two|three|four|five|six|seven|eight|nine|um|dois|tr[eê]s|quatro|cinco|seis|meia|sete|oito|nove|"
    "cero|uno|dos|cuatro|siete|ocho|nueve|z[eé]ro|un|deux|trois|quatre|cinq|sept|huit|neuf"
)
_SAID: Final = compiled(rf"\b(?:(?:double|triple|{_WORDS})[\s,.\-]{{1,3}}){{6,19}}(?:{_WORDS})\b")
_IBAN: Final = compiled(r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?\b")
_IP: Final = compiled(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
_COORDINATES: Final = compiled(r"-?\d{1,2}\.\d{4,8}\s?,\s?-?\d{1,3}\.\d{4,8}")
_PAPERS: Final = compiled(
    r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b"  # CPF
    r"|\b\d{2}\.\d{3}\.\d{3}-[\dx]\b"  # RG
    r"|\b\d{3}-\d{2}-\d{4}\b"  # US social security
    r"|\b\d{8}-?[a-z]\b|\b[xyz]-?\d{7}-?[a-z]\b"  # DNI, NIE
    r"|\b[a-z]{4}\d{6}[hm][a-z]{5}[a-z0-9]\d\b"  # CURP
    r"|\b[12] ?\d{2} ?[01]\d ?(?:\d{2}|2[ab]) ?\d{3} ?\d{3}(?: ?\d{2})?\b"  # NIR
    r"|\b[a-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[a-d]\b"  # British national insurance
)
_PAPERS_NAMED: Final = compiled(
    r"\b(?:ssn|social security|passport|student id|id (?:number|card|no\.?)|driver'?s licen[cs]e|cpf|rg|passaporte|"
    r"carteira de identidade|matr[ií]cula|dni|nie|curp|rut|c[eé]dula|pasaporte|carte d['’]identit[eé]|passeport|"
    r"num[eé]ro de s[eé]cu(?:rit[eé] sociale)?|num[eé]ro [eé]tudiant|nir)"
    r"(?:\s+(?:number|n[uú]mero|num[eé]ro|no\.?))?(?:\s+(?:is|[eé]|es|c['’]?est|est)|['’]s|\s*[:=]|\s*n[º°])?\s+"
    r"([a-z]{0,3}\d[\d .\-/]{3,20}[\da-z])\b"
)
_REGIONS: Final = (
    "US", "GB", "BR", "ES", "FR", "MX", "AR", "PT", "CO", "CL", "PE", "CA", "BE", "CH", "AU", "IE", "MA", "DZ",
)  # fmt: skip


def number_spans(text: str) -> Iterator[Span]:
    yield from (Span(match.start(), match.end(), "phone") for match in _SAID.finditer(text))
    if any(char.isdigit() for char in text):
        yield from _papers(text)
        yield from _digits(text)


def _papers(text: str) -> Iterator[Span]:
    yield from (Span(match.start(), match.end(), "id") for match in _PAPERS.finditer(text))
    yield from (Span(match.start(1), match.end(1), "id") for match in _PAPERS_NAMED.finditer(text))
    yield from (Span(match.start(), match.end(), "place") for match in _COORDINATES.finditer(text))
    for match in _IBAN.finditer(text):
        if _iban(match.group()):
            yield Span(match.start(), match.end(), "iban")
    for match in _IP.finditer(text):
        if all(int(part) < 256 for part in match.group().split(".")):
            yield Span(match.start(), match.end(), "ip")


def _digits(text: str) -> Iterator[Span]:
    about_phones = _ABOUT_PHONES.search(text) is not None
    for match in _DIGITS.finditer(text):
        start, end = _trimmed(text, match.start(), match.end())
        piece = text[start:end]
        digits = "".join(char for char in piece if char in "0123456789")
        if 13 <= len(digits) <= 19 and _luhn(digits):
            yield Span(start, end, "card")
        elif _phone(piece, digits, about_phones=about_phones):
            yield Span(start, end, "phone")


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start and text[end - 1] in " .-/\n\t(":
        end -= 1
    return start, end


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _iban(piece: str) -> bool:
    """ISO 7064, remainder 1 of 97."""
    plain = piece.replace(" ", "").upper()
    if not 15 <= len(plain) <= 34:
        return False
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def _phone(piece: str, digits: str, *, about_phones: bool) -> bool:
    if "\n" in piece or not 7 <= len(digits) <= 15 or len(set(digits)) == 1:
        return False
    groups = piece.translate(str.maketrans("().-/", "     ")).split()
    if all(len(group) == 4 and group[:2] in {"19", "20"} for group in groups):
        return False  # years
    dated = len(groups) == 3 and len(digits) <= 8 and "+" not in piece
    if about_phones and not dated:
        return True
    if piece.startswith("+"):
        return _can_be_phone(piece)
    # Without a word about phones, only what is written like one: in groups, and right somewhere.
    written = 2 <= len(groups) <= 6 and min(map(len, groups)) >= 2
    if "/" in piece or (len(groups) == 2 and piece.count(".") == 1):
        return False  # dates, sums
    mobile = len(groups) == 1 and len(digits) in {10, 11} and digits[0] in "0679"
    return ((written and len(digits) >= 9) or mobile) and _can_be_phone(piece)


@lru_cache(maxsize=256)
def _can_be_phone(piece: str) -> bool:
    import phonenumbers  # its tables are read on first use

    for region in (None,) if piece.startswith("+") else _REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(piece, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
