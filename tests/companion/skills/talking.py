"""What the tests of skills share: messages, small files, and a person who talks to all skills as a turn does."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import yaml

from companion.skills.api import Answer, Card, Heard, Introduction, Playing, Skill, State
from companion.skills.catalogue import Outcome, Skills
from companion.skills.form import HeadForm, RoundsForm, ScenesForm
from companion.skills.house import HOUSE, Claim, HouseForm, Words
from companion.skills.load import SKILLS_DIR, Forms, forms_in, skill_of
from companion.skills.rounds import Rounds
from companion.skills.runner import checked, plain_state
from companion.skills.scenes import Scenes
from companion.types import LANGUAGES, Language

TUESDAY = datetime(2026, 11, 24, 16)
NONE_OFF: frozenset[str] = frozenset()
LONG = "my day was long and strange and i want to tell you all about what happened in the corridor today"
"""Twenty words that are for no game."""

PEBBLES: Mapping[str, Any] = {
    "skill": "pebbles",
    "kind": "rounds",
    "title": "Pebbles",
    "about": "Small questions about stones.",
    "chip": "a pebble",
    "wakes": ["a pebble", "tell me a pebble", "got any pebbles"],
    "start": ["Stones ahead."],
    "say": {
        "right": ["Found."],
        "wrong": ["Not that stone."],
        "give_up": ["Turned over."],
        "another": ["Another?"],
        "end": ["Stones away."],
        "empty": ["No stone left."],
    },
    "more": "next stone",
    "rounds": [
        {"id": "flint", "ask": "Which one sparks?", "answers": ["flint"], "hint": "Think of fire.", "reveal": "Flint."},
        {"id": "chalk", "ask": "Which one writes?", "answers": ["chalk"], "hint": "On a board.", "reveal": "Chalk."},
    ],
}

CAVE: Mapping[str, Any] = {
    "skill": "cave",
    "kind": "scenes",
    "title": "The cave",
    "about": "A short walk under the hill.",
    "chip": "into the cave",
    "wakes": ["into the cave", "lets go into the cave", "the cave story"],
    "start": ["mouth"],
    "shelf": "story",
    "say": {"lost": ["The cave didn't catch that."], "end": ["The cave waits."]},
    "scenes": {
        "mouth": {
            "title": "The humming cave",
            "say": ["It's dark in there.", "Lamp or rope?"],
            "choices": [
                {"said": ["lamp", "light"], "chip": "the lamp", "to": "name"},
                {"said": ["rope"], "chip": "the rope", "to": "hall"},
            ],
        },
        "name": {"say": "What is the lamp called?", "keeps": "lamp", "to": "lit", "unkept": "Glow"},
        "lit": {"say": "{lamp} shines.", "any": "hall", "chip": "go on"},
        "hall": {
            "say": "A hall. Go on, or rest here?",
            "pause": "true",
            "choices": [
                {"said": ["go on", "on"], "chip": "go on", "to": "out"},
                {"said": ["rest", "later"], "chip": "rest here", "to": "out"},
            ],
        },
        "out": {"say": "Daylight.", "ending": "The way out"},
    },
}


def changed(given: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A file with other fields; None takes one away."""
    return {key: value for key, value in {**given, **fields}.items() if value is not None}


def _dumped(given: Mapping[str, Any]) -> str:
    """As YAML. A copy, so that no two places share a list: YAML would write an alias for it."""
    return str(yaml.safe_dump(json.loads(json.dumps(given)), sort_keys=False, allow_unicode=True))


def written(directory: Path, given: Mapping[str, Any] | str, *, language: str = "en", name: str = "") -> Path:
    """The file of a skill in `<directory>/<language>/`. given: what stands in it, or its text."""
    stem = name or (given["skill"] if isinstance(given, Mapping) else "")
    path = directory / language / f"{stem}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = given if isinstance(given, str) else _dumped(given)
    path.write_text(text, encoding="utf-8")
    return path


def with_files(directory: Path, *given: Mapping[str, Any]) -> Skills:
    """All shipped skills, and these besides."""
    for one in given:
        written(directory, one)
    return Skills(directory=directory, packages=False)


def rounds(**fields: Any) -> Rounds:
    form = RoundsForm.model_validate(changed(PEBBLES, **fields))
    return Rounds(_card(form), {"en": form}, {"en": "idk"})


def scenes(given: Mapping[str, Any] = CAVE, **fields: Any) -> Scenes:
    form = ScenesForm.model_validate(changed(given, **fields))
    return Scenes(_card(form), {"en": form})


def _card(form: HeadForm) -> Card:
    return Card(form.skill, {"en": Introduction(form.title, form.about, form.wakes, form.chip or "")})


@functools.cache
def shipped_forms() -> Forms:
    """All files that stand in the house, `house` among them."""
    left_out: list[str] = []
    forms = forms_in(SKILLS_DIR, left_out=left_out)
    assert left_out == []
    return forms


