"""What a message says plainly about its writer. Pure. Dependable first: what is doubtful is left out.

Questions, conditions, quotations, negations and other people's words are not facts; the classes of 6.5 (health, faith,
sexuality, drugs, places, contact details, ...) are never facts here.
"""

from __future__ import annotations

import re2

from companion.memory.facts import Fact, Kind, fold, lexicon
from companion.types import Language

LONGEST = 48
_SENTENCE = re2.compile(r"[.!?\n;]+")
_ASKS = re2.compile(r"\?\s*$")
_CONTACT = re2.compile(r"@|https?:|www\.|\d{4,}")


def facts_in(text: str, language: Language) -> tuple[Fact, ...]:
    """The facts of one message, in the order in which they are said."""
    found: list[Fact] = []
    for start, end, asks in _sentences(text):
        said = text[start:end]
        words = lexicon(language)
        if asks or words.not_a_fact.search(said):
            continue
        for kind, pattern in words.learn:
            for match in pattern.finditer(said):
                fact = _fact(kind, match.groupdict(), language)
                if fact is not None and not any(fact.same_thing(other) for other in found):
                    found.append(fact)
    return tuple(found)


def _sentences(text: str) -> list[tuple[int, int, bool]]:
    places, start = [], 0
    for match in _SENTENCE.finditer(text):
        places.append((start, match.start(), "?" in match.group()))
        start = match.end()
    places.append((start, len(text), False))
    return [place for place in places if text[place[0] : place[1]].strip()]


def _fact(kind: Kind, groups: dict[str, str | None], language: Language) -> Fact | None:
    words = lexicon(language)
    value = (groups.get("value") or "").strip()
    cut = words.cut.search(value)
    if cut is not None:
        value = value[: cut.start()].strip()
    value = value.strip(" ,.:-\"'«»“”").removesuffix(" lol").removesuffix(" kkk").strip()
    who = fold(groups.get("who") or "")
    if not 2 <= len(value) <= LONGEST or _CONTACT.search(value) or words.never.search(f"{who} {value}"):
        return None
    if kind in ("name", "pet", "person"):
        value = " ".join(part[:1].upper() + part[1:] for part in value.split())
    return Fact(kind, value, who)
