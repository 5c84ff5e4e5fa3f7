"""What a message does (greets, thanks, asks back …), by the rules in acts.yaml."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import re2
import yaml

from companion.folding import plain, squeezed
from companion.types import Language
from companion.words import words_of

# Keys that a hand on the home row hits; a word of five of them and no real vowel pattern is nobody's word.
MASH = re2.compile(
    r"[bcdfghjklmnpqrstvwxz]{5}|(?:[asdfghjkl]{6,})|(?:[qwertyuiop]{7,})|(?:asdf|hjkl|qwer|sdfg|fghj|jkjk|zxcv)"
)
VOWEL = re2.compile(r"[aeiouy]")
CLUSTER = re2.compile(r"[bcdfghjklmnpqrstvwxz]{4}|[aeiou]{4}|asdf|qwer|uiop")
LETTER = re2.compile(r"[\p{L}\p{N}]")


@dataclass(frozen=True)
class Act:
    """A recognised act. first: it is answered before anything else. weak: only where the bank has nothing closer.
    whole: the message is nothing but this."""

    name: str
    first: bool = False
    weak: bool = False
    whole: bool = True


@dataclass(frozen=True)
class _Rule:
    act: Act
    only: Any
    has: Any


@dataclass(frozen=True)
class _Rules:
    laughs: Any
    asks: Any
    around: frozenset[str]
    rules: tuple[_Rule, ...]


def _joined(patterns: list[str], *, whole: bool) -> Any:
    if not patterns:
        return None
    options = re2.Options()
    options.max_mem = 64 << 20
    options.log_errors = False
    either = "|".join(f"(?:{pattern})" for pattern in patterns)
    return re2.compile(f"^(?:{either})$" if whole else either, options=options)


@functools.cache
def _rules(language: Language) -> _Rules:
    content = (Path(__file__).parent / "acts.yaml").read_bytes()
    given = yaml.load(content, Loader=yaml.CBaseLoader)[language]  # noqa: S506 (strings only: safe)
    rules = []
    for rule in given["acts"]:
        only, has = rule.get("only", []), rule.get("has", [])
        act = Act(rule["act"], first=rule.get("first") == "true", weak=rule.get("weak") == "true", whole=not has)
        rules.append(_Rule(act, _joined(only, whole=True), _joined(has, whole=False)))
    return _Rules(
        laughs=_joined([given["laughs"]], whole=True),
        asks=_joined(given["asks"], whole=False),
        around=frozenset(given["around"]),
        rules=tuple(rules),
    )


def asks_in(text: str, language: Language) -> bool:
    """Does the message ask? Many do without a question mark."""
    if "?" in text:
        return True
    rules = _rules(language)
    return any(rules.asks.search(core) for core in _cores(words_of(text, language), rules.around))


def _cores(words: tuple[str, ...], around: frozenset[str]) -> list[str]:
    """The message, and the message without the words around it at either end: "ok bye then" is "bye"."""
    first, last = 0, len(words)
    while first < last and words[first] in around:
        first += 1
    while last > first and words[last - 1] in around:
        last -= 1
    found = (words, words[first:], words[:last], words[first:last])
    return list(dict.fromkeys(" ".join(part) for part in found if part))


@functools.lru_cache(maxsize=256)
def acts_in(text: str, language: Language) -> tuple[Act, ...]:
    """The acts of a message in the order of the rules; empty for plain talk."""
    rules = _rules(language)
    typed = plain(text).strip()
    if not LETTER.search(typed):
        return (Act("laugh" if rules.laughs.search(typed) and typed.strip(".! ") else "silence"),)
    if rules.laughs.search(typed.replace(",", " ").replace("?", " ")):
        return (Act("laugh"),)
    cores = _cores(words_of(text, language), rules.around)
    found = tuple(rule.act for rule in rules.rules if _fits(rule, cores))
    if not found and is_mash(typed):
        return (Act("keyboard_mash"),)
    return found


def is_one_of(text: str, language: Language, names: frozenset[str]) -> bool:
    """Whether the text is nothing but one of these acts, as acts_in would say, by their rules alone. Not for the acts
    that have none: laughs, silence and mash."""
    rules = _rules(language)
    typed = plain(text).strip()
    if not LETTER.search(typed) or rules.laughs.search(typed.replace(",", " ").replace("?", " ")):
        return False
    cores = _cores(words_of(text, language), rules.around)
    return any(_fits(rule, cores) for rule in rules.rules if rule.act.whole and rule.act.name in names)


def _fits(rule: _Rule, cores: list[str]) -> bool:
    if rule.has is not None and rule.has.search(cores[0]):
        return True
    return rule.only is not None and any(rule.only.search(core) for core in cores)


def is_mash(typed: str) -> bool:
    """One or two long words that no language has: asdfghjkl."""
    words = squeezed(typed).split()
    return 0 < len(words) <= 3 and any(len(word) >= 5 and MASH.search(word) and not _speakable(word) for word in words)


def _speakable(word: str) -> bool:
    """Whether a mouth could say it: "pepperoni" lies on one row of the keyboard too."""
    vowels = len(VOWEL.findall(word))
    return 0.3 <= vowels / len(word) <= 0.6 and not CLUSTER.search(word)
