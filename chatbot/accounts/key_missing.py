"""What somebody is told whose own key is not there: nothing of theirs can be opened, and nothing new is kept."""

from __future__ import annotations

from django.utils.translation import gettext as _

from chatbot.core.keys import KeyDestroyed, KeyMissing

CODE = "key_missing"


def key_sentence(missing: KeyMissing) -> str:
    """For the person themselves: what it means, and who can do something."""
    if isinstance(missing, KeyDestroyed):
        return _(
            "Everything of yours here was deleted, and the key with it. If a backup brought something back, nobody can "
            "open it, me neither. Help is still here."
        )
    return _(
        "The key to your things is missing here, so I can't open them or keep anything new. Whoever runs this place "
        "may still have it: a grown-up can ask them. Help is still here."
    )
