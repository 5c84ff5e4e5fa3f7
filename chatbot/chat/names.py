"""Whether a name, of a person or of a companion, is one that others may read."""

from __future__ import annotations

from companion.types import LANGUAGES
from moderation import screen
from moderation.types import WatchState


def name_is_fine(name: str) -> bool:
    """False for an insult, something sexual, or danger, in any of the languages; fails towards no."""
    words = name.replace("_", " ").replace("-", " ").replace(".", " ")
    for language in LANGUAGES:
        verdict = screen.check_reply(
            words, so_far="", history=(), band="13-15", language=language, watch=WatchState(), written=True
        )
        if verdict.action != "allow":
            return False
    return True
