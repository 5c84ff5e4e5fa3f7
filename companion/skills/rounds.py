"""Skills of kind `rounds`: question after question, each with an answer to find, options to take, or a punchline."""

from __future__ import annotations

from collections.abc import Mapping

from companion.folding import spelled
from companion.skills.api import Answer, Card, Heard, Say, Skill, State
from companion.skills.form import RoundForm, RoundsForm
from companion.skills.lines import Lines, chosen, has_phrase, joined, meant, words_in
from companion.skills.lines import State as Working
from companion.types import Language

LONGEST_TRY = 10  # words; who writes more than that tells something, and isn't guessing
TRIES = 2
SHORT = 2  # letters of an answer, words of a message


class Rounds(Skill):
    """kept: `played`, the ids of rounds that were asked. state: `round`, `tries`, `open` (it waits for an answer)."""

    def __init__(self, card: Card, forms: Mapping[Language, RoundsForm], give_up: Mapping[Language, str]) -> None:
        self.card = card
        self._forms = forms
        self._give_up = give_up  # the tap that gives up
        self._lines = {
            language: Lines(card.name, {"start": form.start, **form.say.model_dump()})
            for language, form in forms.items()
        }

    def begin(self, heard: Heard, kept: State) -> Answer:
        state: Working = {}
        lines = self._lines[heard.language]
        return self._ask(heard, state, kept, [lines.say("start", heard, state)] if "start" in lines else [])

    def resume(self, heard: Heard, state: State, kept: State) -> Answer:
        """Asked for again in the middle: another one, without the words at the door."""
        return self._ask(heard, dict(state), kept, [])

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        if not state.get("open"):
            return self._after(heard, state, kept)
        now, working = self._round(heard, state), dict(state)
        if now is None:  # the file has changed since
            return self._ask(heard, working, kept, [])
        return self._chosen(heard, working, now) if now.options else self._tried(heard, working, now)

    def leave(self, heard: Heard, state: State) -> Say | None:
        return self._lines[heard.language].say("end", heard, dict(state))

    def _after(self, heard: Heard, state: State, kept: State) -> Answer | None:
        """The last answer was given, and another one was offered."""
        form, working = self._forms[heard.language], dict(state)
        if heard.sign in ("yes", "more") or has_phrase(heard.text, form.more):
            return self._ask(heard, working, kept, [])
        if heard.sign == "no":
            return Answer((self._lines[heard.language].say("end", heard, working),), None)
        return None

    def _chosen(self, heard: Heard, state: Working, now: RoundForm) -> Answer | None:
        at = meant(heard.text, [(*option.said, option.chip) for option in now.options])
        if at is None and words_in(heard.text) > LONGEST_TRY:
            return None
        key, text = ("otherwise", now.otherwise or "") if at is None else (f"option{at}", now.options[at].reply)
        return self._offer(heard, state, [self._own(now, key, text)])

    def _tried(self, heard: Heard, state: Working, now: RoundForm) -> Answer | None:
        lines = self._lines[heard.language]
        reveal = self._own(now, "reveal", now.reveal or "")
        right = any(_is_answer(heard.text, answer) for answer in now.answers)
        if not right and words_in(heard.text) > LONGEST_TRY:
            return None
        if not now.answers:
            return self._offer(heard, state, [reveal])
        if right:
            return self._offer(heard, state, [joined(lines.say("right", heard, state), reveal)])
        state["tries"] = state.get("tries", 0) + 1
        if heard.sign in ("dont_know", "no", "more") or state["tries"] >= TRIES:
            return self._offer(heard, state, [joined(lines.say("give_up", heard, state), reveal)])
        wrong = lines.say("wrong", heard, state)
        says = (joined(wrong, self._own(now, "hint", now.hint)),) if now.hint else (wrong,)
        return Answer(says, state, chips=self._chips(now, heard.language))

    def _offer(self, heard: Heard, state: Working, says: list[Say]) -> Answer:
        """After an answer: what was true, then another one."""
        state["open"] = False
        form = self._forms[heard.language]
        another = self._lines[heard.language].say("another", heard, state)
        return Answer((*says, another), state, chips=(form.more,), mood="silly")

    def _ask(self, heard: Heard, state: Working, kept: State, says: list[Say]) -> Answer:
        form = self._forms[heard.language]
        played = [one for one in kept.get("played", ()) if isinstance(one, str)]
        open_to = [one for one in form.rounds if not one.band or heard.band in one.band]
        fresh = [one for one in open_to if one.id not in played]
        if not fresh:
            says = [*says, self._lines[heard.language].say("empty", heard, state)]
            last, played = state.get("round"), []
            fresh = [one for one in open_to if one.id != last] or open_to
        now = chosen(fresh, heard.seed)
        state.update({"round": now.id, "tries": 0, "open": True})
        kept = {**kept, "played": [*played, now.id]}
        return Answer((*says, self._asked(now)), state, kept=kept, chips=self._chips(now, heard.language))

    def _asked(self, now: RoundForm) -> Say:
        return self._own(now, "ask", now.ask)

    def _own(self, now: RoundForm, part: str, text: str) -> Say:
        return Say(text, f"skills/{self.card.name}/{now.id}/{part}")

    def _round(self, heard: Heard, state: State) -> RoundForm | None:
        return next((one for one in self._forms[heard.language].rounds if one.id == state.get("round")), None)

    def _chips(self, now: RoundForm, language: Language) -> tuple[str, ...]:
        return tuple(option.chip for option in now.options) or (self._give_up[language],)


def _is_answer(text: str, answer: str) -> bool:
    """A very short answer ("a") is no answer inside a sentence."""
    return has_phrase(text, answer) and (len(spelled(answer)) > SHORT or words_in(text) <= SHORT)
