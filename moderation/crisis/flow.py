"""The written conversation: which bubbles are said now, with which card, and what the watch holds afterwards.

A playbook is told in steps. The first answer is its `first`, the next message in the sequence gets `second`, then
`third`, then `stay` for as long as it takes. No line is said twice while another of its bubble is left. The card comes
with the first answer, with every new sign of danger, and with the third step; after the first time in its short form.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from moderation import watch as watching
from moderation.asking import CHECKS
from moderation.crisis.adults import adult_wanted
from moderation.crisis.cards import help_card
from moderation.crisis.helplines import HelpCard, emergency_of
from moderation.crisis.texts import PARTS, Bubble, Part, Texts, TextsError, filled, texts_of
from moderation.taxonomy import CARD_CATEGORIES, SEQUENCES, SINGLES, SUICIDE
from moderation.types import Band, Decision, Language, WatchState

log = logging.getLogger(__name__)

ADULT_TOLD: Final = "adult_told"
_REMEMBERED: Final = 60
Numbered = Sequence[tuple[int, Bubble]]
_POLICE: Final = frozenset({"abuse", "assault", "threat", "runaway", "grooming", "sextortion"})
_OLDER_BANDS: Final = frozenset({"16-17", "18+"})
_CARDS_TOO: Final = frozenset({"under_13", "sexual_minor"})
# Content in code, for one case only: no language's texts can be read. See docs/safety.md.
_LAST_RESORT: Final[dict[Language, str]] = {
    "en": "I'm an AI and I want a person with you. If you're in danger, call {emergency} and stay near somebody.",
    "pt-BR": "Eu sou uma IA e quero uma pessoa com você. Se há perigo, ligue {emergency} e fique perto de alguém.",
    "es": "Soy una IA y quiero una persona contigo. Si hay peligro, llama al {emergency} y quédate con alguien.",
    "fr": "Je suis une IA et je veux une personne avec toi. En danger : appelle le {emergency}, reste avec quelqu'un.",
}


@dataclass(frozen=True)
class CrisisAnswer:
    """What is said, in order, the card below it, and the watch as it is to be stored.

    told: the last bubble tells the teen that their guardian is being asked to look after them. chips: what can be
    tapped in answer: the way out, where it is open.
    """

    bubbles: tuple[str, ...]
    card: HelpCard | None
    watch: WatchState
    told: bool = False
    chips: tuple[str, ...] = ()


def answer(
    decision: Decision,
    watch: WatchState,
    *,
    text: str,
    language: Language,
    country: str,
    band: Band | None = None,
    adult: str | None = None,
    guarded: bool = False,
    now: datetime,
    production: bool,
) -> CrisisAnswer:
    """The written answer to a decision that has a playbook. `watch` is the screening's, `adult` a trusted one by name.
    guarded: there is a guardian who would be asked; the teen hears of it here, before they do (4.9).

    `text` only seeds the choice of a variant; it is neither kept nor quoted. Never fails: with the texts of the
    language broken it is English, and without any a last line with the emergency number.
    """
    playbook = decision.playbook or SUICIDE.get(decision.level or "", "suicide_L1")
    watch = _started(watch, playbook)
    step = watch.sequence.step if watch.sequence is not None and playbook in SEQUENCES else 0
    # DANGER: where home is the danger, nobody is named as a helper on the strength of an older list.
    helper = None if watch.home_danger else adult
    emergency = emergency_of(country, police=playbook in _POLICE)
    bubbles, said = _bubbles(
        _worded(playbook, watch, band), step, watch.said, text=text, language=language, emergency=emergency,
        adult=helper,
    )  # fmt: skip
    if playbook == watching.SAFE and _body(watch):
        looked, said = _bubbles(watching.SAFE, 1, said, text=text, language=language, emergency=emergency, adult=helper)
        bubbles = (*bubbles[:1], *looked, *bubbles[1:])
    told = guarded and _tells(decision, watch, step) and _texts(language) is not None
    if told:
        openly, said = _bubbles(ADULT_TOLD, 0, said, text=text, language=language, emergency=emergency, adult=helper)
        bubbles = (*bubbles, *openly)
    card = None
    if _with_card(playbook, step, decision):
        card = help_card(
            country, language, CARD_CATEGORIES.get(playbook, ("S", "C")),
            now=now, production=production, shown=watch.cards, police=playbook in _POLICE,
        )  # fmt: skip
    sequence = watch.sequence
    if sequence is not None and playbook in SEQUENCES:
        sequence = replace(sequence, step=step + 1)
    after = replace(watch, sequence=sequence, said=said, cards=watch.cards + (1 if card else 0))
    return CrisisAnswer(bubbles, card, after, told, way_out(after, language))


def way_out(watch: WatchState, language: Language) -> tuple[str, ...]:
    """What the teen may tap to leave the written conversation; empty where none runs or it has more to say first."""
    texts = _texts(language) if watching.way_out(watch) else None
    if texts is None or watch.sequence is None:
        return ()
    return (texts.friend_safe if watch.sequence.playbook == "friend_in_danger" else texts.safe,)


def offers(text: str, language: Language) -> bool:
    """Whether a message is one of these chips and nothing else."""
    texts = _texts(language)
    return texts is not None and text.strip() in {texts.safe, texts.friend_safe}


def _tells(decision: Decision, watch: WatchState, step: int) -> bool:
    """Whether this answer says that the guardian is asked: once a sequence, and never where home is the danger."""
    if watch.home_danger or not adult_wanted(decision):
        return False
    return step == 0 or not any(name.startswith(f"{ADULT_TOLD}/") for name in watch.said)


def _started(watch: WatchState, playbook: str) -> WatchState:
    """The watch with this playbook's sequence running (a caller may come with an empty watch)."""
    if playbook not in SEQUENCES or (watch.sequence is not None and watch.sequence.playbook == playbook):
        return watch
    return replace(watch, sequence=watching.Sequence(playbook))


