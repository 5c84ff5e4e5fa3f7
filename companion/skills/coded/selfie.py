"""Selfie: a drawing of itself, one that it has not sent yet. It asks for none back."""

from __future__ import annotations

from companion.personas.drawings import drawings
from companion.skills.api import Answer, Heard, State
from companion.skills.coded.base import Coded, keys
from companion.skills.form import LinesForm
from companion.skills.lines import State as Working
from companion.skills.lines import chosen


class SelfieForm(LinesForm):
    slots = keys("here again")


class Selfie(Coded[SelfieForm]):
    """kept: `sent`, the names of drawings."""

    def begin(self, heard: Heard, kept: State) -> Answer:
        sent = [name for name in kept.get("sent", ()) if name in drawings()]
        fresh = [name for name in drawings() if name not in sent]
        key = "here" if fresh else "again"
        fresh = fresh or [name for name in drawings() if name != sent[-1]]
        state: Working = {}
        name = chosen(fresh, heard.seed)
        said = self._lines[heard.language].say(key, heard, state)
        sent = [*sent, name] if key == "here" else [name]
        return Answer((said,), None, kept={**kept, "sent": sent}, drawing=name)

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        return None
