"""The mood follows the conversation. It knows nothing of absence: nobody is ever the reason why it would be sad."""

from __future__ import annotations

import re2

from companion.types import Language, Line, Mood
from companion.words import tells_of_death

LOOK_BACK = 4  # of the teen's last messages
LAUGH = re2.compile(r"(?i)\b(?:(?:ha|he|ja|je|hi){2,}h?|lo+l|lmf?ao+|mdr+|ptdr|k{3,}|(?:rs){2,})|😂|🤣|😆|💀|😹")
NIGHT = frozenset((22, 23, 0, 1, 2, 3, 4, 5))


def laughs(text: str) -> bool:
    """Does somebody laugh in it, in any of our languages?"""
    return LAUGH.search(text) is not None


def mourns(text: str, language: Language) -> bool:
    """Does it tell of a death? "I died lol" is none."""
    return tells_of_death(text, language) and not laughs(text)


def mood_next(
    *, history: tuple[Line, ...], text: str = "", low: bool = False, hour: int | None = None, before: Mood = "sunny"
) -> Mood:
    """The mood for the next reply.

    Calm after something low, and at night (hour: 0-23 where the teen is; None: not known). Silly when they laugh a lot,
    curious when they ask, else what it was, drifting back to sunny. history: oldest first, without `text`.
    """
    if low or (hour is not None and hour in NIGHT):
        return "calm"
    said = [*[line.text for line in history if line.who == "user"][-(LOOK_BACK - 1) :], text]
    laughing = sum(1 for words in said if laughs(words))
    if laughing >= 2 or laughs(text):
        return "silly"
    asks = sum(1 for words in said if "?" in words)
    if asks >= 2:
        return "curious"
    return "sunny" if before == "calm" or len(said) >= LOOK_BACK else before
