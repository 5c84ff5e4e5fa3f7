"""Who the companion can be, as data: what each persona is called in each language, and what its face wears."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
def _given() -> Mapping[str, Any]:
    given: Mapping[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return given


def in_voice(text: str, persona: PersonaId) -> str:
    """A sentence as that persona types it, whoever wrote it: one of them knows no capital letters."""
    return text.lower() if _given()[persona].get("small") is True else text


@functools.cache
def personas_in(language: Language) -> tuple[Character, ...]:
    """All of them, in their order."""
    given = _given()
    return tuple(
        Character(one, given[one][language]["title"], given[one][language]["about"], given[one]["accessory"])
        for one in PERSONAS
    )
