"""Skills of kind `scenes`: scenes that lead to each other by what the teen chooses or says."""

from __future__ import annotations

from collections.abc import Mapping

from companion.bank.slots import filled, slots_in
from companion.folding import NOT_WORD
from companion.skills.api import Answer, Card, Heard, Made, Say, Skill, State
from companion.skills.form import SceneForm, ScenesForm
from companion.skills.lines import Lines, chosen, meant, words_in
from companion.skills.lines import State as Working
from companion.types import Language

LONGEST_CHOICE = 10  # words; who writes more than that tells something
KEPT_WORDS, KEPT_LETTERS = 4, 30
PATH = 50  # bubbles and choices of a story that goes round in circles; the shelf has its end


class Scenes(Skill):
    """kept: `played`, the openings that were played to an end. state: `story` (the opening), `scene`, `slots`, `path`
    (what was said and chosen, for the shelf), `unsaid` (the scene is still to be shown)."""

    def __init__(self, card: Card, forms: Mapping[Language, ScenesForm]) -> None:
        self.card = card
        self._forms = forms
        self._lines = {language: Lines(card.name, form.say.model_dump()) for language, form in forms.items()}

    saves = True

    def begin(self, heard: Heard, kept: State) -> Answer:
        form = self._forms[heard.language]
        played = kept.get("played", ())
        fresh = [name for name in form.start if name not in played]
        story = fresh[0] if fresh else chosen(form.start, heard.seed)
        return self._enter(heard, {"story": story, "slots": {}, "path": []}, kept, story)

    def resume(self, heard: Heard, state: State, kept: State) -> Answer:
        name = str(state.get("scene"))
        if name not in self._forms[heard.language].scenes:  # the file has changed since
            return self.begin(heard, kept)
        if state.get("unsaid"):
            return self._enter(heard, dict(state), kept, name)
        scene = self._forms[heard.language].scenes[name]
        return Answer(self._said(name, scene, state.get("slots", {})), state, chips=_chips(scene))

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        scene = self._forms[heard.language].scenes.get(str(state.get("scene")))
        working: Working = {**state, "path": list(state.get("path", ())), "slots": dict(state.get("slots", {}))}
        if scene is None or state.get("unsaid"):
            return self.resume(heard, state, kept)
        if scene.keeps is not None and scene.to is not None:
            working["slots"][scene.keeps] = _kept(heard) or scene.unkept
            return self._enter(heard, working, kept, scene.to)
        if scene.any is not None:
            return self._enter(heard, working, kept, scene.any)
        at = self._choice(heard, scene)
        if at is None:
            return self._lost(heard, working, scene) if words_in(heard.text) <= LONGEST_CHOICE else None
        if self._forms[heard.language].shelf is not None:
            working["path"].append({"chosen": scene.choices[at].chip})
        to = scene.choices[at].to
        if scene.pause and at == 1:
            working.update(scene=to, unsaid=True)
            return Answer((self._lines[heard.language].say("end", heard, working),), working, rest=True)
        return self._enter(heard, working, kept, to)

    def leave(self, heard: Heard, state: State) -> Say | None:
        return self._lines[heard.language].say("end", heard, dict(state))

    def _choice(self, heard: Heard, scene: SceneForm) -> int | None:
        at = meant(heard.text, [(*choice.said, choice.chip) for choice in scene.choices])
        if at is None and heard.sign in ("yes", "more") and scene.pause:
            return 0
        if at is None and heard.sign == "dont_know":
            return chosen(range(len(scene.choices)), heard.seed)
        return at

    def _lost(self, heard: Heard, state: Working, scene: SceneForm) -> Answer:
        return Answer((self._lines[heard.language].say("lost", heard, state),), state, chips=_chips(scene))

    def _enter(self, heard: Heard, state: Working, kept: State, name: str) -> Answer:
        form = self._forms[heard.language]
        scene = form.scenes[name]
        says = self._said(name, scene, state["slots"])
        if form.shelf is not None:
            state["path"] = [*state["path"], *({"said": say.text} for say in says)][-PATH:]
        if scene.ending is not None:
            played = [one for one in kept.get("played", ()) if one in form.start and one != state["story"]]
            played = [] if len(played) + 1 >= len(form.start) else [*played, state["story"]]
            return Answer(says, None, kept={**kept, "played": played}, made=self._made(form, state, scene.ending))
        state.update(scene=name, unsaid=False)
        return Answer(says, state, chips=_chips(scene))

    def _made(self, form: ScenesForm, state: State, ending: str) -> Made | None:
        if form.shelf is None:
            return None
        opening = form.scenes.get(state["story"])
        title = (opening.title if opening else None) or form.title
        told = [f"- {part['chosen']}" if "chosen" in part else part["said"] for part in state["path"]]
        return Made(form.shelf, title, "\n\n".join((*told, ending)))

    def _said(self, name: str, scene: SceneForm, slots: Mapping[str, str]) -> tuple[Say, ...]:
        says = []
        for at, text in enumerate(scene.say):
            own = slots_in(text)
            words = filled(text, {slot: slots.get(slot, "…") for slot in own})
            theirs = tuple(slots[slot] for slot in sorted(own) if slot in slots)
            says.append(Say(words, None if own else f"skills/{self.card.name}/{name}/{at}", theirs))
        return tuple(says)


def _chips(scene: SceneForm) -> tuple[str, ...]:
    return tuple(choice.chip for choice in scene.choices) or (() if scene.chip is None else (scene.chip,))


def _kept(heard: Heard) -> str | None:
    """What they typed, as a name for something in the story; None where it is too long or has no letter."""
    text = " ".join(heard.text.split()).strip(" .!?,;:\"'")
    if heard.sign is not None or len(text) > KEPT_LETTERS or len(text.split()) > KEPT_WORDS:
        return None
    return text if any(NOT_WORD.split(text)) and text.isprintable() and "{" not in text else None
