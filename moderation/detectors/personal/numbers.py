"""Numbers that stand for somebody: phone, bank card and account, identity papers, coordinates, internet address.

Whether digits can be a phone number is asked of Google's libphonenumber, country by country.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from moderation.detectors.personal.told import Later
from moderation.types import Span

_DIGITS: Final = Later(r"\+?\(?\d[\d\s().\-/]{5,24}\d")
_ABOUT_PHONES: Final = Later(
    r"\b(?:phone|number|call|text|txt|cell|mobile|whats(?:app)?|wpp|zap|telefone|fone|celular|cel|n[uú]mero|liga|"
    r"landline|house phone|sms|fixo|fijo|fixe|"
    r"tel[eé]fono|m[oó]vil|ll[aá]mame|escr[ií]beme|num[eé]ro|num|t[eé]l(?:[eé]phone)?|portable|appelle|contact|"
    r"contato|contacto)\b"
)
_WORDS: Final = (
    "zero|oh|one|two|three|four|five|six|seven|eight|nine|um|dois|tr[eê]s|quatro|cinco|seis|meia|sete|oito|nove|"
    "cero|uno|dos|cuatro|siete|ocho|nueve|z[eé]ro|un|deux|trois|quatre|cinq|sept|huit|neuf"
)
_SAID: Final = Later(rf"\b(?:(?:double|triple|{_WORDS})[\s,.\-]{{1,3}}){{6,19}}(?:{_WORDS})\b")
_IBAN: Final = Later(r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?\d[a-z0-9]{0,2}|[a-z0-9]{1,3})?\b")
_IP: Final = Later(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
_IPV6: Final = Later(r"\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}(?:[0-9a-f]\b|:)")
_CARD: Final = Later(r"\b\d{4}([ -])\d{4}[ -]\d{4}[ -]\d{1,7}\b|\b3[47]\d{2}[ -]?\d{6}[ -]?\d{5}\b")
_CARD_NAMED: Final = Later(
    r"\b(?:card|cart[aã]o|tarjeta|carte|visa|mastercard|amex|cvv|cvc|exp|val|cad|long number|n[uú]mero|chiffres)\b"
)
_COORDINATES: Final = Later(r"-?\d{1,2}\.\d{4,8}\s?,\s?-?\d{1,3}\.\d{4,8}")
_PAPERS: Final = Later(
    r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b"  # CPF
    r"|\b\d{2}\.\d{3}\.\d{3}-[\dx]\b"  # RG
    r"|\b\d{3}-\d{2}-\d{4}\b"  # US social security
    r"|\b\d{8}-?[a-z]\b|\b[xyz]-?\d{7}-?[a-z]\b"  # DNI, NIE
    r"|\b[a-z]{4}\d{6}[hm][a-z]{5}[a-z0-9]\d\b"  # CURP
    r"|\b[12] ?\d{2} ?[01]\d ?(?:\d{2}|2[ab]) ?\d{3} ?\d{3}(?: ?\d{2})?\b"  # NIR
    r"|\b[a-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[a-d]\b"  # British national insurance
    r"|\b\d{2}\.\d{2}\.\d{2}-\d{3}[.\-]\d{2}\b"  # Belgian national number
    r"|\b756\.\d{4}\.\d{4}\.\d{2}\b"  # Swiss AVS
)
_PAPER: Final = (
    r"ssn|social security|passport|student (?:id|number|card|no\.?)|licen[cs]e|permit|provisional|library card|"
    r"id (?:number|card|no\.?)|pps|(?:my|the) sin|sin (?:number|card|thing)|medicare(?: card)?|nhs|upn|"
    r"(?:meu|mi|mon) (?:ra|run|ti|nas|ine)|"
    r"candidate (?:number|no\.?)|cpf|rg|cnh|nif|niss|passaporte|identidade|carteirinha|matr[ií]cula|t[ií]tulo|"
    r"certid[aã]o|cart[aã]o d[oe] (?:sus|cidad[aã]o)|dni|nie|curp|rut|c[eé]dula|cuil|pasaporte|documento|"
    r"expediente|carn[eé]t?|legajo|boleta|tarjeta sanitaria|tarjeta de identidad|seguridad social|identidad|"
    r"identit[eé]|cni|passeport|s[eé]cu(?:rit[eé] sociale)?|num[eé]ro [eé]tudiant|nir|avs|ramq|"
    r"num[eé]ro national|registre national|pass navigo|navigo|permis|"
    r"carte (?:lyc[eé]en(?:ne)?|vitale|jeune|[eé]tudiante?|de biblioth[eè]que)"
)
_BETWEEN: Final = r"(?:[\s:,n°º.?!]+[\p{L}'’]{1,12}){0,7}[\s:,n°º.?!]+"
_PAPERS_NAMED: Final = Later(
    rf"\b(?:{_PAPER}){_BETWEEN}"
    r"((?:[a-z]{1,5}[ \-]?)?\d[\da-z.\-/]{0,24}(?: \d[\d\-]{0,8}\b){0,9})"
)
_PAPERS_MIXED: Final = Later(
    r"\b(?:identit[eé]|cni|passport|passaporte|pasaporte|passeport)" + _BETWEEN + r"([a-z\d]{9})\b"
)
_PAPERS_SHORT: Final = Later(  # these are words of everyday too: only with the number beside them
    r"\b(?:ra|sus|run|ti|ine|nas)\b(?:[\s:,n°º.]+(?:is|é|es|est|c['’]est))?[\s:,n°º.]+"
    r"(\d[\da-z.\-/]{6,20}|\d{3}(?:[ .]\d{2,4}){2,4})"
)
_PAPERS_AFTER: Final = Later(rf"\b([a-z]{{0,3}}\d[\da-z.\-/]{{5,20}})\s(?:[\p{{L}}'’]{{1,12}}\s){{0,8}}(?:{_PAPER})\b")
_ALL_PAPERS: Final = (  # and how many digits a number must have
    (_PAPERS, 1), (_PAPERS_NAMED, 5), (_PAPERS_AFTER, 5), (_PAPERS_SHORT, 7), (_PAPERS_MIXED, 2),
)  # fmt: skip
_IBAN_LENGTHS: Final = {
    "AD": 24, "AT": 20, "BE": 16, "BR": 29, "CH": 21, "DE": 22, "ES": 24, "FR": 27, "GB": 22, "IE": 22, "IT": 27,
    "LT": 20, "LU": 20, "MC": 27, "NL": 18, "PT": 25,
    "CR": 22, "MT": 31,
}  # fmt: skip
_REGIONS: Final = (
    "US", "GB", "BR", "ES", "FR", "MX", "AR", "PT", "CO", "CL", "PE", "CA", "BE", "CH", "AU", "IE", "MA", "DZ",
)  # fmt: skip


def number_spans(text: str) -> Iterator[Span]:
    yield from (Span(match.start(), match.end(), "phone") for match in _SAID.finditer(text))
    if any(char.isdigit() for char in text):
        yield from _papers(text)
        yield from _digits(text)


def _papers(text: str) -> Iterator[Span]:
    for pattern, least in _ALL_PAPERS:
        for match in pattern.finditer(text):
            found = match.group(match.re.groups)
            if sum(char.isdigit() for char in found) >= least and not _ip(found):
                yield Span(match.end(match.re.groups) - len(found), match.end(match.re.groups), "id")
    yield from (Span(match.start(), match.end(), "card") for match in _CARD.finditer(text))
    yield from (Span(match.start(), match.end(), "ip") for match in _IPV6.finditer(text))
    yield from (Span(match.start(), match.end(), "place") for match in _COORDINATES.finditer(text))
    for match in _IBAN.finditer(text):
        if _iban(match.group()):
            yield Span(match.start(), match.end(), "iban")
    yield from (Span(match.start(), match.end(), "ip") for match in _IP.finditer(text) if _ip(match.group()))


def _ip(piece: str) -> bool:
    return _IP.fullmatch(piece) is not None and all(int(part) < 256 for part in piece.split("."))


def _digits(text: str) -> Iterator[Span]:
    about_phones = _ABOUT_PHONES.search(text) is not None
    about_cards = _CARD_NAMED.search(text) is not None
    for match in _DIGITS.finditer(text):
        start, end = _trimmed(text, match.start(), match.end())
        piece = text[start:end]
        if start and not about_phones and "A" <= text[start - 1] <= "Z":
            continue  # part of a longer code
        digits = "".join(char for char in piece if char in "0123456789")
        if 13 <= len(digits) <= 19 and (_luhn(digits) or (about_cards and len(digits) == 16 and piece == digits)):
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
    """Of a country's length, or right by ISO 7064 (remainder 1 of 97)."""
    plain = piece.replace(" ", "").upper()
    if _IBAN_LENGTHS.get(plain[:2]) == len(plain) and plain[2:4].isdigit() and plain[12:].isalnum():
        return True  # mistyped ones are somebody's too
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
    written = 2 <= len(groups) <= 6 and (min(map(len, groups)) >= 2 or [*map(len, groups)] == [2, 1, 4, 4])
    if "/" in piece or (len(groups) == 2 and piece.count(".") == 1):
        return False  # dates, sums
    mobile = len(groups) == 1 and len(digits) in {10, 11} and (digits[0] in "0679" or digits[2] == "9")
    return ((written and len(digits) >= 9) or mobile) and _can_be_phone(piece)


@lru_cache(maxsize=256)
def _can_be_phone(piece: str) -> bool:
    import phonenumbers  # its tables are read on first use

    for region in (None,) if piece.startswith("+") else _REGIONS:
        try:
            if phonenumbers.is_possible_number(phonenumbers.parse(piece, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
