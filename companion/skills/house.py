"""The frame around all skills: which one a message is for, and what is said when one is put away, broken or off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from companion.folding import spelled
from companion.personas import mourns
from companion.skills.api import Answer, Heard, Playing, Say, Sign, Skill
from companion.skills.coded.base import keys
from companion.skills.form import LinesForm, SomePhrases
from companion.skills.lines import Lines
from companion.skills.lines import State as Working
from companion.types import Language
from companion.words import sentences_of

HOUSE = "house"
MENU = ""  # what wakes no skill and asks what there is
MISSES = 2  # messages in a row that aren't for a game put it away
EDGE = 3  # words of a wake that a longer message may begin with
LONGEST_WAKE = 10  # words of such a message
ASKED_BEFORE = 4  # words: how near before its name a skill is asked for
UNFAMILIAR = 1  # words between the two that the house doesn't know: "tell me a DAD joke"
SPOILED = 2  # words before: "i didn't ask for a joke"
SIGNS: tuple[Sign, ...] = ("yes", "no", "kind_of", "dont_know", "more")
Kind = Literal["begin", "go_on", "stop", "menu", "off"]


class HouseForm(LinesForm):
    slots = keys("menu left broke", again="title", off="title", saved="title")
    stop: SomePhrases
    bye: SomePhrases
    around: SomePhrases
    asks: SomePhrases
    spoils: SomePhrases
    yes: SomePhrases
    no: SomePhrases
    kind_of: SomePhrases
    dont_know: SomePhrases
    more: SomePhrases
    menu_wakes: SomePhrases
    honest: SomePhrases


@dataclass(frozen=True)
class Claim:
    """What a message is for: a skill to begin or to go on with, a way out, the menu, a skill that is switched off."""

    kind: Kind
    skill: str = ""


class Words:
    """One language's words of the house, and what wakes which skill."""

    def __init__(self, form: HouseForm, skills: Mapping[str, Skill], language: Language) -> None:
        self.lines = Lines(HOUSE, form.lines)
        self._language = language
        self._signs: dict[str, Sign] = {}
        given: Mapping[Sign, tuple[str, ...]] = {
            "yes": form.yes, "no": form.no, "kind_of": form.kind_of, "dont_know": form.dont_know, "more": form.more,
        }  # fmt: skip
        for sign, phrases in given.items():
            self._signs.update({spelled(phrase): sign for phrase in phrases})
        self._stop = {spelled(phrase) for phrase in form.stop}
        self._around = {spelled(word) for word in form.around}
        self._asks, self._spoils = ({spelled(word) for word in words} for words in (form.asks, form.spoils))
        self._bye = {spelled(phrase) for phrase in form.bye}
        self._honest = {spelled(phrase) for phrase in form.honest}
        self._wakes = {spelled(phrase): MENU for phrase in form.menu_wakes}
        self._alone: set[str] = set()
        self._names: dict[str, str] = {}
        for name, skill in skills.items():
            if language in skill.card.languages:
                own = skill.card.languages[language]
                for phrase in (*own.wakes, *own.alone):
                    self._wakes.setdefault(spelled(phrase), name)  # who came first is asked for by it
                self._alone.update(spelled(phrase) for phrase in own.alone)
                for word in own.names:
                    self._names.setdefault(spelled(word), name)

    def asked_for(self, text: str) -> str | None:
        """What the message asks for, if it is nothing but one of the phrases that do."""
        return self._wakes.get(spelled(text))

    def sign(self, text: str) -> Sign | None:
        return self._signs.get(spelled(text))

    def wants_out(self, text: str) -> bool:
        return spelled(text) in self._stop

    def leaves(self, text: str) -> bool:
        """Says goodbye, which is no skill's to answer."""
        return spelled(text) in self._bye

    def asks_what_it_is(self, text: str) -> bool:
        """Asks, last of all, whether this is a person or a program: no game may take that for a guess or a name."""
        words = spelled((sentences_of(text) or [text])[-1]).split()
        return any(" ".join(words[-most:]) in self._honest for most in range(1, LONGEST_WAKE + 1))

    def weighs(self, text: str) -> bool:
        """Tells of a death: no game talks over it, whatever it waits for."""
        return mourns(text, self._language)

    def woken(self, text: str) -> str | None:
        """The name of the skill that the message asks for, or its last sentence does, or MENU. Words such as "ok", "can
        you" or "please" may stand around a wake; a longer one may be gone on from ("tell me a joke about cats"). Last
        of all it may be named after a word that asks."""
        last = (sentences_of(text) or [text])[-1]
        found = self._woken(text)
        if found is None and last != text:
            found = self._woken(last)
        named = (self._named(part) for part in last.split(","))
        return next((name for name in named if name is not None), None) if found is None else found

    def _named(self, text: str) -> str | None:
        words = spelled(text).split()
        if len(words) > LONGEST_WAKE:
            return None
        for at, word in enumerate(words):
            if word not in self._names:
                continue
            for asked in range(at - 1, max(-1, at - 1 - ASKED_BEFORE), -1):
                between = words[asked + 1 : at]
                unfamiliar = sum(1 for one in between if one not in self._around)
                spoiled = not self._spoils.isdisjoint(words[max(0, asked - SPOILED) : at])
                if words[asked] in self._asks and unfamiliar <= UNFAMILIAR and not spoiled:
                    return self._names[word]
        return None

    def _woken(self, text: str) -> str | None:
        line = spelled(text)
        if line in self._stop | self._bye:
            return None
        if line in self._wakes:
            return self._wakes[line]
        words = line.split()
        if len(words) > LONGEST_WAKE:
            return None
        first = next((at for at, word in enumerate(words) if word not in self._around), len(words))
        for start in range(first + 1):
            for end in range(len(words), start, -1):
                whole = all(word in self._around for word in words[end:])
                part = " ".join(words[start:end])
                gone_on = end - start >= EDGE and part not in self._alone
                if part in self._wakes and (whole or gone_on):
                    return self._wakes[part]
        return None


def claim_of(
    words: Words, text: str, playing: Playing | None, *, off: frozenset[str], closed: frozenset[str]
) -> Claim | None:
    """playing: the game that is open, if one is. off: skills that somebody switched off for this person. closed: skills
    that may not answer this message, and MENU where nothing is offered."""
    woken = words.woken(text)
    if words.leaves(text) or woken in closed or words.asks_what_it_is(text):
        return None
    if woken is not None:
        return Claim("menu") if woken == MENU else Claim("off" if woken in off else "begin", woken)
    if playing is None or playing.skill in off | closed:
        return None
    return Claim("stop" if words.wants_out(text) else "go_on", playing.skill)


def put_away(playing: Playing, skill: Skill) -> Playing:
    """Closed in the middle: what can be gone on with another day stays."""
    return replace(playing, active=False, missed=0, state=playing.state if skill.saves else None)


def missed(playing: Playing, skill: Skill) -> Playing:
    """A message was not for the game: once is nothing, twice puts it away."""
    if skill.patient:
        return playing
    if playing.missed + 1 < MISSES:
        return replace(playing, missed=playing.missed + 1)
    return put_away(playing, skill)


def line(words: Words, key: str, heard: Heard, *, title: str = "") -> Say:
    """One of the house's own lines."""
    return words.lines.say(key, heard, Working(), own={"title": title})


def after(playing: Playing, answer: Answer, language: Language) -> Playing:
    """Where the game stands when the answer has been said."""
    kept = playing.kept if answer.kept is None else answer.kept
    goes_on = answer.state is not None and not answer.rest
    return Playing(playing.skill, answer.state, kept, active=goes_on, language=language)
