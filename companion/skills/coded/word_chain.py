"""Word chain: each word begins with the last letter of the one before."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from companion.folding import spelled
from companion.skills.api import Answer, Heard, Say, State
from companion.skills.coded.base import Coded, keys
from companion.skills.form import LinesForm, SomePhrases
from companion.skills.lines import State as Working
from companion.skills.lines import chosen, words_in

LONG = 10  # words, and every ten after it
LETTERS = 30  # of a word
TALKS = 3  # words; more than that is no word of a chain


class WordChainForm(LinesForm):
    slots = keys(
        "not_a_word",
        rules="word", mine="word letter", wrong_letter="letter", used="word", i_lose="letter", end="count",
        long="count", record="count",
    )  # fmt: skip
    words: Annotated[SomePhrases, Field(min_length=100)]


class WordChain(Coded[WordChainForm]):
    """state: `chain`, the words so far as they are compared. kept: `record`, the longest chain."""

    leaves_counted = True

    def leave(self, heard: Heard, state: State) -> Say | None:
        own = {"count": str(len(state["chain"]))}
        return self._lines[heard.language].say("end", heard, dict(state), own=own)

    def begin(self, heard: Heard, kept: State) -> Answer:
        state: Working = {}
        word = chosen(self._forms[heard.language].words, heard.seed)
        state["chain"] = [spelled(word)]
        return Answer((self._lines[heard.language].say("rules", heard, state, own={"word": word}),), state)

    def resume(self, heard: Heard, state: State, kept: State) -> Answer:
        working = dict(state)
        return Answer((self._mine(heard, working, working["chain"][-1]),), working)

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        lines, working = self._lines[heard.language], {**state, "chain": list(state["chain"])}
        chain: list[str] = working["chain"]
        if heard.sign in ("dont_know", "no"):
            return self._over(heard, working, kept, [])
        if words_in(heard.text) > TALKS:
            return None
        word = spelled(heard.text)
        fault = self._fault(heard, working, word)
        if fault is not None:
            return Answer((fault,), working)
        chain.append(word)
        mine = self._next(heard, chain)
        if mine is None:
            return self._over(heard, working, kept, [lines.say("i_lose", heard, working, own={"letter": word[-1]})])
        chain.append(spelled(mine))
        says = [self._mine(heard, working, mine)]
        if len(chain) % LONG < 2:
            says.insert(0, lines.say("long", heard, working, own={"count": str(len(chain))}))
        return Answer(tuple(says), working)

    def _fault(self, heard: Heard, state: Working, word: str) -> Say | None:
        """Why the word can't stand in the chain. Whether a dictionary has it is nobody's business."""
        lines, letter = self._lines[heard.language], state["chain"][-1][-1]
        if not word.isalpha() or not 2 <= len(word) <= LETTERS:
            return lines.say("not_a_word", heard, state)
        if word[0] != letter:
            return lines.say("wrong_letter", heard, state, own={"letter": letter})
        return lines.say("used", heard, state, theirs={"word": word}) if word in state["chain"] else None

    def _mine(self, heard: Heard, state: Working, word: str) -> Say:
        own = {"word": word, "letter": spelled(word)[-1]}
        return self._lines[heard.language].say("mine", heard, state, own=own)

    def _next(self, heard: Heard, chain: list[str]) -> str | None:
        words = self._forms[heard.language].words
        fits = [word for word in words if spelled(word)[0] == chain[-1][-1] and spelled(word) not in chain]
        return chosen(fits, heard.seed) if fits else None

    def _over(self, heard: Heard, state: Working, kept: State, says: list[Say]) -> Answer:
        lines, count = self._lines[heard.language], len(state["chain"])
        own = {"count": str(count)}
        says = [*says, lines.say("end", heard, state, own=own)]
        if count > kept.get("record", 0):
            if kept.get("record"):
                says.append(lines.say("record", heard, state, own=own))
            kept = {**kept, "record": count}
        return Answer(tuple(says), None, kept=kept)
