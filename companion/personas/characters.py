"""Who the companion can be, as data: what each persona is called in each language, and what its face wears."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import yaml

from companion.types import PERSONAS, Language, PersonaId

FILE = Path(__file__).parent / "characters.yaml"


@dataclass(frozen=True)
class Character:
    """One persona, in one language. accessory: none, bolt, glasses, leaf, headset or hat."""

    id: PersonaId
    title: str
    about: str
    accessory: str


@functools.cache
def personas_in(language: Language) -> tuple[Character, ...]:
    """All of them, in their order."""
    given = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        Character(one, given[one][language]["title"], given[one][language]["about"], given[one]["accessory"])
        for one in PERSONAS
    )
