"""Lines that are the same, or differ by a word: the smell of a template."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from companion.bank.lint_words import words_of

NEAR = 0.8  # share of words in common from which two lines count as nearly the same
SPARE = 5  # of as many words, one may be missing in a line that is as near as that
SHORTEST = 5  # words; shorter lines may look alike


@dataclass(frozen=True)
class Twin:
    first: str
    second: str
    text: str
    same: bool


def _near(first: frozenset[str], second: frozenset[str]) -> bool:
    if min(len(first), len(second)) < NEAR * max(len(first), len(second)):
        return False
    both = len(first & second)
    return both / (len(first) + len(second) - both) >= NEAR


def twins(texts: Sequence[tuple[str, str]], *, nearly: bool = True) -> Iterator[Twin]:
    """Pairs of (id, text) with the same words, or (with `nearly`) nearly the same words, each text named once."""
    seen: dict[str, str] = {}
    postings: dict[str, list[int]] = {}
    bags: list[frozenset[str]] = []
    for at, (name, text) in enumerate(texts):
        words = words_of(text)
        key = " ".join(words)
        bag = frozenset(words)
        bags.append(bag)
        if not key:
            continue  # only signs: "..."
        if key in seen:
            yield Twin(name, seen[key], text, same=True)
            continue
        seen[key] = name
        if not nearly or len(bag) < SHORTEST:
            continue
        # Two near texts share a word among the few rarest of the newer one (one more than may be missing); longer
        # lists are the common words.
        rare = sorted(bag, key=lambda word: len(postings.get(word, ())))[: len(bag) // SPARE + 1]
        close = {other for word in rare for other in postings.get(word, ())}
        for other in sorted(close):
            if _near(bag, bags[other]):
                yield Twin(name, texts[other][0], text, same=False)
                break
        for word in bag:
            postings.setdefault(word, []).append(at)
