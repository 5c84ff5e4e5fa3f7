"""The engine of the browser tests: says back what it is told, at a pace that the message itself sets.

A message that begins with "slowly" gets six sentences, half a second apart; one that begins with "wait" gets one
sentence and then nothing until it is stopped; one that begins with "think" gets its sentence after two seconds; any
other gets one sentence at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from companion.engines.scripted import ScriptedEngine, Stall, Step
from companion.types import Prompt

TOLD = "tests.browser.told:Told"
SLOW = tuple(f"Here is part {number} of it." for number in ("one", "two", "three", "four", "five", "six"))
FIRST = "Here is the beginning."


def _script(prompt: Prompt) -> Iterable[Step]:
    said = prompt.text.strip().lower()
    if said.startswith("slowly"):
        for part in SLOW:
            yield f"{part} "
            yield Stall(0.5)
    elif said.startswith("wait"):
        yield f"{FIRST} "
        yield Stall()
    else:
        if said.startswith("think"):
            yield Stall(2.0)
        yield f"I heard this: {prompt.text.strip().rstrip('.!?')}."


class Told(ScriptedEngine):
    """Chosen by ABRACO_ENGINE=tests.browser.told:Told."""

    def __init__(self) -> None:
        super().__init__(_script)
