"""Who forgets a person: each app registers what it deletes, since the lower layers don't know the upper ones.

Erasers are called by name, in the order of registration, after the person's key is gone. Twice is harmless. Droppers
are called when a person had one thing forgotten: they delete the copies that still hold it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

Eraser = Callable[[uuid.UUID], None]
_erasers: dict[str, Eraser] = {}
_droppers: dict[str, Eraser] = {}


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


def drops_copies(name: str, function: Eraser) -> None:
    """Register what deletes an app's copies of what it had from other apps. The same name again takes its place."""
    _droppers[name] = function


def copies_drop(person_id: uuid.UUID) -> None:
    """Something of this person was forgotten: no copy of it may stay. Call it in the transaction that forgets."""
    for function in _droppers.values():
        function(person_id)
