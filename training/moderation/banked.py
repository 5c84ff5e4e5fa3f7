"""What people say to the companion in its bank, as harmless examples: alone, and after what it answers to.

The bank's replies are the house's own lines; as replies they are examples of good ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

from companion.bank.book import Exchange
from companion.bank.load import bank_load
from moderation.detectors.classifier.outputs import MESSAGE, REPLY
from moderation.types import LANGUAGES, Language
from training.moderation.examples import Example

SOURCE: Final = "bank"
WEIGHT: Final = 1.5
MOST: Final = 2  # sayings and answers of one exchange
_FINE: Final = {"message": {name: 0 for name in MESSAGE}, "reply": {name: 0 for name in REPLY}}


def examples_banked() -> Iterator[Example]:
    for language in LANGUAGES:
        for exchange in bank_load(language).exchanges:
            yield from _exchange(exchange, language, f"bank/{language}/{exchange.id}", ())


def _exchange(exchange: Exchange, language: Language, scene: str, before: tuple[str, ...]) -> Iterator[Example]:
    for said in exchange.said[:MOST]:
        yield Example(said, _FINE["message"], language, SOURCE, scene, WEIGHT, before)
    for said, line in list(product(exchange.said[:1], exchange.replies))[:MOST]:
        yield Example(line.text, _FINE["reply"], language, SOURCE, scene, WEIGHT, (said,))
    for follow in exchange.then:
        yield from _exchange(follow, language, scene, (*before, *exchange.said[:1]))
