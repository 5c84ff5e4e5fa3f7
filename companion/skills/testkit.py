"""Plays one skill without the service, for tests and for the terminal (`python -m companion.skills`).

player = Player("riddles")
player.says("a riddle")             # the bubbles, as a tuple of strings
player.chips, player.over, player.kept
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from companion.skills.api import Answer, Heard, Made, Playing, Say, Skill
from companion.skills.catalogue import Skills
from companion.skills.house import HOUSE, HouseForm, Words, after, claim_of, line, missed, put_away
from companion.skills.load import SKILLS_DIR, file_read
from companion.skills.runner import SkillFault, checked, cut_off, plain_state
from companion.types import Band, Language, Recalled

AFTERNOON = datetime(2026, 3, 2, 16, 0)  # a Monday


class NoSuchSkill(ValueError):
    """There is no skill of that name, or none in that language. The text says which there are."""


@functools.cache
def _all_skills() -> Skills:
    return Skills()


def house_words(language: Language, skills: Mapping[str, Skill]) -> Words:
    """The house's words of that language, and what wakes these skills."""
    return Words(cast("HouseForm", file_read(SKILLS_DIR / language / f"{HOUSE}.yaml")), skills, language)


def skill_named(name: str, skills: Skills) -> Skill:
    """Raises NoSuchSkill."""
    found = skills.skill(name)
    if found is None:
        near = difflib.get_close_matches(name, skills.names(), n=1)
        broken = [problem for problem in skills.problems if name in problem]
        guess = f" Did you mean {near[0]}?" if near else ""
        raise NoSuchSkill(f"There is no skill {name!r}.{guess} {' '.join(broken)}".strip())
    return found


