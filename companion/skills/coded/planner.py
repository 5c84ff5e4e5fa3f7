"""Homework planner: what is on the pile, until when, and what to begin with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from companion.folding import spelled
from companion.skills.api import Answer, Heard, Say, State
from companion.skills.coded.base import Coded, keys
from companion.skills.form import LinesForm, Phrases, SomePhrases
from companion.skills.lines import State as Working
from companion.skills.lines import has_phrase, meant, words_in

TASK = 60  # characters
TASK_WORDS = 12
MOST = 20  # tasks
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS = ("today", "tomorrow", *WEEK, "next_week")


class PlannerForm(LinesForm):
    slots = keys(
        "start more list empty unclear end", due="task", added="task day", first="task", done="task",
    )  # fmt: skip
    days: Annotated[dict[str, SomePhrases], Field(min_length=len(DAYS), max_length=len(DAYS))]
    finished: Phrases = ()
    joins: Phrases = ()  # words between a task and its day: for, on, due


class Planner(Coded[PlannerForm]):
    """kept: `tasks`, a list of {task, day}; `day` is an ISO date. state: `task` (its day is asked for)."""

    permissions = frozenset({"timer"})

    def begin(self, heard: Heard, kept: State) -> Answer:
        lines, state = self._lines[heard.language], Working()
        tasks = _open(kept, heard)
        if not tasks:
            return Answer((lines.say("start", heard, state),), state)
        return Answer(
            (lines.say("list", heard, state), *self._told(heard, tasks), lines.say("more", heard, state)), state
        )

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        lines, working, tasks = self._lines[heard.language], dict(state), _open(kept, heard)
        if words_in(heard.text) > TASK_WORDS or len(heard.text) > TASK:
            return None
        done = self._finished(heard, tasks)
        if done is not None:
            return self._done(heard, working, kept, tasks, done)
        if "task" not in working:
            if heard.sign in ("no", "dont_know"):
                return self._first(heard, working, tasks)
            task = self._task(heard)
            if heard.sign is not None or not task:
                return Answer((lines.say("start", heard, working),), working)
            working["task"] = task
            if self._day(heard) is None:
                due = lines.say("due", heard, working, theirs={"task": task})
                return Answer((due,), working, chips=self._chips(heard))
        return self._dated(heard, working, kept, tasks)

    def _task(self, heard: Heard) -> str:
        """What they named, without a day at its end: "chem test friday" is "chem test"."""
        task = " ".join(heard.text.split()).strip(" .!?,;")
        day = self._day(heard)
        words = task.split()
        for phrase in () if day is None else self._forms[heard.language].days[day]:
            size = len(spelled(phrase).split())
            if size < len(words) and spelled(" ".join(words[-size:])) == spelled(phrase):
                kept = words[:-size]
                while len(kept) > 1 and spelled(kept[-1]) in self._forms[heard.language].joins:
                    kept.pop()
                return " ".join(kept)
        return task

    def _dated(self, heard: Heard, state: Working, kept: State, tasks: list[dict[str, str]]) -> Answer | None:
        """The day of the task that was named, then the next one."""
        lines, day = self._lines[heard.language], self._day(heard)
        if day is None:
            if state.get("unclear"):
                return None
            state["unclear"] = True
            return Answer((lines.say("unclear", heard, state),), state, chips=self._chips(heard))
        task, word = state.pop("task"), self._forms[heard.language].days[day][0]
        state.pop("unclear", None)
        tasks = [*tasks, {"task": task, "day": _date(day, heard).isoformat()}][-MOST:]
        added = lines.say("added", heard, state, theirs={"task": task}, own={"day": word})
        return Answer((added, lines.say("more", heard, state)), state, kept={**kept, "tasks": tasks})

    def _first(self, heard: Heard, state: Working, tasks: list[dict[str, str]]) -> Answer:
        """All is said: what comes first is what is due first."""
        lines = self._lines[heard.language]
        if not tasks:
            return Answer((lines.say("end", heard, state),), None)
        soonest = min(tasks, key=lambda one: one["day"])
        return Answer((lines.say("first", heard, state, theirs={"task": soonest["task"]}),), None, mood="calm")

    def _finished(self, heard: Heard, tasks: list[dict[str, str]]) -> dict[str, str] | None:
        if not any(has_phrase(heard.text, phrase) for phrase in self._forms[heard.language].finished):
            return None
        return next(
            (one for one in tasks if has_phrase(heard.text, one["task"])), tasks[0] if len(tasks) == 1 else None
        )

    def _done(
        self, heard: Heard, state: Working, kept: State, tasks: list[dict[str, str]], done: dict[str, str]
    ) -> Answer:
        lines, left = self._lines[heard.language], [one for one in tasks if one is not done]
        says = [lines.say("done", heard, state, theirs={"task": done["task"]})]
        if not left:
            says.append(lines.say("empty", heard, state))
        return Answer(tuple(says), state if left else None, kept={**kept, "tasks": left})

    def _day(self, heard: Heard) -> str | None:
        days = self._forms[heard.language].days
        at = meant(heard.text, [days[day] for day in DAYS])
        return None if at is None else DAYS[at]

    def _told(self, heard: Heard, tasks: list[dict[str, str]]) -> list[Say]:
        days = self._forms[heard.language].days
        soonest = sorted(tasks, key=lambda one: one["day"])[:6]
        told = [f"{one['task']} ({days[_name(date.fromisoformat(one['day']), heard)][0]})" for one in soonest]
        return [Say(", ".join(told), theirs=tuple(one["task"] for one in soonest))]

    def _chips(self, heard: Heard) -> tuple[str, ...]:
        days = self._forms[heard.language].days
        return tuple(days[day][0][:24] for day in ("tomorrow", "friday", "next_week"))


def _today(heard: Heard) -> date:
    return date.min if heard.at is None else heard.at.date()


def _open(kept: State, heard: Heard) -> list[dict[str, str]]:
    """What is still ahead; a task of last week goes by itself."""
    oldest = (_today(heard) - timedelta(days=7)).isoformat() if heard.at else ""
    return [one for one in kept.get("tasks", ()) if one["day"] >= oldest]


def _date(day: str, heard: Heard) -> date:
    today = _today(heard)
    if day in WEEK:
        return today + timedelta(days=(WEEK.index(day) - today.weekday()) % 7 or 7)
    return today + timedelta(days={"today": 0, "tomorrow": 1}.get(day, 7))


def _name(day: date, heard: Heard) -> str:
    ahead = (day - _today(heard)).days
    if ahead <= 1:
        return "today" if ahead <= 0 else "tomorrow"
    return WEEK[day.weekday()] if ahead < 7 else "next_week"
