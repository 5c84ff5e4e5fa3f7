"""The rules: what must never be missed, in four languages, in memory, in well under a millisecond."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

from moderation.detectors.patterns import (
    CORE,
    PATTERNS,
    REPLIES,
    SIGNALS,
    Book,
    PatternError,
    Rule,
    Signal,
    rules_read,
    signals_read,
)
from moderation.normalise import Normalised, Sentence
from moderation.slang import slang
from moderation.taxonomy import DANGER
from moderation.types import LANGUAGES, Hit, Language, Side, level_rank

SCORES: Final[Mapping[int, float]] = {1: 0.4, 2: 0.65, 3: 0.85, 4: 0.97}
HELD_BACK: Final = 0.15
_ONE_THOUGHT: Final = 400  # characters

# Rules about messages that a reply is held against as well: what nobody may write here.
_REPLIES_TOO: Final = frozenset({"T03", "T04", "T09", "T12", "T16", "T17"})


@dataclass(frozen=True)
class Found:
    """What the rules found. weak: categories whose only hit an `unless` held back. broken: languages wanted in full
    whose file can't be used."""

    hits: tuple[Hit, ...]
    weak: frozenset[str]
    broken: tuple[str, ...] = ()


class Rules:
    """The rules of all languages, each loaded on first use. A broken file never takes the others with it."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders or (PATTERNS, CORE, REPLIES)
        self._books: dict[Language, tuple[Book[Rule], ...] | PatternError] = {}
        self._hashes: dict[Language, str] = {}
        self._lock = threading.Lock()

    def books(self, language: Language) -> tuple[Book[Rule], ...]:
        """The compiled rules of a language. Raises PatternError, each time, where a file can't be used."""
        known = self._books.get(language)
        if known is None:
            with self._lock:
                known = self._books.get(language) or self._load(language)
        if isinstance(known, PatternError):
            raise known
        return known

    def _load(self, language: Language) -> tuple[Book[Rule], ...] | PatternError:
        books: list[Book[Rule]] = []
        digests: list[str] = []
        try:
            for folder in self._folders:
                parsed, digest = rules_read(language, folder)
                name = f"{folder.name}/{language}.yaml"
                books.append(Book(parsed.rules, fragments=parsed.fragments, file=name))
                digests.append(digest)
            self._hashes[language] = "".join(digests)
            self._books[language] = tuple(books)
        except PatternError as error:
            self._books[language] = error
        return self._books[language]

    def problems(self) -> list[str]:
        """Load everything; one sentence for each file that can't be used."""
        found: list[str] = []
        for language in LANGUAGES:
            try:
                self.books(language)
            except PatternError as error:
                found.append(str(error))
        return found + ([problem] if (problem := slang().problem) else [])

    def version(self) -> str:
        """Eight characters that change with any rule of any language, and with any spelling of slang.yaml."""
        self.problems()
        together = "".join(self._hashes.get(language, "broken") for language in LANGUAGES)
        together += slang().digest or "broken"
        return hashlib.sha256(together.encode()).hexdigest()[:8]

    def find(self, text: Normalised, *, languages: Iterable[Language], side: Side = "message") -> Found:
        """Hits in a text. In `languages` every rule is tried, in the others those for acute danger."""
        full = set(languages)
        sentences = text.sentences()
        hits: dict[tuple[Language, str], Hit] = {}
        held_back: set[tuple[str, int, int]] = set()
        broken: list[str] = []
        for language in LANGUAGES:
            try:
                books = self.books(language)
            except PatternError:
                broken.append(language)
                continue
            for sentence, book in product(sentences, books):
                for rule, held in book.search(sentence.readings):
                    if not _applies(rule, side=side, full=language in full):
                        continue
                    if not held:
                        hits.setdefault((language, rule.id), _hit(rule, language, sentence))
                    elif language in full:
                        held_back.add((rule.category, sentence.start, sentence.end))
        found = _own_first(hits, full, held_back)
        needed = tuple(language for language in broken if language in full)
        weak = {category for category, _, _ in held_back} - {hit.category for hit in found}
        return Found(found, frozenset(weak), needed)


def _own_first(
    hits: Mapping[tuple[Language, str], Hit], full: set[Language], held_back: set[tuple[str, int, int]]
) -> tuple[Hit, ...]:
    """Without what another language's rules say where the person's own languages know better.

    They do where they speak of the same category too, and where one of their rules saw that sentence and held itself
    back ("faz um ano que não me corto" is recovery in Portuguese, whatever a Spanish rule makes of it).
    """
    spoken = {hit.category for (language, _), hit in hits.items() if language in full}
    return tuple(
        hit
        for (language, _), hit in hits.items()
        if language in full or (hit.category not in spoken and (hit.category, hit.start, hit.end) not in held_back)
    )


def _applies(rule: Rule, *, side: Side, full: bool) -> bool:
    if side == "reply":
        also = rule.category in _REPLIES_TOO and rule.severity >= 3
        # Neighbouring languages share words: of another language's rules about replies only the gravest are tried.
        return also or (rule.side != "message" and (full or rule.severity == 4))
    return rule.side != "reply" and (full or acute(rule))


def acute(rule: Rule) -> bool:
    """Is this a rule that is tried whatever the language of the person is?"""
    return level_rank(rule.level) >= 2 or (rule.category in DANGER and rule.severity == 4)


def _hit(rule: Rule, language: Language, sentence: Sentence) -> Hit:
    return Hit(
        rule=f"{language}/{rule.id}",
        category=rule.category,
        severity=rule.severity,
        level=rule.level,
        about=rule.about,
        playbook=rule.playbook,
        score=SCORES[rule.severity],
        start=sentence.start,
        end=sentence.end,
    )


class Signals:
    """Signs that are no danger in themselves. Where a file is broken, that language has none."""

    def __init__(self, folder: Path = SIGNALS) -> None:
        self._folder = folder
        self._books: dict[Language, Book[Signal] | PatternError] = {}
        self._lock = threading.Lock()

    def _book(self, language: Language) -> Book[Signal] | PatternError:
        known = self._books.get(language)
        if known is None:
            with self._lock:
                known = self._books.get(language)
                if known is None:
                    known = self._load(language)
                    self._books[language] = known
        return known

    def _load(self, language: Language) -> Book[Signal] | PatternError:
        try:
            parsed, _ = signals_read(language, self._folder)
            return Book(parsed.signals, fragments=parsed.fragments, file=f"signals/{language}.yaml")
        except PatternError as error:
            return error

    def problems(self) -> list[str]:
        """One sentence for each file that can't be used."""
        books = [self._book(language) for language in LANGUAGES]
        return [str(book) for book in books if isinstance(book, PatternError)]

    def find(self, text: Normalised, *, languages: Iterable[Language]) -> frozenset[str]:
        """Names of the signals in a text."""
        readings = [sentence.readings for sentence in text.sentences()]
        if 1 < len(readings) and len(text.text) <= _ONE_THOUGHT:
            # A goodbye is often told in pieces: "gave my things away. bye."
            readings.append((" ".join(reading[0] for reading in readings),))
        names: set[str] = set()
        for language in dict.fromkeys(languages):
            book = self._book(language)
            if isinstance(book, PatternError):
                continue
            for reading in readings:
                names.update(row.signal for row, held in book.search(reading) if not held)
        return frozenset(names)
