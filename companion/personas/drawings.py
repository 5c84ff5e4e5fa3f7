"""The drawings of itself that the companion sends: which there are, after what each fits, and its captions."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from companion.types import LANGUAGES, Language

FILE = Path(__file__).parent / "drawings.yaml"


@dataclass(frozen=True)
class Drawing:
    """when: acts, or the beginnings of situations of the bank, after which it fits."""

    name: str
    when: tuple[str, ...]
    captions: Mapping[Language, str]

    def fits(self, situation: str, act: str | None) -> bool:
        return any(act == one or situation.startswith(one) for one in self.when)


@functools.cache
def drawings() -> Mapping[str, Drawing]:
    """By name. The picture is static/stickers/<name>.svg. What is #FFC73A in it gets the chosen colour; `on-top` and
    `on-eyes` are places for what the character wears, where it is not dressed up already (js/chat/drawing.js)."""
    given = yaml.safe_load(FILE.read_text(encoding="utf-8")) or {}
    return {
        name: Drawing(name, tuple(one["when"]), {language: one[language] for language in LANGUAGES})
        for name, one in given.items()
    }
