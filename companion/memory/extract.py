"""What a message says plainly about its writer. Pure. Dependable first: what is doubtful is left out.

Questions, conditions, quotations, negations and other people's words are not facts; the classes of 6.5 (health, faith,
sexuality, drugs, places, contact details, ...) are never facts here.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import re2

from companion.memory.facts import Fact, Kind, flat, fold, lexicon
from companion.types import Language, Told

LONGEST = 48
LONGEST_NAME = 24
SHORT = 8
ENGLISH: Language = "en"
NAMES: tuple[Kind, ...] = ("name", "pet", "person")
_SENTENCE = re2.compile(r"[.!?\n;]+")
_ASKS = re2.compile(r"\?\s*$")
# What somebody else said: quoted words are no words about oneself.
_QUOTED = re2.compile(r"\"[^\"\n]+\"|“[^”\n]+”|«[^»\n]+»|„[^“”\n]+[“”]")
_CONTACT = re2.compile(r"@|https?:|www\.|\d{4,}")


def facts_in(text: str, language: Language) -> tuple[Fact, ...]:
    """The facts of one message, in the order in which they are said."""
    found: list[Fact] = []
    text = unicodedata.normalize("NFC", text)
    words = lexicon(language)
    if _forgets(text, language):
        return ()
    text = _QUOTED.sub(lambda match: '"' + " " * (len(match.group()) - 2) + '"', text)
    for start, end, asks in _sentences(text):
        said = text[start:end]
        bare = flat(said)
        if asks or words.not_a_fact.search(bare):
            continue
        for kind, pattern in words.learn:
            for match in pattern.finditer(bare):
                fact = _fact(kind, groups_of(match, said), language)
                if fact is not None and not any(fact.same_thing(other) for other in found):
                    found.append(fact)
    return tuple(found)


def told_in(text: str, language: Language) -> tuple[Told, ...]:
    """The names that a message tells, for an answer that uses them at once. Kept nowhere."""
    return tuple(Told(fact.kind, fact.value, fact.who) for fact in facts_in(text, language) if fact.kind in NAMES)


def _forgets(text: str, language: Language) -> bool:
    """Whether something is to be forgotten: "forget that i love olives" must not teach olives anew."""
    bare = flat(text)
    wishes = (pattern for about, pattern in lexicon(language).ask if about in ("forget", "forget_all"))
    return any(pattern.search(bare) for pattern in wishes)


def groups_of(match: Any, text: str) -> dict[str, str]:
    """The named groups of a match in flat text, as they stand in the text itself. Empty-handed ones are left out."""
    spans = {name: match.span(number) for name, number in match.re.groupindex.items()}
    return {name: text[start:end] for name, (start, end) in spans.items() if start >= 0}


def may_be_kept(value: str, language: Language) -> bool:
    """Whether the words are free of what is never remembered, in that language and in English.

    Not in all four: what means something private in one is somebody's name in another. Says nothing about danger.
    """
    value = flat(unicodedata.normalize("NFC", value))
    return not _CONTACT.search(value) and not any(
        lexicon(spoken).never.search(value) for spoken in dict.fromkeys((language, ENGLISH))
    )


def _sentences(text: str) -> list[tuple[int, int, bool]]:
    """Where each sentence begins and ends, and whether it asks. A very short one ("hey!", "... not") belongs to its
    neighbour: what it says is about that one."""
    places: list[tuple[int, int, bool]] = []
    start = 0
    for end, until, asks in _ends(text):
        if text[start:end].strip():
            before = places[-1] if places else None
            short = min(end - start, before[1] - before[0] if before else 0) < SHORT
            if before is not None and short and not asks and not before[2]:
                places[-1] = (before[0], end, False)
            else:
                places.append((start, end, asks))
        start = until
    return places


def _ends(text: str) -> list[tuple[int, int, bool]]:
    marks = [(match.start(), match.end(), "?" in match.group()) for match in _SENTENCE.finditer(text)]
    return [*marks, (len(text), len(text), False)]


def _fact(kind: Kind, groups: dict[str, str], language: Language) -> Fact | None:
    words = lexicon(language)
    value = _trimmed(groups, language)
    who = fold(groups.get("who", ""))
    if not 2 <= len(value) <= (LONGEST_NAME if kind in NAMES else LONGEST):
        return None
    bare = flat(value)
    if words.not_a_value.search(bare) and not words.still_a_value.search(bare):
        return None
    if kind in NAMES and words.not_a_name.search(bare):
        return None
    if kind == "name" and words.not_own_name.search(bare) and not words.first_name.search(bare):
        return None
    if _CONTACT.search(value) or words.never.search(f"{who} {bare}"):
        return None
    if kind in NAMES:
        value = " ".join(part[:1].upper() + part[1:] for part in value.split())
    return Fact(kind, value, who)


def _trimmed(groups: dict[str, str], language: Language) -> str:
    """The value without what comes after it in the sentence; with its day where that stands apart."""
    value = groups.get("value", "").strip()
    if "when" in groups:
        value = f"{value} {groups['when']}"
    cut = lexicon(language).cut.search(flat(value))
    if cut is not None:
        value = value[: cut.start()].strip()
    return value.strip(" ,.:-\"'«»“”").removesuffix(" lol").removesuffix(" kkk").strip()
