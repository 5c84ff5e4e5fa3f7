"""Study timer: some minutes of work, then a break. It keeps the time; it never rings."""

from __future__ import annotations

from datetime import datetime, timedelta

from companion.folding import spelled
from companion.skills.api import Answer, Heard, State
from companion.skills.coded.base import Coded, keys
from companion.skills.form import LinesForm, Phrases
from companion.skills.lines import State as Working
from companion.skills.lines import meant, words_in

LEAST, MOST = 1, 120  # minutes
GLANCE = 2  # words: "back", "im done"; more than that may be about anything
CHIPS = ("10", "25", "40")
LONG_AFTER = timedelta(minutes=45)


class StudyTimerForm(LinesForm):
    slots = keys("ask over over_long unclear stopped end", begin="minutes", left="minutes")
    asks: Phrases = ()  # how long is it still?


class StudyTimer(Coded[StudyTimerForm]):
    """state: `until`, local time in ISO 8601; absent until the minutes are known."""

    permissions = frozenset({"timer"})
    saves = True
    patient = True

    def begin(self, heard: Heard, kept: State) -> Answer:
        state: Working = {}
        minutes = _minutes(heard.text)
        if minutes is not None:
            return self._started(heard, state, minutes)
        return Answer((self._lines[heard.language].say("ask", heard, state),), state, chips=CHIPS)

    def resume(self, heard: Heard, state: State, kept: State) -> Answer:
        return self._looked(heard, dict(state)) if "until" in state else self.begin(heard, kept)

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        working = dict(state)
        if "until" in working:
            meant_for_it = heard.sign is not None or meant(heard.text, [self._forms[heard.language].asks]) is not None
            return self._looked(heard, working) if meant_for_it or words_in(heard.text) <= GLANCE else None
        if heard.sign in ("no", "dont_know"):
            return Answer((self._lines[heard.language].say("end", heard, working),), None)
        minutes = _minutes(heard.text)
        if minutes is None:
            if working.get("unclear"):
                return None
            working["unclear"] = True
            return Answer((self._lines[heard.language].say("unclear", heard, working),), working, chips=CHIPS)
        return self._started(heard, working, minutes)

    def _started(self, heard: Heard, state: Working, minutes: int) -> Answer:
        begin = self._lines[heard.language].say("begin", heard, state, own={"minutes": str(minutes)})
        if heard.at is None:
            return Answer((begin,), None)
        state["until"] = (heard.at + timedelta(minutes=minutes)).isoformat()
        return Answer((begin,), state, mood="calm")

    def _looked(self, heard: Heard, state: Working) -> Answer:
        """They came back: so many minutes to go, or it is over."""
        lines = self._lines[heard.language]
        until = datetime.fromisoformat(state["until"])
        left = until - (heard.at or until)
        if left > timedelta(0):
            if heard.sign == "no":
                return Answer((lines.say("stopped", heard, state),), None)
            minutes = str(max(1, round(left.total_seconds() / 60)))
            return Answer((lines.say("left", heard, state, own={"minutes": minutes}),), state)
        return Answer((lines.say("over_long" if -left > LONG_AFTER else "over", heard, state),), None)


def _minutes(text: str) -> int | None:
    """The first number of a text that may be minutes."""
    numbers = [int(word) for word in spelled(text).split() if word.isascii() and word.isdigit() and len(word) <= 3]
    return next((number for number in numbers if LEAST <= number <= MOST), None)
