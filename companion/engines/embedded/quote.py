"""A few of the teen's own words, for lines that say what was not understood."""

from __future__ import annotations

import re2

from companion.engines.embedded.lexical import LexicalIndex
from companion.types import Language
from companion.words import content_words, lexicon, words_of

MOST_WORDS = 3
MOST_LETTERS = 40
# Nothing that could be an address, a number or a link is said again.
PRIVATE = re2.compile(r"[@\d/\\{}]|https?|www")
EDGES = " .,;:!?…\"'«»()*_~-"


def quote_of(text: str, letters: LexicalIndex, language: Language, *, rare: bool = True) -> str | None:
    """Up to three words in a row around the word that the bank hardly knows (rare) or knows best; None if nothing can
    be quoted."""
    words = [word.strip(EDGES) for word in text.split()]
    usable = [at for at, word in enumerate(words) if word and not PRIVATE.search(word)]
    if not usable:
        return None

    def weight(at: int) -> float:
        meant = content_words(words_of(words[at], language), language)
        rarity = max((letters.rarity(word) for word in meant), default=0.0)
        known = any(letters.known(word) and len(word) > 2 for word in meant)
        return rarity if rare else (100.0 if known else 0.0) + rarity

    centre = max(usable, key=lambda at: (weight(at), -at))
    first = last = centre
    while last - first + 1 < MOST_WORDS:
        before, after = first - 1 in usable, last + 1 in usable
        if not before and not after:
            break
        if after and (last - centre <= centre - first or not before):
            last += 1
        else:
            first -= 1
    # "Not focused and" is no thing to say back.
    while first < last and _is_filler(words[last], language):
        last -= 1
    while first < last and _is_filler(words[first], language):
        first += 1
    found = " ".join(words[first : last + 1])
    return found if len(found) <= MOST_LETTERS else (words[centre] if len(words[centre]) <= MOST_LETTERS else None)


def _is_filler(word: str, language: Language) -> bool:
    return all(part in lexicon(language).fillers for part in words_of(word, language))
