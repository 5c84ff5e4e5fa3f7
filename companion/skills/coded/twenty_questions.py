"""Twenty questions, both ways round, over one table of what is true of a hundred things (twenty_things.yaml).

The companion asks what halves the things that are left, as nearly as it can; a wrong answer costs a thing likelihood
and never rules it out, since "is a mushroom alive?" has two honest answers.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from companion.skills.api import Answer, Heard, Say, State
from companion.skills.coded.base import Coded, keys
from companion.skills.form import Line, LinesForm, SomePhrases, yaml_read
from companion.skills.lines import State as Working
from companion.skills.lines import chosen, joined, meant, words_in

TABLE = Path(__file__).parent / "twenty_things.yaml"
MOST = 20  # questions
SURE = 0.5  # of all likelihood on one thing: then it guesses
LIES = 0.12  # how likely an answer is that the table says otherwise
WRONG_GUESSES = 3
NAME = 40  # characters of what it was


class PropertyForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: Line
    words: SomePhrases


class ThingForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=NAME)]
    said: SomePhrases


class TwentyQuestionsForm(LinesForm):
    slots = keys(
        "rules mine yes no kind_of unknown_question lost repeat end",
        guess="thing", won="thing", learnt="thing", right_guess="thing count", wrong_guess="thing", reveal="thing",
    )  # fmt: skip
    properties: Mapping[str, PropertyForm]
    things: Mapping[str, ThingForm]
    turns_round: SomePhrases = ("your turn",)


@functools.cache
def table() -> Mapping[str, frozenset[str]]:
    """What is true of each thing: thing -> properties."""
    return {thing: frozenset(true) for thing, true in yaml_read(TABLE.read_bytes()).items()}


class TwentyQuestions(Coded[TwentyQuestionsForm]):
    """state: `answers` (property -> 1, 0 or 0.5), `asked` (the property or the thing that waits for an answer), `wrong`
    (things that it was not); or, the other way round, `mine` (the thing) and `count`. kept: `turn` (who thinks of
    something next)."""

    def begin(self, heard: Heard, kept: State) -> Answer:
        mine = kept.get("turn") == "mine" or meant(heard.text, [self._forms[heard.language].turns_round]) is not None
        return self._think(heard, kept) if mine else self._start(heard, kept)

    def resume(self, heard: Heard, state: State, kept: State) -> Answer:
        working = dict(state)
        if "mine" in working:
            return Answer((self._lines[heard.language].say("mine", heard, working),), working)
        return self._ask(heard, working, kept, [])

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        working = dict(state)
        if "mine" in working:
            return self._asked(heard, working, kept)
        if working.get("lost"):
            return self._learn(heard, working, kept)
        if heard.sign not in ("yes", "no", "kind_of", "dont_know"):
            if working.get("repeated") or words_in(heard.text) > 8:
                return None
            working["repeated"] = True
            return Answer((self._lines[heard.language].say("repeat", heard, working),), working)
        working["repeated"] = False
        asked = str(working["asked"])
        if asked in table():
            return self._guessed(heard, working, kept, asked)
        answer = {"yes": 1.0, "no": 0.0}.get(heard.sign, 0.5)
        working["answers"] = {**working["answers"], asked: answer}
        return self._ask(heard, working, kept, [])

    # --- it guesses --------------------------------------------------------------------------------------------------

    def _start(self, heard: Heard, kept: State) -> Answer:
        state: Working = {"answers": {}, "wrong": []}
        rules = self._lines[heard.language].say("rules", heard, state)
        return self._ask(heard, state, {**kept, "turn": "mine"}, [rules])

    def _ask(self, heard: Heard, state: Working, kept: State, says: list[Say]) -> Answer:
        form, lines = self._forms[heard.language], self._lines[heard.language]
        likely = _likely(state["answers"], state["wrong"])
        best = max(likely, key=lambda thing: likely[thing])
        count = len(state["answers"]) + len(state["wrong"])
        free = [one for one in form.properties if one not in state["answers"]]
        if likely[best] >= SURE or count >= MOST - 1 or not free:
            if count >= MOST:
                return self._gives_up(heard, state, kept)
            state["asked"] = best
            guess = lines.say("guess", heard, state, own={"thing": form.things[best].name})
            return Answer((*says, guess), state, kept=kept)
        asked = _halves(free, likely, heard.seed)
        state["asked"] = asked
        ask = Say(form.properties[asked].ask, f"skills/{self.card.name}/{asked}/ask")
        return Answer((*says, ask), state, kept=kept)

    def _guessed(self, heard: Heard, state: Working, kept: State, thing: str) -> Answer:
        lines = self._lines[heard.language]
        if heard.sign == "yes":
            own = {"thing": self._forms[heard.language].things[thing].name}
            return Answer((lines.say("won", heard, state, own=own),), None, mood="silly")
        state["wrong"] = [*state["wrong"], thing]
        if len(state["wrong"]) >= WRONG_GUESSES:
            return self._gives_up(heard, state, kept)
        return self._ask(heard, state, kept, [])

    def _gives_up(self, heard: Heard, state: Working, kept: State) -> Answer:
        state["lost"] = True
        return Answer((self._lines[heard.language].say("lost", heard, state),), state, kept=kept)

    def _learn(self, heard: Heard, state: Working, kept: State) -> Answer | None:
        """They say what it was. What the table knows it remembers by name alone: it learns no rows from one person."""
        text = " ".join(heard.text.split()).strip(" .!?,;\"'")
        if heard.sign is not None or not text:
            return Answer((self._lines[heard.language].say("end", heard, state),), None)
        if len(text) > NAME or words_in(text) > 6:
            return None
        return Answer((self._lines[heard.language].say("learnt", heard, state, theirs={"thing": text}),), None)

    # --- they guess --------------------------------------------------------------------------------------------------

    def _think(self, heard: Heard, kept: State) -> Answer:
        form = self._forms[heard.language]
        before = kept.get("thought", ())
        things = [thing for thing in form.things if thing not in before] or list(form.things)
        thing = chosen(things, heard.seed)
        state: Working = {"mine": thing, "count": 0}
        kept = {**kept, "turn": "theirs", "thought": [*before, thing][-len(form.things) // 2 :]}
        return Answer((self._lines[heard.language].say("mine", heard, state),), state, kept=kept)

    def _asked(self, heard: Heard, state: Working, kept: State) -> Answer | None:
        form, lines, thing = self._forms[heard.language], self._lines[heard.language], str(state["mine"])
        own = {"thing": form.things[thing].name}
        if heard.sign in ("dont_know", "no"):
            return Answer((lines.say("reveal", heard, state, own=own),), None)
        names, asked = list(form.things), list(form.properties)
        about = meant(heard.text, [form.properties[one].words for one in asked])
        # "Is it bigger than a dog?" asks about size; nobody guesses a dog with it.
        guess = meant(heard.text, [form.things[one].said for one in names]) if about is None else None
        if guess is None and about is None and words_in(heard.text) > 12:
            return None
        state["count"] = state["count"] + (guess is not None or about is not None)
        if guess is not None and names[guess] == thing:
            own["count"] = str(state["count"])
            return Answer((lines.say("right_guess", heard, state, own=own),), None, mood="silly")
        if guess is not None:
            says = lines.say("wrong_guess", heard, state, own={"thing": form.things[names[guess]].name})
        elif about is None:
            says = lines.say("unknown_question", heard, state)
        else:
            says = lines.say("yes" if asked[about] in table()[thing] else "no", heard, state)
        if state["count"] >= MOST:
            return Answer((joined(says, lines.say("reveal", heard, state, own=own)),), None)
        return Answer((says,), state)


def _likely(answers: Mapping[str, float], wrong: list[str]) -> dict[str, float]:
    """thing -> how likely it is, by all answers so far; they add up to 1."""
    weights = {}
    for thing, true in table().items():
        if thing in wrong:
            continue
        fits = (abs((asked in true) - answer) for asked, answer in answers.items())
        weights[thing] = math.prod(1 - LIES - away * (1 - 2 * LIES) for away in fits)
    whole = sum(weights.values())
    return {thing: weight / whole for thing, weight in weights.items()}


def _halves(free: list[str], likely: Mapping[str, float], seed: int) -> str:
    """The property that comes nearest to halving what is left; at the first questions any of the best few."""
    things = table()
    off = {one: abs(0.5 - sum(share for thing, share in likely.items() if one in things[thing])) for one in free}
    best = sorted(free, key=lambda one: off[one])
    near = [one for one in best[:3] if off[one] - off[best[0]] < 0.06]
    return chosen(near, seed)
