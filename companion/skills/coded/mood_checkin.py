"""Mood check-in: how it is today, and a small row of the last days that nobody but its person sees."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from companion.skills.api import Answer, Heard, Say, State
from companion.skills.coded.base import Coded, keys
from companion.skills.form import Id, Lines, LinesForm, SomePhrases
from companion.skills.lines import State as Working
from companion.skills.lines import chosen, meant, words_in
from companion.types import Language

LONGEST = 14  # words
KEPT, SHOWN = 60, 7  # days
CHIPS = ("good", "okay", "sad")


class MoodForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    emoji: Annotated[str, Field(max_length=4)]
    said: SomePhrases
    replies: Annotated[Lines, Field(min_length=2)]


class MoodCheckinForm(LinesForm):
    slots = keys("ask unclear chart short_chart end")
    moods: Annotated[tuple[MoodForm, ...], Field(min_length=4)]


class MoodCheckin(Coded[MoodCheckinForm]):
    """kept: `days`, a list of {day, mood}, one a day, oldest first. A day without one is no gap: nothing counts."""

    permissions = frozenset({"timer"})

    def begin(self, heard: Heard, kept: State) -> Answer:
        state: Working = {}
        ask = self._lines[heard.language].say("ask", heard, state)
        return Answer((ask,), state, chips=self._chips(heard), mood="calm")

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        form, lines, working = self._forms[heard.language], self._lines[heard.language], dict(state)
        if heard.sign in ("no", "dont_know"):
            return Answer((lines.say("end", heard, working),), None)
        at = meant(heard.text, [mood.said for mood in form.moods])
        if at is None:
            at = next((n for n, mood in enumerate(form.moods) if mood.emoji in heard.text), None)
        if at is None:
            if working.get("unclear") or words_in(heard.text) > LONGEST:
                return None
            working["unclear"] = True
            return Answer((lines.say("unclear", heard, working),), working, chips=self._chips(heard))
        mood = form.moods[at]
        n = chosen(range(len(mood.replies)), heard.seed)
        reply = Say(mood.replies[n], f"skills/{self.card.name}/{mood.id}/{n}")
        days = self._days(heard, kept, mood.id)
        return Answer((reply, *self._chart(heard, working, days)), None, kept={**kept, "days": days}, mood="calm")

    def faces(self, language: Language) -> dict[str, tuple[str, str]]:
        """The moods by id, in that language or the first that there is: the emoji, and a word for it."""
        form = self._forms.get(language, next(iter(self._forms.values())))
        return {mood.id: (mood.emoji, mood.said[0]) for mood in form.moods}

    def _days(self, heard: Heard, kept: State, mood: str) -> list[dict[str, str]]:
        today = "" if heard.at is None else heard.at.date().isoformat()
        return [*(one for one in kept.get("days", ()) if one["day"] != today), {"day": today, "mood": mood}][-KEPT:]

    def _chart(self, heard: Heard, state: Working, days: list[dict[str, str]]) -> tuple[Say, ...]:
        """The row of the last check-ins; none after a low one, where it would only look back."""
        faces = {mood.id: mood.emoji for mood in self._forms[heard.language].moods}
        row = " ".join(faces[one["mood"]] for one in days[-SHOWN:] if one["mood"] in faces)
        if heard.low or heard.plain or not row:
            return ()
        key = "short_chart" if len(days) == 1 else "chart"
        line = self._lines[heard.language].say(key, heard, state)
        return (Say(f"{line.text} {row}", line.id),)

    def _chips(self, heard: Heard) -> tuple[str, ...]:
        moods = {mood.id: mood for mood in self._forms[heard.language].moods}
        return tuple(f"{moods[one].emoji} {moods[one].said[0]}"[:24] for one in CHIPS if one in moods)
