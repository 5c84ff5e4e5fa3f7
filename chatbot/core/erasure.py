"""Who forgets a person: each app registers what it deletes, since the lower layers don't know the upper ones.

Erasers are called by name, in the order of registration, after the person's key is gone. Twice is harmless.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

Eraser = Callable[[uuid.UUID], None]
_erasers: dict[str, Eraser] = {}


def erases(name: str, function: Eraser) -> None:
    """Register what deletes an app's rows of one person. The same name again takes the place of the first."""
    _erasers[name] = function


def erasers() -> tuple[str, ...]:
    """The names of those registered."""
    return tuple(_erasers)


def erase_rows(person_id: uuid.UUID) -> None:
    """Call every eraser. One that raises leaves the rest for the next try: the sweep calls all of them again."""
    for function in _erasers.values():
        function(person_id)