def house(language: Language) -> HouseForm:
    return cast(HouseForm, shipped_forms()[HOUSE][language])


@functools.cache
def words(language: Language) -> Words:
    """What the house understands by itself: signs, ways out, goodbyes, the menu."""
    return Words(house(language), {}, language)


@functools.cache
def shipped(name: str) -> Skill:
    """One of the built-in skills, by itself."""
    return skill_of(name, shipped_forms()[name], {language: house(language).dont_know[0] for language in LANGUAGES})


def heard(text: str, **fields: Any) -> Heard:
    """A message in English by somebody of 14, with what it says if it is a yes, a no ..."""
    given = Heard(**{"text": text, "language": "en", "band": "13-15", "seed": 1, **fields})
    return replace(given, sign=words(given.language).sign(text))


def claimed(skills: Skills, text: str, **fields: object) -> Claim | None:
    """What a message is for, where no game is open and none is switched off."""
    return skills.claim(heard(text, **fields), None, off=NONE_OFF)


def plain(state: State | None) -> dict[str, Any] | None:
    """As a database gives it back."""
    return None if state is None else json.loads(json.dumps(state))


class Game:
    """One skill played by itself. Every answer passes what the house asks of it; its state comes back as JSON."""

    def __init__(self, skill: Skill, *, kept: State | None = None, **fields: Any) -> None:
        self.skill, self.fields = skill, fields
        self.kept = dict(kept or {})
        self.state: dict[str, Any] | None = None
        self.seed = 0

    def begin(self, text: str = "", **fields: Any) -> Answer:
        answer = self._taken(self.skill.begin(self._heard(text, fields), self.kept))
        assert answer is not None
        return answer

    def say(self, text: str, **fields: Any) -> Answer | None:
        assert self.state is not None, "nothing is open"
        return self._taken(self.skill.go_on(self._heard(text, fields), self.state, self.kept))

    def said(self, text: str, **fields: Any) -> list[str]:
        """The bubbles that answer it. It must be answered."""
        answer = self.say(text, **fields)
        assert answer is not None, f"{text!r} was not claimed"
        return [say.text for say in answer.says]

    def resume(self, text: str = "", **fields: Any) -> Answer:
        assert self.state is not None, "nothing is open"
        answer = self._taken(self.skill.resume(self._heard(text, fields), self.state, self.kept))
        assert answer is not None
        return answer

    def _heard(self, text: str, fields: Mapping[str, Any]) -> Heard:
        self.seed += 1
        return heard(text, **{"seed": self.seed, **self.fields, **fields})

    def _taken(self, answer: Answer | None) -> Answer | None:
        if checked(answer) is not None and answer is not None:
            self.state = plain_state(answer.state)
            self.kept = self.kept if answer.kept is None else plain_state(answer.kept) or {}
        return answer


class Talk:
    """One person's messages to all skills, in the order in which a turn asks them. `rows` is what they left."""

    def __init__(self, skills: Skills, *, off: frozenset[str] = frozenset(), **fields: Any) -> None:
        self.skills, self.off, self.fields = skills, off, fields
        self.rows: dict[str, Playing] = {}
        self.seed = 0

    @property
    def open(self) -> Playing | None:
        return next((row for row in self.rows.values() if row.active), None)

    def say(self, text: str, *, doubted: bool = False, **fields: Any) -> Outcome:
        self.seed += 1
        given = heard(text, **{"seed": self.seed, **self.fields, **fields})
        message = self.skills.heard(given, self.open, doubted=doubted)
        claim = self.skills.claim(message, self.open, off=self.off)
        if claim is not None:
            outcome = self.skills.answer(claim, message, self.rows, off=self.off)
        else:
            known = None if self.open or message.low else self.skills.overheard(message, self.rows, off=self.off)
            outcome = known or Outcome(rows=self.skills.away(message, self.rows))
        for row in outcome.rows:
            self.rows[row.skill] = replace(row, state=plain(row.state), kept=plain(row.kept) or {})
        return outcome

    def said(self, text: str, **fields: Any) -> str:
        return " ".join(say.text for say in self.say(text, **fields).says)


def keys_of(answer: Answer | Outcome | None) -> list[str]:
    """Which lines were said: `skills/jokes/start/0` is `start`."""
    assert answer is not None
    return [(say.id or "").split("/")[2] if say.id else "" for say in answer.says]


def texts(answer: Answer | Outcome | None) -> str:
    assert answer is not None
    return " ".join(say.text for say in answer.says)


def game_of(name: str, **fields: Any) -> Game:
    """One of the built-in skills, on a Tuesday afternoon."""
    return Game(shipped(name), **{"at": TUESDAY, **fields})


def later(**away: int) -> datetime:
    return TUESDAY + timedelta(**away)
