"""Choosing among a skill's written lines, and finding which of its phrases a message means."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from companion.bank.slots import filled, slots_in
from companion.folding import spelled
from companion.skills.api import Heard, Say

State = dict[str, Any]
Option = TypeVar("Option")


class Lines:
    """The lines of one skill in one language, by key. What was said in a game is kept in its state, so that no line
    comes twice before all have been said."""

    def __init__(self, skill: str, lines: Mapping[str, Sequence[str]]) -> None:
        self._skill, self._lines = skill, lines

    def __contains__(self, key: str) -> bool:
        return bool(self._lines.get(key))

    def say(
        self, key: str, heard: Heard, state: State, *, own: Mapping[str, str] | None = None,
        theirs: Mapping[str, str] | None = None,
    ) -> Say:  # fmt: skip
        """A line of that key. own: slots filled with the skill's words; theirs: with what the teen typed."""
        given = self._lines[key]
        said: dict[str, list[int]] = state.setdefault("said", {})
        before = said.get(key, [])
        free = [at for at in range(len(given)) if at not in before] or [
            at for at in range(len(given)) if at != before[-1] or len(given) == 1
        ]
        at = chosen(free, f"{heard.seed}/{key}")
        said[key] = [*before, at] if len(before) < len(given) else [at]
        theirs, slots = theirs or {}, slots_in(given[at])
        text = filled(given[at], {**(own or {}), **theirs})
        quoted = tuple(words for slot, words in theirs.items() if slot in slots)
        return Say(text, None if quoted else f"skills/{self._skill}/{key}/{at}", quoted)


def chosen(options: Sequence[Option], seed: int | str) -> Option:
    """One of them; the same one for the same seed."""
    return random.Random(seed).choice(options)  # noqa: S311  a game, no secret


def joined(*says: Say) -> Say:
    """One bubble of several lines. Its id is the last one's, if no word of the teen's is in any."""
    theirs = tuple(words for say in says for words in say.theirs) if all(say.written for say in says) else ()
    return Say(" ".join(say.text for say in says), says[-1].id if all(say.id for say in says) else None, theirs)


def words_in(text: str) -> int:
    return len(spelled(text).split())


def has_phrase(text: str, phrase: str) -> bool:
    """Whether the phrase stands in the text, word by word."""
    return _longest(_lines(text), phrase) > 0


def meant(text: str, groups: Sequence[Sequence[str]]) -> int | None:
    """Which group of phrases the text means: the one with the longest phrase in it. None for none."""
    lines, best, found = _lines(text), 0, None
    for at, phrases in enumerate(groups):
        longest = max((_longest(lines, phrase) for phrase in phrases), default=0)
        if longest > best:
            best, found = longest, at
    return found


def _lines(text: str) -> tuple[str, ...]:
    """The words of a text, with what an apostrophe joins as one word ("im") and as two ("l oignon")."""
    return tuple(f" {spelled(one)} " for one in dict.fromkeys((text, _split(text))))


def _split(text: str) -> str:
    return text.replace("'", " ").replace("’", " ")


def _longest(lines: tuple[str, ...], phrase: str) -> int:
    """How many letters of the phrase stand there: all or none."""
    forms = (spelled(phrase), spelled(_split(phrase)))
    return max((len(form) for form in forms if form and any(f" {form} " in line for line in lines)), default=0)
