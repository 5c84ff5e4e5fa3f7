"""Which of our languages a message is in, where that can be told; else the person's own."""

from __future__ import annotations

import re
import threading
from typing import Any, Final

from moderation.types import Language

_ENOUGH_LETTERS: Final = 15
_MARGIN: Final = 0.25
_SURE: Final = 0.6  # "STRAY KIDS VEM PRO BRASIL" is half English, by its letters
_CODES: Final[dict[str, Language]] = {"EN": "en", "PT": "pt-BR", "ES": "es", "FR": "fr"}

# "What does Abraço mean?" is no Portuguese.
_OUR_NAME: Final = re.compile(r"\babra[cç]o\b", re.IGNORECASE)

_lock = threading.Lock()
_detector: Any = None


def _load() -> Any:
    global _detector  # noqa: PLW0603  one model for the process, built on first use
    with _lock:
        if _detector is None:
            from lingua import IsoCode639_1, LanguageDetectorBuilder

            codes = [getattr(IsoCode639_1, code) for code in _CODES]
            _detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_preloaded_language_models().build()
    return _detector


def warm() -> None:
    """Load the models now (some hundreds of milliseconds), so that no message waits for them."""
    _load()


def language_of(text: str, own: Language) -> Language:
    """The message's language where it is long enough and the margin is clear, else `own`."""
    text = _OUR_NAME.sub(" ", text)
    if sum(1 for char in text if char.isalpha()) < _ENOUGH_LETTERS:
        return own
    values = _load().compute_language_confidence_values(text[:1000])
    if len(values) < 2 or values[0].value < _SURE or values[0].value - values[1].value < _MARGIN:
        return own
    return _CODES.get(values[0].language.iso_code_639_1.name, own)


def language_likely(text: str) -> Language:
    """The best guess for a text, however short, of somebody whose own language nobody told; English without letters."""
    values = _load().compute_language_confidence_values(text[:1000])
    if not values or not values[0].value:
        return "en"
    return _CODES.get(values[0].language.iso_code_639_1.name, "en")
