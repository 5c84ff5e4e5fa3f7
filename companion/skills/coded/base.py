"""What the coded skills share: their lines by language, and the form that says which there must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar

from companion.skills.api import Card, Heard, Permission, Say, Skill, State
from companion.skills.form import LinesForm
from companion.skills.lines import Lines
from companion.types import Language

Form = TypeVar("Form", bound=LinesForm)


def keys(plain: str, **slotted: str) -> dict[str, frozenset[str]]:
    """Keys of lines without slots, and keys with the slots that their lines may have."""
    return {**dict.fromkeys(plain.split(), frozenset()), **{key: frozenset(of.split()) for key, of in slotted.items()}}


class Coded(Skill, Generic[Form]):
    """A skill with code. `permissions` go into its card."""

    permissions: ClassVar[frozenset[Permission]] = frozenset()
    leaves_counted: ClassVar[bool] = False  # its last line has a slot of its own

    def __init__(self, card: Card, forms: Mapping[Language, Form]) -> None:
        self.card = card
        self._forms = forms
        self._lines = {language: Lines(card.name, form.lines) for language, form in forms.items()}

    def leave(self, heard: Heard, state: State) -> Say | None:
        lines = self._lines[heard.language]
        return lines.say("end", heard, dict(state)) if "end" in lines and not self.leaves_counted else None
