"""Teach me a word: a private dictionary that it then uses."""

from __future__ import annotations

import json

from companion.folding import spelled
from companion.skills.api import Answer, Heard, Say, State
from companion.skills.coded.base import Coded, keys
from companion.skills.form import LinesForm, Phrases
from companion.skills.lines import State as Working
from companion.skills.lines import has_phrase, words_in

WORD, MEANING = 30, 140  # characters
WORD_WORDS, EXAMPLE_WORDS = 3, 25
MOST, BYTES = 60, 12_000  # words in a dictionary, and what they come to
SHOWN = 6


class TeachWordForm(LinesForm):
    slots = keys(
        "start example list none cant end",
        meaning="word", learnt="word meaning", known="word meaning", used="word meaning", forgot="word",
    )  # fmt: skip
    shows: Phrases = ()
    forgets: Phrases = ()


class TeachWord(Coded[TeachWordForm]):
    """kept: `words`, a list of {word, meaning, used}; `used` is the day on which it last came up. state: `word`,
    then `example` (a sentence with it is asked for)."""

    permissions = frozenset({"memory", "timer"})

    def begin(self, heard: Heard, kept: State) -> Answer:
        form, lines = self._forms[heard.language], self._lines[heard.language]
        state: Working = {}
        words = _words(kept)
        if any(has_phrase(heard.text, phrase) for phrase in form.shows):
            return self._list(heard, words)
        gone = [one for one in words if has_phrase(heard.text, one["word"])]
        if gone and any(has_phrase(heard.text, phrase) for phrase in form.forgets):
            left = [one for one in words if one not in gone]
            forgot = lines.say("forgot", heard, state, theirs={"word": gone[0]["word"]})
            return Answer((forgot,), None, kept={**kept, "words": left})
        return Answer((lines.say("start", heard, state),), state)

    def _list(self, heard: Heard, words: list[dict[str, str]]) -> Answer:
        lines = self._lines[heard.language]
        if not words:
            return Answer((lines.say("none", heard, {}),), None)
        shown = [(one["word"], one["meaning"]) for one in words[-SHOWN:]]
        told = tuple(Say(f"{word}: {meaning}", theirs=(word, meaning)) for word, meaning in shown)
        return Answer((lines.say("list", heard, {}), *told), None)

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        lines, working = self._lines[heard.language], dict(state)
        if heard.sign in ("no", "dont_know"):
            return Answer((lines.say("end", heard, working),), None)
        if "example" in working:  # whatever they said with it: it was asked for, and is kept nowhere
            return Answer((lines.say("end", heard, working),), None) if words_in(heard.text) <= EXAMPLE_WORDS else None
        text = " ".join(heard.text.split()).strip(" .!?,;:\"'“”«»")
        if "word" not in working:
            return self._word(heard, working, kept, text)
        if len(text) > MEANING or not spelled(text):
            return Answer((lines.say("cant", heard, working),), None)
        word = working["word"]
        words = [one for one in _words(kept) if spelled(one["word"]) != spelled(word)]
        day = "" if heard.at is None else heard.at.date().isoformat()
        words = _fitting([*words, {"word": word, "meaning": text, "used": day}])
        learnt = lines.say("learnt", heard, working, theirs={"word": word, "meaning": text})
        working["example"] = True
        says = (learnt, lines.say("example", heard, working))
        return Answer(says, working, kept={**kept, "words": words})

    def _word(self, heard: Heard, state: Working, kept: State, text: str) -> Answer | None:
        lines = self._lines[heard.language]
        if words_in(text) > WORD_WORDS or len(text) > WORD or not spelled(text):
            return None
        known = next((one for one in _words(kept) if spelled(one["word"]) == spelled(text)), None)
        if known is not None:
            theirs = {"word": known["word"], "meaning": known["meaning"]}
            return Answer((lines.say("known", heard, state, theirs=theirs),), None)
        state["word"] = text
        return Answer((lines.say("meaning", heard, state, theirs={"word": text}),), state)

    def overhears(self, heard: Heard, kept: State) -> Answer | None:
        """The teen uses a word that they taught, for the first time on another day."""
        if heard.at is None or heard.low:
            return None
        today = heard.at.date().isoformat()
        words = _words(kept)
        for at, one in enumerate(words):
            if one["used"] != today and has_phrase(heard.text, one["word"]):
                theirs = {"word": one["word"], "meaning": one["meaning"]}
                said = self._lines[heard.language].say("used", heard, {}, theirs=theirs)
                after = [*words[:at], {**one, "used": today}, *words[at + 1 :]]
                return Answer((said,), None, kept={**kept, "words": after})
        return None


def _fitting(words: list[dict[str, str]]) -> list[dict[str, str]]:
    """The newest, as many as a dictionary holds."""
    words = words[-MOST:]
    while len(json.dumps(words, ensure_ascii=False).encode()) > BYTES:
        words = words[1:]
    return words


def _words(kept: State) -> list[dict[str, str]]:
    return list(kept.get("words", ()))
