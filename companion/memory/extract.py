"""What a message says plainly about its writer. Pure. Dependable first: what is doubtful is left out.

Questions, conditions, quotations, negations and other people's words are not facts; the classes of 6.5 (health, faith,
sexuality, drugs, places, contact details, ...) are never facts here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import re2

from companion.memory.dates import When, times_in
from companion.memory.facts import NAMES, Fact, Kind
from companion.memory.lexicon import Rule, lexicon
from companion.memory.text import flat, fold
from companion.types import LANGUAGES, Language, Told

LONGEST = 60
LONGEST_NAME = 24
MOST_WORDS = 12
SHORT = 8
ENGLISH: Language = "en"
# What stands before somebody who is liked, in flat text: "i like dylan" gives no name.
_FOND = re2.compile(
    r"\b(?:like|love|luv|gosto d[aeo]|amo|adoro|curto|me (?:gusta|encanta)|quiero a|amo a|j['’]?(?:aime|adore))\W+$"
)
TASTES: tuple[Kind, ...] = ("like", "dislike", "favourite")
# Of these the whole clause is free of 6.5, not only the value: "my friend leo is …".
WHOLE: tuple[Kind, ...] = ("person", "from", "year", "does", "plan", "win", "feeling", "joke")
# Where a day ends the value: "won the relay today".
UNTIMED: tuple[Kind, ...] = ("plan", "win", "feeling")
_SENTENCE = re2.compile(r"[.!?\n;…]+")
# What somebody else said: quoted words are no words about oneself.
_QUOTED = re2.compile(r"\"[^\"\n]+\"|“[^”\n]+”|«[^»\n]+»|„[^“”\n]+[“”]")
_CONTACT = re2.compile(r"@|https?:|www\.|\d{4,}|#")
_EDGES = " ,.:-–\"'«»“”()*~"


Place = tuple[int, int]


def facts_in(
    text: str, language: Language, at: datetime | None = None, *, kinds: Sequence[Kind] | None = None
) -> tuple[Fact, ...]:
    """The facts of one message, in the order in which they are said. `at`: when, in the person's own time; without it
    plans have no day. `kinds`: only those."""
    text = unicodedata.normalize("NFC", text)
    words = lexicon(language)
    if is_silenced(text, language):
        return ()
    text = _QUOTED.sub(lambda match: '"' + " " * (len(match.group()) - 2) + '"', text)
    found: list[Fact] = []
    for start, end, asks in parts_of(text, language):
        part = text[start:end]
        rules = [rule for rule in words.learn if (kinds is None or rule.kind in kinds) and (rule.asked or not asks)]
        for fact in _facts_of(part, language, at, rules, found):
            if not any(fact.same_thing(other) for other in found):
                found.append(fact)
    named = {fold(fact.who) for fact in found if fact.kind == "pet" and fact.value}
    return tuple(fact for fact in found if fact.kind != "pet" or fact.value or fold(fact.who) not in named)


def told_in(text: str, language: Language) -> tuple[Told, ...]:
    """The names that a message tells, for an answer that uses them at once. Kept nowhere."""
    facts = facts_in(text, language, kinds=NAMES)
    return tuple(Told(fact.kind, fact.value, fact.who) for fact in facts if fact.value)


def ended_in(text: str, language: Language) -> tuple[str, ...]:
    """What a message says is over: "i quit judo", "the match got cancelled"."""
    text = unicodedata.normalize("NFC", text)
    words = lexicon(language)
    over: list[str] = []
    for start, end, asks in parts_of(text, language):
        bare = flat(text[start:end])
        guard = words.not_a_fact.search(bare)
        for pattern in words.ends if not asks else ():
            match = pattern.search(bare)
            if match is not None and (guard is None or guard.start() >= match.end()):
                place = trimmed("does", _value_place(match), Part(text[start:end], bare, (), language))
                value = text[start:end][slice(*place)]
                if len(value) > 1 and not words.vague.search(flat(value)):
                    over.append(value)
    return tuple(over)


def may_be_kept(value: str, language: Language) -> bool:
    """Whether the words are free of what is never remembered, in that language and in English, and plant nothing.

    Not in all four: what means something private in one is somebody's name in another. Says nothing about danger.
    """
    value = flat(unicodedata.normalize("NFC", value))
    if _CONTACT.search(value) or planted(value):
        return False
    return not any(is_private(value, spoken) for spoken in dict.fromkeys((language, ENGLISH)))


def is_silenced(text: str, language: Language) -> bool:
    """Whether nothing of the message is a fact, whatever it says: a wish to forget, planted instructions, role play.
    text: NFC."""
    bare = flat(text)
    return _forgets(bare, language) or bool(lexicon(language).not_a_message.search(bare))


def is_keepable(fact: Fact, part: str, language: Language) -> bool:
    """Whether a fact may be kept, by its words and, where they could be read into it, those of the part of the message
    that tells it: the classes of 6.5, contact details, and what is too long to be one thing."""
    bare = flat(fact.value)
    longest = LONGEST_NAME if fact.kind in NAMES else LONGEST
    if fact.value and not (2 <= len(bare) <= longest and len(bare.split()) <= MOST_WORDS):
        return False
    if _CONTACT.search(bare) or is_private(f"{flat(fact.who)} {bare}", language):
        return False
    if fact.kind in NAMES and fact.value and not _is_name(fact.kind, bare, language):
        return False
    narrow = fact.kind == "from" and not _is_wide_place(fact.value)
    if narrow or (fact.kind == "win" and lexicon(language).low_mark.search(bare)):
        return False
    if _is_liked(fact, bare, flat(part), language):
        return False
    return fact.kind not in WHOLE or not is_private(flat(part), language)


def planted(value: str) -> bool:
    """Whether the words bid the program something, or swear it to secrecy, in any language: no memory of a person."""
    value = flat(unicodedata.normalize("NFC", value))
    words = [lexicon(language) for language in LANGUAGES]
    return any(one.not_a_message.search(value) or one.planted.search(value) for one in words)


def why_not_kept(fact: Fact, language: Language) -> Literal["private", "planted"] | None:
    """What a fact in its owner's own words is refused for: one of 6.5, or words that bid the program something. None:
    it may be kept."""
    words = f"{fact.who} {fact.value}".strip()
    if planted(words):
        return "planted"
    wide = fact.kind != "from" or _is_wide_place(fact.value)
    return None if wide and may_be_kept(words, language) else "private"


def _is_wide_place(value: str) -> bool:
    """Whether somebody who says that they come from there would have it kept: a country, a region or a coast, and no
    town (6.5)."""
    return any(lexicon(language).broad.search(flat(value)) for language in LANGUAGES)


def groups_of(match: Any, text: str) -> dict[str, str]:
    """The named groups of a match in flat text, as they stand in the text itself. Empty-handed ones are left out."""
    spans = {name: match.span(number) for name, number in match.re.groupindex.items()}
    return {name: text[start:end] for name, (start, end) in spans.items() if start >= 0}


def is_private(bare: str, language: Language) -> bool:
    """Whether something of 6.5 is in a flat text, by the words of that language alone."""
    words = lexicon(language)
    return bool(words.never.search(words.harmless.sub(" ", bare)))


def _forgets(bare: str, language: Language) -> bool:
    """Whether something is to be forgotten: "forget that i love olives" must not teach olives anew."""
    wishes = (pattern for about, pattern in lexicon(language).ask if about.startswith("forget") or about == "outdated")
    return any(pattern.search(bare) for pattern in wishes)


def parts_of(text: str, language: Language) -> Iterator[tuple[int, int, bool]]:
    """The parts of a text, and whether each asks: sentences, apart where somebody begins anew or begins to ask."""
    words = lexicon(language)
    for start, end, asks in sentence_places(text):
        bare = flat(text[start:end])
        states = 0 if asks else len(bare)
        if asks:
            turn = words.turns.search(bare)
            states = 0 if turn is None or turn.start() < SHORT else turn.start()
            yield start + states, end, True
        begins = 0
        for match in words.apart.finditer(text[start : start + states].replace("’", "'")):
            if match.start() - begins >= 3:
                yield start + begins, start + match.start(), False
                begins = _begins_anew(match)
        if begins < states:
            yield start + begins, start + states, False


def _begins_anew(match: Any) -> int:
    """Behind the word that sets apart, without what the next part begins with ("and i ...")."""
    number = match.re.groupindex.get("next")
    start: int = -1 if number is None else match.span(number)[0]
    return start if start >= 0 else int(match.end())


def sentence_places(text: str) -> list[tuple[int, int, bool]]:
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


@dataclass(frozen=True)
class Part:
    """A part of a message, and the times that it names."""

    text: str
    bare: str
    times: tuple[When, ...]
    language: Language


def _facts_of(
    said: str, language: Language, at: datetime | None, rules: Sequence[Rule], before: Sequence[Fact]
) -> list[Fact]:
    words = lexicon(language)
    part = Part(said, flat(said), times_in(said, None if at is None else at.date(), language), language)
    if words.not_after.search(part.bare):
        return []
    guard = words.not_a_fact.search(part.bare)
    guarded = len(part.bare) + 1 if guard is None else int(guard.start())
    found: list[tuple[int, Fact]] = []
    taken: list[Place] = []
    for rule in rules:
        for match in rule.pattern.finditer(part.bare):
            read = None if _is_guarded(rule, match, guarded) else _fact(rule, match, part)
            if read is None or any(read[1][0] < end and start < read[1][1] for start, end in taken):
                continue
            if rule.whole or not (read[1][0] if rule.asked else 0) <= guarded < read[1][1]:
                found.append((match.start(), read[0]))
                taken.append(read[1])
    facts = [fact for _, fact in sorted(found, key=lambda one: one[0])]
    return _with_name(part, facts, before) if guard is None else facts


def _is_guarded(rule: Rule, match: Any, guarded: int) -> bool:
    """Whether what makes no fact stands before it. A wish ("can we not talk about it") may hold such words itself."""
    if rule.asked:
        return bool(match.start() > guarded)
    return bool(match.start() >= guarded or _value_place(match)[0] > guarded)


def _with_name(part: Part, facts: list[Fact], before: Sequence[Fact]) -> list[Fact]:
    """The pet that was just spoken of gets the name that follows: "i have a hamster. his name is nugget"."""
    nameless = [fact for fact in (*before, *facts) if fact.kind == "pet" and not fact.value]
    for pattern in lexicon(part.language).named if nameless else ():
        match = pattern.search(part.bare)
        if match is not None:
            named = replace(nameless[-1], value=capital(part.text[slice(*_value_place(match))]))
            told = any(fact.kind == "pet" and fact.value for fact in facts)
            if _is_name("pet", flat(named.value), part.language) and not told:
                return [*(fact for fact in facts if fact != nameless[-1]), named]
    return facts


def _value_place(match: Any) -> Place:
    """Where the value stands, or for a pet without a name, what it is."""
    numbers = match.re.groupindex
    places = [match.span(numbers[name]) for name in ("value", "who") if name in numbers]
    return next(((start, end) for start, end in places if start >= 0), match.span())


def _fact(rule: Rule, match: Any, part: Part) -> tuple[Fact, Place] | None:
    """The fact, and where in the part it stands."""
    kind = rule.kind
    groups = groups_of(match, part.text)
    who = " ".join(groups.get("who", "").lower().split())
    if kind == "favourite":
        who = _who(who, part.language)
        if lexicon(part.language).articles.sub("", f"{flat(who)} ") == "":
            return None  # "my favourite is ..." names no sort
    if kind == "pet" and "value" not in groups:
        return None if is_private(fold(who), part.language) else (Fact("pet", "", who), _value_place(match))
    place = trimmed(kind, _value_place(match), part, whole=rule.whole)
    value = part.text[slice(*place)]
    day = _time_of((match.start(), place[1]), part.times) if kind == "plan" else None
    if not _is_told(rule, value, groups["value"], part, day) or not _sensible(kind, flat(value), who, part.language):
        return None
    return Fact(kind, capital(value) if kind in NAMES else value, who, None if day is None else day.day), place


def _is_told(rule: Rule, value: str, before: str, part: Part, day: When | None) -> bool:
    """Whether the part says it in full: with its time where it needs one, and nothing of 6.5 beside it."""
    if rule.again and not any(time.again for time in part.times):
        return False
    if rule.kind == "plan" and (rule.dated if day is None else day.again):
        return False
    if rule.kind == "joke" and len(value.split()) <= 2 < len(before.split()):
        return False  # "my dog", and cut off what would name it
    return rule.kind not in WHOLE or not is_private(part.bare, part.language)


def _who(who: str, language: Language) -> str:
    """The sort without what follows it: "my favourite game rn"."""
    filler = lexicon(language).filler.search(flat(who))
    return who if filler is None else who[: filler.start()]


def capital(name: str) -> str:
    return " ".join(part[:1].upper() + part[1:] for part in name.split())


def _time_of(place: Place, times: Sequence[When]) -> When | None:
    """The time that stands nearest, one with a day before any other: "coming up on thursday"."""
    near = [
        (max(one.start - place[1], place[0] - one.end, 0), one) for one in times if one.day is not None or one.again
    ]
    near = near or [(0, one) for one in times]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def _sensible(kind: Kind, bare: str, who: str, language: Language) -> bool:
    words = lexicon(language)
    if not 2 <= len(bare) <= (LONGEST_NAME if kind in NAMES else LONGEST) or len(bare.split()) > MOST_WORDS:
        return False
    if _CONTACT.search(bare) or is_private(f"{flat(who)} {bare}", language):
        return False
    if kind in NAMES:
        return _is_name(kind, bare, language)
    if kind == "like" and _is_somebody(bare, language):
        return False
    if kind in TASTES and words.not_a_value.search(bare) and not words.still_a_value.search(bare):
        return False
    low = kind == "win" and words.low_mark.search(bare)
    return kind in TASTES or not (low or words.vague.search(bare))


def _is_liked(fact: Fact, bare: str, part: str, language: Language) -> bool:
    """Whether it is somebody whom they like, whatever it was taken for."""
    if fact.kind == "name":
        return bool(_FOND.search(part.lower().partition(bare.lower())[0]))
    return fact.kind == "like" and _is_somebody(bare, language)


def _is_somebody(bare: str, language: Language) -> bool:
    """Whom somebody likes is of 6.5."""
    words = lexicon(language)
    names = words.articles.sub("", f"{bare} ").split()
    return bool(names) and all(words.first_name.search(name) for name in names)


def _is_name(kind: Kind, bare: str, language: Language) -> bool:
    words = lexicon(language)
    if words.not_a_name.search(bare) or times_in(bare, None, language):
        return False
    return kind != "name" or not words.not_own_name.search(bare) or bool(words.first_name.search(bare))


def trimmed(kind: Kind, place: Place, part: Part, *, whole: bool = False) -> Place:
    """Where the value stands without what comes after it in the sentence, and a plan without its day and article."""
    words, bare = lexicon(part.language), part.bare
    start, end = place
    cut = words.cut.search(bare[start:end])
    if cut is not None and not whole:
        end = start + cut.start()
    for time in part.times if kind in UNTIMED else ():
        # What a feeling is about may have its time: "nervous for tomorrow's match".
        if start < time.start < end and (kind != "feeling" or time.end >= end):
            end = time.start
        elif time.start <= start < time.end <= end:
            start = time.end
    while True:
        start, end = _stripped(bare, start, end)
        filler = words.filler.search(bare[start:end])
        article = words.articles.search(bare[start:end]) if kind in ("plan", "year") else None
        if filler is not None and filler.start() > 0:
            end = start + filler.start()
        elif article is not None and article.end() < end - start:
            start += article.end()
        else:
            return start, end


def _stripped(bare: str, start: int, end: int) -> Place:
    while start < end and bare[start] in _EDGES:
        start += 1
    while end > start and bare[end - 1] in _EDGES:
        end -= 1
    return start, end
