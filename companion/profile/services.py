"""The companion of a person: read, shape, forget."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from chatbot.core.keys import KeyMissing
from chatbot.core.rows import only_row
from companion.profile.models import Companion
from companion.types import MOODS, PERSONAS, Mood, Persona, PersonaId, Sliders

DEFAULT_NAME = "Abraço"
COLOURS = ("honey", "leaf", "sky", "coral", "plum", "sand")
NAME_LENGTH = 24


class ShapeError(ValueError):
    """A name that is empty or too long, a persona or colour that does not exist, a slider outside 0 to 100."""


@dataclass(frozen=True)
class Shape:
    """The companion as its person shaped it. Sliders are 0 to 100."""

    name: str
    persona: PersonaId
    colour: str
    mood: Mood
    playful: int
    curious: int
    gentle: int

    def voice(self) -> Persona:
        """As the engines know it."""
        return Persona(self.persona, self.name, Sliders(self.playful / 100, self.curious / 100, self.gentle / 100))


def _mood(value: str) -> Mood:
    return next((mood for mood in MOODS if mood == value), "sunny")


def _persona(value: str) -> PersonaId:
    return next((persona for persona in PERSONAS if persona == value), "classic")


def companion_for(owner_id: uuid.UUID) -> Shape:
    """The person's companion; the default one while they have not shaped it. Where its name can't be opened it has the
    default one's: pages that say so, and the chat that answers danger, are drawn with it."""
    row = only_row(Companion.objects.filter(owner_id=owner_id))
    if row is None:
        return Shape(DEFAULT_NAME, "classic", "honey", "sunny", 50, 50, 50)
    try:
        name = row.name
    except KeyMissing:
        name = DEFAULT_NAME
    return Shape(name, _persona(row.persona), row.colour, _mood(row.mood), row.playful, row.curious, row.gentle)


def companion_shaped(owner_id: uuid.UUID) -> bool:
    """Whether the person has named and shaped their companion yet."""
    return Companion.objects.filter(owner_id=owner_id).exists()


def companion_shape(
    *, owner_id: uuid.UUID, name: str, colour: str, playful: int, curious: int, gentle: int, persona: str = "classic"
) -> Shape:
    """Name, persona, colour and sliders. Raises ShapeError. Whether the name is a kind one is checked by who calls."""
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise ShapeError("name")
    if persona not in PERSONAS:
        raise ShapeError("persona")
    if colour not in COLOURS:
        raise ShapeError("colour")
    if not all(0 <= slider <= 100 for slider in (playful, curious, gentle)):
        raise ShapeError("slider")
    shape = {
        "name": name,
        "persona": persona,
        "colour": colour,
        "playful": playful,
        "curious": curious,
        "gentle": gentle,
    }
    Companion.objects.update_or_create(owner_id=owner_id, defaults=shape)
    return companion_for(owner_id)


def companion_feel(*, owner_id: uuid.UUID, mood: Mood) -> None:
    """Keep the mood that the last reply left. A person who has not shaped their companion keeps the default."""
    Companion.objects.filter(owner_id=owner_id).exclude(mood=mood).update(mood=mood)


def companion_forget(owner_id: uuid.UUID) -> None:
    """Delete the row (erasure)."""
    Companion.objects.filter(owner_id=owner_id).delete()
