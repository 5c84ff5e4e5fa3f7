"""All skills of this process: the built-in ones, the operator's files, and those of installed packages.

A package offers one under the entry point group `abraco.skills`: a class or function that gives a Skill.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from companion.skills.api import Answer, Heard, Made, Playing, Say, Skill
from companion.skills.coded.mood_checkin import MoodCheckin
from companion.skills.form import NAME
from companion.skills.house import HOUSE, MENU, Claim, HouseForm, Words, after, claim_of, line, missed, put_away
from companion.skills.lines import chosen
from companion.skills.load import SKILLS_DIR, Forms, SkillFileError, forms_in, skill_of
from companion.skills.runner import SkillFault, checked, cut_off, plain_state
from companion.types import Language, Mood

logger = logging.getLogger(__name__)
GROUP = "abraco.skills"
FAULTS = 3  # and a skill is left alone until the next start
OFFERED = 3  # skills on the menu


@dataclass(frozen=True)
class Outcome:
    """What is said (nothing: the companion goes on without a skill), and how things stand afterwards."""

    says: tuple[Say, ...] = ()
    rows: tuple[Playing, ...] = ()
    skill: str = ""
    chips: tuple[str, ...] = ()
    mood: Mood | None = None
    made: Made | None = None
    drawing: str = ""


class Skills:
    """directory: further files of the operator's, `<language>/<name>.yaml`. packages: whether installed packages may
    bring some. `problems` has a sentence for each that can't be used."""

    def __init__(self, *, directory: Path | None = None, packages: bool = True) -> None:
        self._left_out: list[str] = []
        self._faults: Counter[str] = Counter()
        forms = forms_in(SKILLS_DIR, left_out=self._left_out)
        house = cast("dict[Language, HouseForm]", forms.pop(HOUSE, {}))
        give_up = {language: form.dont_know[0] for language, form in house.items()}
        self._skills: dict[str, Skill] = {}
        self._add(forms, give_up)
        self._own = frozenset(self._skills)
        if directory is not None:
            self._add(forms_in(directory, left_out=self._left_out), give_up)
        if packages:
            self._add_packages()
        self._words = {language: Words(form, self._skills, language) for language, form in house.items()}

    def _add(self, forms: Forms, give_up: Mapping[Language, str]) -> None:
        for name, by_language in forms.items():
            spoken = {language: form for language, form in by_language.items() if language in give_up}
            if spoken:
                self._add_one(name, partial(skill_of, name, spoken, give_up))

    def _add_packages(self) -> None:
        for entry in entry_points(group=GROUP):
            self._add_one(entry.name, partial(_loaded, entry))

    def _add_one(self, name: str, make: Callable[[], Skill]) -> None:
        try:
            made = make()
            if not isinstance(made, Skill) or made.card.name != name or not _well_named(name):
                raise SkillFileError(f"its card must be named {name!r}, in small letters, digits and _")
            if name in self._skills:
                raise SkillFileError("the name is taken")
            self._skills[name] = made
        except Exception as error:  # somebody else's code: whatever it does, the rest loads
            self._left_out.append(f"the skill {name!r} can't be used: {error}")
            logger.error("skill left out: %s", self._left_out[-1])

    @property
    def problems(self) -> tuple[str, ...]:
        broken = (
            f"the skill {name!r} failed {FAULTS} times and rests" for name, n in self._faults.items() if n >= FAULTS
        )
        return (*self._left_out, *broken)

    def skill(self, name: str) -> Skill | None:
        return self._skills.get(name)

    def names(self) -> tuple[str, ...]:
        return tuple(self._skills)

    def spoken(self, name: str, language: Language) -> Language:
        """That language, or the first that the skill speaks."""
        languages = self._skills[name].card.languages
        return language if language in languages else next(iter(languages))

    def title(self, name: str, language: Language) -> str:
        """What it is called in that language, or in the first that it speaks."""
        languages = self._skills[name].card.languages
        return languages.get(language, next(iter(languages.values()))).title

    def about(self, name: str, language: Language) -> str:
        languages = self._skills[name].card.languages
        return languages.get(language, next(iter(languages.values()))).about

    def chip(self, name: str, language: Language) -> str:
        """The words that ask for it."""
        return self._skills[name].card.languages[self.spoken(name, language)].chip

    def faces(self, language: Language) -> dict[str, tuple[str, str]]:
        """The moods of the check-in by id: the emoji, and a word for it. Empty where there is no check-in."""
        skill = self._skills.get("mood_checkin")
        return skill.faces(language) if isinstance(skill, MoodCheckin) else {}

    def claim(self, heard: Heard, playing: Playing | None, *, off: frozenset[str]) -> Claim | None:
        """What the message is for; None: for no skill. playing: the open game. Quick: it is asked for every message."""
        words = self._words.get(heard.language)
        if words is None:
            return None
        shut = {name for name, skill in self._skills.items() if self._shut(name, skill, heard)}
        open_to = None if playing is None or playing.skill not in self._skills else playing
        return claim_of(words, heard.text, open_to, off=off, closed=frozenset(shut | ({MENU} if heard.low else set())))

    def _shut(self, name: str, skill: Skill, heard: Heard) -> bool:
        card = skill.card
        closed = (heard.low and not card.low) or (heard.plain and not card.plain)
        return closed or heard.language not in card.languages or self._faults[name] >= FAULTS

    def offers(self, text: str, language: Language) -> bool:
        """Whether the message is nothing but a phrase that was written for asking for a built-in skill."""
        words = self._words.get(language)
        name = None if words is None else words.asked_for(text)
        return name is not None and (name == MENU or name in self._own)

    def heard(self, heard: Heard, playing: Playing | None, *, doubted: bool) -> Heard:
        """The message with what it says, if it is nothing but a yes, a no ... doubted: the safety layer let it pass and
        would like care to be taken: "I give up" is a move in an open game, and low anywhere else."""
        words = self._words.get(heard.language)
        if words is None:
            return heard
        sign = words.sign(heard.text)
        a_move = doubted and sign is not None and playing is not None
        return replace(heard, sign=sign, low=(heard.low and not a_move) or words.weighs(heard.text))

    def answer(self, claim: Claim, heard: Heard, rows: Mapping[str, Playing], *, off: frozenset[str]) -> Outcome:
        """rows: by name, what this person left of each skill. Never raises for a skill's fault."""
        words = self._words[heard.language]
        if claim.kind == "menu":
            return self._menu(heard, rows, off)
        if claim.kind == "off":
            return Outcome((line(words, "off", heard, title=self.title(claim.skill, heard.language)),))
        skill, row = self._skills[claim.skill], rows.get(claim.skill, Playing(claim.skill))
        others = tuple(self._closed(one) for one in rows.values() if one.active and one.skill != claim.skill)
        if claim.kind == "stop":
            left = self._tried(skill, lambda: _left(skill, self._for(skill, heard), row)) if row.state else None
            says = (line(words, "left", heard),) if left is None else self._said(claim.skill, left)
            return Outcome(says, (put_away(row, skill),), claim.skill)
        if claim.kind == "begin":
            return self._begun(skill, heard, row, others)
        return self._gone_on(skill, heard, row)

    def away(self, heard: Heard, rows: Mapping[str, Playing]) -> tuple[Playing, ...]:
        """How open games stand after a message that no skill answers. A goodbye or a low message closes them."""
        words = self._words.get(heard.language)
        closes = heard.low or (words is not None and words.leaves(heard.text))
        active = [row for row in rows.values() if row.active and row.skill in self._skills]
        return tuple(self._closed(row) if closes else missed(row, self._skills[row.skill]) for row in active)

    def overheard(self, heard: Heard, rows: Mapping[str, Playing], *, off: frozenset[str]) -> Outcome | None:
        """A skill that kept something and hears of it now."""
        for name, row in rows.items():
            skill = self._skills.get(name)
            if skill is None or name in off or not row.kept or heard.language not in skill.card.languages:
                continue
            if type(skill).overhears is Skill.overhears or self._faults[name] >= FAULTS:
                continue
            kept = plain_state(row.kept) or {}
            answer = self._tried(skill, lambda: skill.overhears(self._for(skill, heard), kept))  # noqa: B023
            if answer is not None:
                kept_after = row.kept if answer.kept is None else answer.kept
                return Outcome(self._said(name, answer), (replace(row, kept=kept_after),), name)
        return None

    def _begun(self, skill: Skill, heard: Heard, row: Playing, others: tuple[Playing, ...]) -> Outcome:
        own, kept = self._for(skill, heard), plain_state(row.kept) or {}
        if row.state is not None and (skill.saves or row.active):
            again: tuple[Say, ...] = ()
            if not row.active and skill.saves:
                title = self.title(skill.card.name, heard.language)
                again = (line(self._words[heard.language], "again", heard, title=title),)
            state = plain_state(row.state) or {}
            answer = self._tried(skill, lambda: skill.resume(own, state, kept))
            return self._outcome(skill, answer, heard, (row, *others), again)
        return self._outcome(skill, self._tried(skill, lambda: skill.begin(own, kept)), heard, (row, *others))

    def _gone_on(self, skill: Skill, heard: Heard, row: Playing) -> Outcome:
        own, kept, state = self._for(skill, heard), plain_state(row.kept) or {}, plain_state(row.state) or {}
        faults = self._faults[skill.card.name]
        answer = self._tried(skill, lambda: skill.go_on(own, state, kept))
        if self._faults[skill.card.name] > faults:
            broke = line(self._words[heard.language], "broke", heard)
            return Outcome((broke,), (put_away(row, skill),), skill.card.name)
        if answer is None:
            return Outcome(rows=(missed(row, skill),))
        return self._outcome(skill, answer, heard, (row,))

    def _outcome(
        self, skill: Skill, answer: Answer | None, heard: Heard, rows: tuple[Playing, ...], first: tuple[Say, ...] = ()
    ) -> Outcome:
        """rows: the skill's own, then those of others that it puts away."""
        row, *others = rows
        if answer is None:
            return Outcome(rows=tuple(others))
        says = (*first, *self._said(skill.card.name, answer))
        rows = (*others, after(row, answer, heard.language))
        return Outcome(says, rows, skill.card.name, answer.chips, answer.mood, answer.made, answer.drawing)

    def _said(self, name: str, answer: Answer) -> tuple[Say, ...]:
        """Only the lines that stand in this house were read by its tests: no other may call itself written."""
        return answer.says if name in self._own else tuple(Say(say.text) for say in answer.says)

    def _tried(self, skill: Skill, ask: Callable[[], Answer | None]) -> Answer | None:
        name = skill.card.name
        try:
            return checked(cut_off(ask))
        except SkillFault as fault:
            self._faults[name] += 1
            logger.error("skill %s put away: %s", name, fault)
            return None

    def _for(self, skill: Skill, heard: Heard) -> Heard:
        """The message as this skill may see it."""
        may = skill.card.permissions
        own = heard if "timer" in may else replace(heard, at=None)
        return own if "memory" in may else replace(own, name=None, memories=())

    def _closed(self, row: Playing) -> Playing:
        skill = self._skills.get(row.skill)
        return replace(row, active=False, state=None) if skill is None else put_away(row, skill)

    def _menu(self, heard: Heard, rows: Mapping[str, Playing], off: frozenset[str]) -> Outcome:
        free = [
            name
            for name, skill in self._skills.items()
            if skill.card.game and name not in off and not self._shut(name, skill, heard)
        ]
        offered: list[str] = []
        while free and len(offered) < OFFERED:
            offered.append(chosen(free, f"{heard.seed}/{len(offered)}"))
            free.remove(offered[-1])
        chips = tuple(self._skills[name].card.languages[heard.language].chip for name in offered)
        others = tuple(self._closed(row) for row in rows.values() if row.active)
        return Outcome((line(self._words[heard.language], "menu", heard),), others, chips=chips)


def _loaded(entry: EntryPoint) -> Skill:
    return cast("Skill", entry.load()())


def _left(skill: Skill, heard: Heard, row: Playing) -> Answer | None:
    said = skill.leave(heard, plain_state(row.state) or {})
    return None if said is None else Answer((said,), None)


def _well_named(name: str) -> bool:
    return re.fullmatch(NAME, name) is not None
