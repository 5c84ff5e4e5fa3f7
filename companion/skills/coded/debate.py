"""Debate me: they pick a side, it argues the other one, and ends by saying what they have right."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from companion.skills.api import Answer, Heard, Say, State
from companion.skills.coded.base import Coded, keys
from companion.skills.form import Chip, Id, Line, Lines, LinesForm, SomePhrases
from companion.skills.lines import State as Working
from companion.skills.lines import chosen, joined, meant, words_in

PICKS = 8  # words in which a side is picked
GIVES_UP = ("dont_know", "no")


class SideForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    said: SomePhrases
    chip: Chip
    against: Annotated[Lines, Field(min_length=2, max_length=4)]
    close: Line


class MotionForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    motion: Line
    sides: Annotated[tuple[SideForm, ...], Field(min_length=2, max_length=2)]


class DebateForm(LinesForm):
    slots = keys("start pick come_back end")
    motions: Annotated[tuple[MotionForm, ...], Field(min_length=4)]


class Debate(Coded[DebateForm]):
    """state: `motion`, `side` (theirs; absent until they picked), `argued` (so many arguments). kept: `played`."""

    def begin(self, heard: Heard, kept: State) -> Answer:
        motions = self._forms[heard.language].motions
        played = list(kept.get("played", ()))
        fresh = [one for one in motions if one.id not in played]
        if not fresh:
            played, fresh = [], list(motions)
        motion = chosen(fresh, heard.seed)
        state: Working = {"motion": motion.id}
        start = self._lines[heard.language].say("start", heard, state)
        kept = {**kept, "played": [*played, motion.id]}
        return Answer((start, self._motion(motion)), state, kept=kept, chips=_chips(motion))

    def resume(self, heard: Heard, state: State, kept: State) -> Answer:
        motion = self._found(heard, state)
        if motion is None:
            return self.begin(heard, kept)
        return Answer((self._motion(motion),), {"motion": motion.id}, chips=_chips(motion))

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        motion, working, lines = self._found(heard, state), dict(state), self._lines[heard.language]
        if motion is None:
            return self.begin(heard, kept)
        if "side" not in working:
            side = meant(heard.text, [(*side.said, side.chip) for side in motion.sides])
            if side is None and words_in(heard.text) > PICKS:
                return None
            if side is None:
                return Answer((lines.say("pick", heard, working),), working, chips=_chips(motion))
            working.update(side=side, argued=1)
            return Answer((self._argument(motion, side, 0),), working)
        side, argued = working["side"], working["argued"]
        if argued >= len(motion.sides[side].against) or heard.sign in GIVES_UP:
            close = Say(motion.sides[side].close, f"skills/{self.card.name}/{motion.id}/{side}/close")
            return Answer((close, lines.say("end", heard, working)), None)
        working["argued"] = argued + 1
        return Answer((joined(lines.say("come_back", heard, working), self._argument(motion, side, argued)),), working)

    def _found(self, heard: Heard, state: State) -> MotionForm | None:
        return next((one for one in self._forms[heard.language].motions if one.id == state.get("motion")), None)

    def _motion(self, motion: MotionForm) -> Say:
        return Say(motion.motion, f"skills/{self.card.name}/{motion.id}/motion")

    def _argument(self, motion: MotionForm, side: int, at: int) -> Say:
        return Say(motion.sides[side].against[at], f"skills/{self.card.name}/{motion.id}/{side}/{at}")


def _chips(motion: MotionForm) -> tuple[str, ...]:
    return tuple(side.chip for side in motion.sides)
