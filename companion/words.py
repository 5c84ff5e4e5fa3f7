"""A message in the words that it is compared in: folded, squeezed, chat words written out."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import re2
import yaml

from companion.folding import NOT_WORD, plain, squeezed
from companion.types import Language

SENTENCE_END = re2.compile(r"[.!?…\n]+[\s)\"'»]*|[\n]+")
GOES_ON = 5  # words
NOT_AFTER = frozenset(("fr",))  # "j'aime pas": what denies a word stands after it too


@dataclass(frozen=True)
class Lexicon:
    """The chat words of one language."""

    apostrophe: str
    replace: Mapping[str, str]
    fillers: frozenset[str]
    refers: frozenset[str]
    same: Mapping[str, str]
    good: frozenset[str]
    bad: frozenset[str]
    negations: frozenset[str]
    grave: frozenset[str]
    mild: frozenset[str]
    neutral: frozenset[str]
    goes_on: frozenset[str]
    ahead: frozenset[str]
    people: frozenset[str]
    things: frozenset[str]
    times: Mapping[str, str]
    asks_name: Any
    mourns: tuple[Any, ...]
    mourns_not: Any


@functools.cache
def lexicon(language: Language) -> Lexicon:
    # BaseLoader: `no`, `n` and `y` are words here.
    content = (Path(__file__).parent / "words.yaml").read_bytes()
    given = yaml.load(content, Loader=yaml.CBaseLoader)[language]  # noqa: S506 (strings only: safe)
    once = {plain(word): meaning for word, meaning in given["replace"].items()}
    # "idk" is "i dont know", and "dont" is "do not": written out twice, so that all ways to type it meet.
    twice = {word: " ".join(once.get(part, part) for part in meaning.split()) for word, meaning in once.items()}
    return Lexicon(
        apostrophe=given["apostrophe"],
        replace=twice,
        fillers=frozenset(given["fillers"]),
        refers=frozenset(given["refers"]),
        same={word: group[0] for group in given["same"] for word in group},
        good=frozenset(given["good"]),
        bad=frozenset(given["bad"]),
        negations=frozenset(given["not"]),
        grave=frozenset(given["grave"]),
        mild=frozenset(given["mild"]),
        neutral=frozenset(given["neutral"]),
        goes_on=frozenset(given["goes_on"]),
        ahead=frozenset(given["ahead"]),
        people=frozenset(given["people"]),
        things=frozenset(given["things"]),
        times={word: group[0] for group in given["times"] for word in group},
        asks_name=re2.compile(given["asks_name"]),
        mourns=tuple(re2.compile(pattern) for pattern in given["mourns"]),
        mourns_not=re2.compile(given["mourns_not"]),
    )


@functools.lru_cache(maxsize=4096)
def words_of(text: str, language: Language) -> tuple[str, ...]:
    """The words of a text, chat words written out. Fillers are still in."""
    chat = lexicon(language)
    bare = squeezed(plain(text)).replace("'", chat.apostrophe)
    found: list[str] = []
    given = NOT_WORD.split(bare)
    for word in given:
        if word:
            found.extend(chat.replace.get(word, word).split())
    return tuple(found) or tuple(word for word in given if word)


def feeling_of(words: tuple[str, ...], language: Language) -> int:
    """1 for words about something good, -1 about something bad, 0 for neither or both. "Not good" is bad."""
    chat = lexicon(language)
    if chat.good.isdisjoint(words) and chat.bad.isdisjoint(words):
        return 0
    found = set()
    for at, word in enumerate(words):
        side = (word in chat.good) - (word in chat.bad)
        if f"{word} {words[at + 1] if at + 1 < len(words) else ''}" in chat.neutral:
            continue  # a best friend is nothing good by itself
        after = words[at + 1 : at + 3] if language in NOT_AFTER else ()
        if side and chat.negations.intersection((*words[max(0, at - 3) : at], *after)):
            side = min(-side, 0)  # "not bad" says little, "not good" is bad
        found.add(side)
    found.discard(0)
    return found.pop() if len(found) == 1 else 0


def weighs(words: tuple[str, ...], language: Language) -> bool:
    """Whether a message is about something that hurts, not only about a dull or tiring one."""
    heavy = tuple(word for word in words if word not in lexicon(language).mild)
    return feeling_of(heavy, language) < 0 or is_grave(words, language)


def continues(words: tuple[str, ...], language: Language) -> bool:
    """Whether a short message only goes on with a sentence: "in june", "with my cousin"."""
    return len(words) <= GOES_ON and words[:1] != () and words[0] in lexicon(language).goes_on


def times_in(words: tuple[str, ...], language: Language) -> frozenset[str]:
    """The times that are named: tomorrow, tonight, yesterday, a weekday, the weekend."""
    times = lexicon(language).times
    return frozenset(times[word] for word in words if word in times)


def is_grave(words: tuple[str, ...], language: Language) -> bool:
    chat = lexicon(language)
    found = [at for at, word in enumerate(words) if word in chat.grave]
    if any(chat.neutral.isdisjoint(_pairs(words[max(0, at - 1) : at + 2])) for at in found):
        return True  # "my best friend died" is, "my phone died" is not
    line = f" {' '.join(words)} "
    return any(f" {phrase} " in line for phrase in chat.grave if " " in phrase)


def tells_of_death(text: str, language: Language) -> bool:
    """Of somebody dear, people or animals: neither a battery's nor a boss's, nor a manner of speaking."""
    chat, bare = lexicon(language), plain(text)
    return any(pattern.search(bare) for pattern in chat.mourns) and not chat.mourns_not.search(bare)


def names_one(words: tuple[str, ...], named: frozenset[str], language: Language) -> bool:
    """Whether one of the named words, or pairs of words, is there; not in a pair that says nothing ("il pleut")."""
    pairs = _pairs(words)
    if not named.isdisjoint(pairs):
        return True
    neutral = lexicon(language).neutral
    nexts = [*pairs, ""]
    return any(word in named and pair not in neutral for word, pair in zip(words, nexts, strict=True))


def _pairs(words: tuple[str, ...]) -> list[str]:
    return [f"{first} {second}" for first, second in itertools.pairwise(words)]


def content_words(words: tuple[str, ...], language: Language) -> tuple[str, ...]:
    """The words that carry the meaning; all of them if none does."""
    fillers = lexicon(language).fillers
    return tuple(word for word in words if word not in fillers) or words


def sentences_of(text: str) -> list[str]:
    """The sentences of a message, in order, without the empty ones."""
    return [part.strip() for part in SENTENCE_END.split(text) if part.strip()]


def spoken(text: str) -> Iterator[str]:
    """A reply in its sentences, each with the space that follows it: joined they are the reply again."""
    start = 0
    for at in range(1, len(text)):
        if text[at - 1] == " " and text[at] != " " and text[:at].rstrip().endswith((".", "!", "?", "…", ".”", "?”")):
            if text[start:at].strip(" .!?…"):
                yield text[start:at]
                start = at
    yield text[start:]
