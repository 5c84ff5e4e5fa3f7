"""Roast my excuse: it makes fun of the excuse, never of who brings it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from companion.skills.api import Answer, Heard, Say, State
from companion.skills.coded.base import Coded, keys
from companion.skills.form import Id, Lines, LinesForm, SomePhrases
from companion.skills.lines import State as Working
from companion.skills.lines import chosen, meant

LONGEST = 40  # words of an excuse
BETTER_EVERY = 2  # excuses


class ExcuseForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    said: SomePhrases
    roasts: Annotated[Lines, Field(min_length=2)]


class RoastForm(LinesForm):
    slots = keys("start any better another end")
    excuses: Annotated[tuple[ExcuseForm, ...], Field(min_length=8)]


class Roast(Coded[RoastForm]):
    """state: `heard` (so many excuses), `used` (ids of roasts)."""

    def begin(self, heard: Heard, kept: State) -> Answer:
        state: Working = {"heard": 0, "used": []}
        return Answer((self._lines[heard.language].say("start", heard, state),), state)

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        lines, working = self._lines[heard.language], {**state, "used": list(state["used"])}
        if heard.sign in ("no", "dont_know"):
            return Answer((lines.say("end", heard, working),), None)
        if heard.sign is not None:
            return Answer((lines.say("start", heard, working),), working)
        if len(heard.text.split()) > LONGEST:
            return None
        working["heard"] += 1
        says = [self._roast(heard, working)]
        key = "better" if working["heard"] % BETTER_EVERY == 0 else "another"
        says.append(lines.say(key, heard, working))
        return Answer(tuple(says), working, mood="silly")

    def _roast(self, heard: Heard, state: Working) -> Say:
        excuses = self._forms[heard.language].excuses
        at = meant(heard.text, [excuse.said for excuse in excuses])
        if at is not None:
            excuse = excuses[at]
            ids = [f"skills/{self.card.name}/{excuse.id}/{n}" for n in range(len(excuse.roasts))]
            fresh = [n for n, one in enumerate(ids) if one not in state["used"]]
            if fresh:
                n = chosen(fresh, heard.seed)
                state["used"].append(ids[n])
                return Say(excuse.roasts[n], ids[n])
        return self._lines[heard.language].say("any", heard, state)
