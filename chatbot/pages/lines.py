"""Helplines as a page shows them: every line of a country, with links that a phone can dial."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.conf import settings

from chatbot.accounts.countries import ELSEWHERE, NAMES
from chatbot.core import clock
from moderation.crisis.helplines import ANY_EMERGENCY, FALLBACK, CardLine, emergency_of, lines_for
from moderation.types import Language

# Suicide and children first, then the rest, as the kinds stand in helplines.yaml.
KINDS = ("S", "C", "A", "E", "L", "X", "O")
MOST = 40
_WORD_TO_NUMBER = re.compile(r"^([A-Z]{2,})\b.*?\bto\s+([\d-]{4,})")
_NUMBER = re.compile(r"^(?:SMS |text )?(\d[\d -]{2,}?)(?:,|$)")
_DIALLED = re.compile(r"[\d+*#]+")
_HOST = re.compile(r"^[\w.-]+\.[a-z]{2,}(/\S*)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One helpline. The links are empty where there is nothing to dial, to text or to open."""

    name: str
    hours: str
    phone: str
    phone_link: str
    text: str
    text_link: str
    web: str
    web_link: str
    unverified: bool
    verified_on: str


@dataclass(frozen=True)
class CountryHelp:
    """What a country has: emergency numbers first, each with its link, then the lines. `code` is empty for nowhere,
    `police` is None where the emergency number is the police's as well."""

    code: str
    name: str
    emergency: tuple[tuple[str, str], ...]
    police: tuple[str, str] | None
    lines: tuple[Line, ...]
    more: str
    more_link: str

    @property
    def unchecked(self) -> bool:
        """Whether a line is shown that nobody here has called yet (the demo only)."""
        return any(line.unverified for line in self.lines)


def phone_link(phone: str) -> str:
    """tel: for something that a phone dials, else nothing."""
    if any(char.isalpha() for char in phone):
        return ""
    digits = "".join(_DIALLED.findall(phone))
    return f"tel:{digits.replace('#', '%23')}" if len(digits) >= 2 else ""


def text_link(text: str) -> str:
    """sms: for "HOME to 741741" or a bare number, else nothing: an app or a web chat is told in words."""
    if match := _WORD_TO_NUMBER.match(text):
        return f"sms:{match[2].replace('-', '')}?&body={quote(match[1])}"
    if match := _NUMBER.match(text):
        return f"sms:{re.sub(r'[^0-9]', '', match[1])}"
    return ""


def web_link(web: str) -> str:
    """https: only."""
    bare = web.removeprefix("https://")
    return f"https://{bare}" if _HOST.match(bare) else ""


def _line(row: CardLine) -> Line:
    phone, text, web = row.phone or "", row.text or "", row.web or ""
    return Line(
        row.name, row.hours, phone, phone_link(phone), text, text_link(text), web, web_link(web),
        row.unverified, row.verified_on or "",
    )  # fmt: skip


def country_known(code: str) -> str:
    """The code as the house knows it, or nothing for one that it doesn't."""
    code = code.strip().upper()[:2]
    return code if code in NAMES else ""


def country_help(code: str, language: Language, *, now: datetime | None = None) -> CountryHelp:
    """Everything for a country; the world's numbers and the worldwide list where it is not known."""
    code = country_known(code)
    rows = lines_for(
        code or ELSEWHERE, language, KINDS, now=now or clock.now(), production=not settings.DEBUG, most=MOST
    )
    numbers = (emergency_of(code) if code else ANY_EMERGENCY).split("/")
    police = emergency_of(code, police=True) if code else ""
    return CountryHelp(
        code=code,
        name=str(NAMES[code]) if code else "",
        emergency=tuple((number.strip(), phone_link(number.strip())) for number in numbers),
        police=(police, phone_link(police)) if police and police not in numbers else None,
        lines=tuple(_line(row) for row in rows),
        more=FALLBACK,
        more_link=web_link(FALLBACK),
    )