class Player:
    """One person who plays one skill. What it gives passes the same gate as in the house (half a second, ten bubbles,
    16 KiB of JSON): what doesn't raises SkillFault, with the skill's own error as its cause.

    skills: where a name is looked up; without it, among the built-in ones and those of installed packages.
    at: local time, for skills that may know it. name, memories: as well, of the person. seed: of the first message;
    the next one's is one more, so a talk is the same each time.
    """

    def __init__(
        self, skill: Skill | str, language: Language = "en", band: Band = "13-15", skills: Skills | None = None,
        at: datetime | None = None, *, name: str | None = None, memories: tuple[Recalled, ...] = (), seed: int = 0,
    ) -> None:  # fmt: skip
        """Raises NoSuchSkill."""
        self.skill = skill_named(skill, skills or _all_skills()) if isinstance(skill, str) else skill
        self.card = self.skill.card
        if language not in self.card.languages:
            spoken = ", ".join(self.card.languages)
            raise NoSuchSkill(f"The skill {self.card.name!r} does not speak {language!r}; it speaks {spoken}.")
        self.language, self.band, self.seed = language, band, seed
        self.at, self.name, self.memories = at or AFTERNOON, name, memories
        self.chips: tuple[str, ...] = ()
        self.made: list[Made] = []
        self._words = house_words(language, {self.card.name: self.skill})
        self._row = Playing(self.card.name, language=language)
        self._begun = False

    @property
    def over(self) -> bool:
        """Whether the next message is no longer meant for the game: it ended, rests, or was put away."""
        return self._begun and not self._row.active

    @property
    def state(self) -> dict[str, Any] | None:
        return plain_state(self._row.state)

    @property
    def kept(self) -> dict[str, Any]:
        """What stays when the game is over."""
        return plain_state(self._row.kept) or {}

    def another_day(self) -> None:
        """A day passes. A game that was open is put away; what is left of it can be asked for again."""
        self.at += timedelta(days=1)
        self._row, self.chips = replace(self._row, active=False, missed=0), ()

    def says(self, text: str, *, low: bool = False, plain: bool = False) -> tuple[str, ...]:
        """What is said to that, bubble by bubble; nothing where the companion would answer by itself. The first message
        begins the skill whatever it is, later ones as in the chat: by the words that wake it. Raises SkillFault.

        low: the message was low, unsure or flagged. plain: plain mode.
        """
        heard = self._heard(text, low=low or self._words.weighs(text), plain=plain)
        self.seed += 1
        self.chips = ()
        first, self._begun = not self._begun, True
        if first:
            return self._start(heard)
        shut = (heard.low and not self.card.low) or (plain and not self.card.plain)
        closed = frozenset({self.card.name} if shut else ())
        open_to = self._row if self._row.active else None
        claim = claim_of(self._words, text, open_to, off=frozenset(), closed=closed)
        if claim is None or claim.kind == "menu":
            return self._away(heard, closes=heard.low or claim is not None)
        if claim.kind == "stop":
            return self._stop(heard)
        return self._start(heard) if claim.kind == "begin" else self._go_on(heard)

    def _heard(self, text: str, *, low: bool, plain: bool) -> Heard:
        """The message as the skill may see it."""
        may = self.card.permissions
        return Heard(
            text, self.language, self.band, self.seed, self._words.sign(text), low, plain,
            at=self.at if "timer" in may else None,
            name=self.name if "memory" in may else None,
            memories=self.memories if "memory" in may else (),
        )  # fmt: skip

    def _start(self, heard: Heard) -> tuple[str, ...]:
        state = self.state
        if state is None or not (self.skill.saves or self._row.active):
            return self._said(heard, self._asked(lambda: self.skill.begin(heard, self.kept)))
        again = [self._line("again", heard)] if self.skill.saves and not self._row.active else []
        return self._said(heard, self._asked(lambda: self.skill.resume(heard, state, self.kept)), *again)

    def _go_on(self, heard: Heard) -> tuple[str, ...]:
        answer = self._asked(lambda: self.skill.go_on(heard, self.state or {}, self.kept))
        if answer is None:
            self._row = missed(self._row, self.skill)
            return ()
        return self._said(heard, answer)

    def _stop(self, heard: Heard) -> tuple[str, ...]:
        state = self.state or {}
        said = self._asked(lambda: _one(self.skill.leave(heard, state))) or _one(self._line("left", heard))
        self._row = put_away(self._row, self.skill)
        return () if said is None else tuple(say.text for say in said.says)

    def _away(self, heard: Heard, *, closes: bool) -> tuple[str, ...]:
        """Nobody asked the skill, but it may hear something that it kept."""
        if self._row.active:
            away = put_away if closes or self._words.leaves(heard.text) else missed
            self._row = away(self._row, self.skill)
            return ()
        if heard.low or not self._row.kept:
            return ()
        answer = self._asked(lambda: self.skill.overhears(heard, self.kept))
        if answer is None:
            return ()
        if answer.kept is not None:
            self._row = replace(self._row, kept=answer.kept)
        return tuple(say.text for say in answer.says)

    def _said(self, heard: Heard, answer: Answer | None, *first: Say) -> tuple[str, ...]:
        if answer is None:
            raise SkillFault("it gave None where an Answer was asked for")
        self._row = after(self._row, answer, heard.language)
        self.chips = answer.chips
        self.made += [answer.made] if answer.made is not None else []
        return tuple(say.text for say in (*first, *answer.says))

    def _line(self, key: str, heard: Heard) -> Say:
        return line(self._words, key, heard, title=self.card.languages[self.language].title)

    def _asked(self, ask: Callable[[], Answer | None]) -> Answer | None:
        """As in the house; what the skill raised goes along."""
        raised: list[Exception] = []

        def kept() -> Answer | None:
            try:
                return ask()
            except Exception as error:
                raised.append(error)
                raise

        try:
            return checked(cut_off(kept))
        except SkillFault as fault:
            self._row = replace(self._row, active=False, missed=0, state=None)
            raise fault from (raised[0] if raised else None)


def _one(say: Say | None) -> Answer | None:
    return None if say is None else Answer((say,), None)