def _worded(playbook: str, watch: WatchState, band: Band | None) -> str:
    """The playbook in the words for this person: `safe_now` is said to the young, to 16 and over, and to a friend."""
    if playbook != watching.SAFE:
        return playbook
    if watch.sequence is not None and watch.sequence.then == "friend_in_danger":
        return "safe_now_friend"
    return "safe_now_older" if band in _OLDER_BANDS else playbook


def _body(watch: WatchState) -> bool:
    """DANGER: who took something may feel well and not be. One bubble says so to whoever says they are safe."""
    left = "" if watch.sequence is None else watch.sequence.then
    return left in {"medical", SUICIDE["L4"]} or (watch.level == "L4" and left != "friend_in_danger")


def _with_card(playbook: str, step: int, decision: Decision) -> bool:
    if playbook in _CARDS_TOO:
        return True
    if playbook not in SEQUENCES or (playbook in CHECKS and decision.action != "crisis"):
        return False
    return step in {0, 2} or watching.is_danger(decision)


def _bubbles(
    playbook: str,
    step: int,
    said: tuple[str, ...],
    *,
    text: str,
    language: Language,
    emergency: str,
    adult: str | None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    texts = _texts(language)
    if texts is None:
        last = _LAST_RESORT[language]
        return (filled(last, emergency=emergency, adult=""),), said
    part, parts = _part(texts, playbook, step)
    if part == "stay":
        part, parts = _fresh(texts, playbook, said)
    out: list[str] = []
    for number, bubble in parts:
        names = [f"{playbook}/{part}/{number}/{index}" for index in range(len(bubble.variants))]
        index = _choose(names, said, seed=f"{text}{step}")
        out.append(filled(bubble.variants[index], emergency=emergency, adult=adult or texts.adult))
        said = (*(name for name in said if name != names[index]), names[index])
    return tuple(out), said[-_REMEMBERED:]


def _part(texts: Texts, playbook: str, step: int) -> tuple[Part, Numbered]:
    """The part for a step; the last one that the playbook has where it is shorter."""
    chosen = texts.playbooks[playbook]
    for part in reversed(PARTS[: min(step, 3) + 1]):
        if chosen.part(part):
            return part, tuple(enumerate(chosen.part(part)))
    return "first", tuple(enumerate(chosen.first))


def _fresh(texts: Texts, playbook: str, said: Sequence[str]) -> tuple[Part, Numbered]:
    """How to stay. A long talk uses up the lines for it: then comes what is left of the steps before, one at a time."""
    chosen = texts.playbooks[playbook]
    parts: tuple[Part, ...] = ("stay", "third", "second")
    for part in parts:
        for number, bubble in enumerate(chosen.part(part)):
            if any(f"{playbook}/{part}/{number}/{index}" not in said for index in range(len(bubble.variants))):
                return part, ((number, bubble),)
    return "stay", tuple(enumerate(chosen.stay))


def _choose(names: Sequence[str], said: Sequence[str], *, seed: str) -> int:
    """A variant that was not said yet; when all were, the one said longest ago."""
    fresh = [index for index, name in enumerate(names) if name not in said]
    if fresh:
        return fresh[_number(seed) % len(fresh)]
    return min(range(len(names)), key=lambda index: said.index(names[index]))


def _number(seed: str) -> int:
    return int.from_bytes(hashlib.sha256(seed.encode("utf-8", "replace")).digest()[:8], "big")


def _texts(language: Language) -> Texts | None:
    candidates: tuple[Language, ...] = (language, "en")
    for candidate in dict.fromkeys(candidates):
        try:
            return texts_of(candidate)
        except TextsError as error:
            log.error("crisis_texts_broken", extra={"language": candidate, "kind": type(error).__name__})
    return None


def playbook_answer(playbook: str, *, language: Language, country: str = "", seed: int = 0) -> tuple[str, ...]:
    """The bubbles of a single-answer playbook. Raises KeyError for one that isn't."""
    if playbook not in SINGLES:
        raise KeyError(playbook)
    bubbles, _ = _bubbles(
        playbook, 0, (), text=str(seed), language=language, emergency=emergency_of(country), adult=None
    )
    return bubbles


def line(playbook: str, *, language: Language, seed: int = 0) -> str:
    """A single written line, e.g. for `withheld` and `failed`."""
    return " ".join(playbook_answer(playbook, language=language, seed=seed))
