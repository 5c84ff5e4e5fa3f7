"""What is heard: a message by what it is about and what it does, in lines that were written for just that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from companion.engines.embedded.telling import picked, thing_in
from companion.types import ABOUTS, DOES, About, Does

if TYPE_CHECKING:
    from companion.engines.embedded.lines import Pick
    from companion.engines.embedded.mind import Turn
    from companion.engines.embedded.understanding import Understood

STAYS: Final = 2.0  # a talk stays with its subject: e times likelier for each
SURE_ABOUT: Final = 0.45  # likelihood from which a subject is one
CLEAR: Final = 0.5  # share of its kind from which a message is taken for more than a piece of telling
CLEAR_GRIPE: Final = 0.7  # ... for a gripe: agreeing with one that is none is worse than missing it
LIKELY: Final = 0.25  # ... where the feeling speaks for it too
FELT: Final = 0.3  # from which a feeling goes one way
# What is only ever said to something that the companion said, or asked, before.
AFTER_A_TURN: Final = frozenset[Does](("reacts", "complains"))
AFTER_A_QUESTION: Final = frozenset[Does](("answers",))
TELLS: Final = frozenset[Does](("good", "bad", "gripe", "plain", "plans", "opinion"))
SIDES: Final[Mapping[Does, int]] = {"good": 1, "bad": -1, "gripe": -1}
ASKS: Final = frozenset[Does](("asks_you", "asks_fact", "asks_advice"))


def heard(turn: Turn) -> Pick | None:
    """A line of the cell, or of the cell that fits whatever it is about; None where what it does is not clear."""
    if turn.heavy or turn.does is None:
        return None
    thing = thing_in(turn.prompt.text, turn.prompt.language)
    if thing is not None:
        turn.chooser.values["thing"] = thing
    for about in dict.fromkeys((turn.about, "anything")):
        exchange = turn.bank.heard.get((about, turn.does))
        if exchange is not None and (pick := picked(turn, list(exchange.replies))) is not None:
            return pick
    return None


def about_of(turn: Turn) -> About:
    """The likeliest subject; the one that they are in has a head start."""
    understood = turn.reading.understood
    if understood is None:
        return "anything"
    before = turn.talk.about
    weighed = [
        likely * (math.exp(STAYS) if about == before else 1.0)
        for about, likely in zip(ABOUTS, understood.about, strict=True)
    ]
    best = max(range(len(weighed)), key=weighed.__getitem__)
    return ABOUTS[best] if weighed[best] / sum(weighed) >= SURE_ABOUT else "anything"


def does_of(turn: Turn) -> Does | None:
    """What it most likely does here. A piece of telling of which it isn't clear whether it is good, bad or a plan is
    taken by how it feels; None for a question of which it isn't clear to whom it goes."""
    understood = turn.reading.understood
    if understood is None:
        return None
    likely = {
        does: each
        for does, each in zip(DOES, understood.does, strict=True)
        if (does not in AFTER_A_TURN or turn.talk.turns) and (does not in AFTER_A_QUESTION or turn.talk.asked)
    }
    told, asked = (sum(likely[does] for does in kind) for kind in (TELLS, ASKS))
    other = max((does for does in likely if does not in TELLS | ASKS), key=lambda does: likely[does])
    if likely[other] >= max(told, asked):
        return other
    if asked > told:
        best = max(sorted(ASKS), key=lambda does: likely[does])
        return best if likely[best] >= CLEAR * asked else None
    if likely["gripe"] >= CLEAR * told and turn.talk.turns and turn.names_companion:
        return "complains"
    return _told(turn, understood, likely, told)


def _told(turn: Turn, understood: Understood, likely: Mapping[Does, float], told: float) -> Does:
    side = _side(turn, understood)
    best = max(sorted(TELLS), key=lambda does: likely[does])
    if likely[best] >= (CLEAR_GRIPE if best == "gripe" else CLEAR) * told and SIDES.get(best, side) == side:
        return best
    felt = {does: likely[does] for does, way in SIDES.items() if way == side and does != "gripe"}
    found = max(felt, key=lambda does: felt[does]) if felt else "plain"
    return found if likely[found] >= LIKELY * told else "plain"


def _side(turn: Turn, understood: Understood) -> int:
    """1 good, -1 bad, 0 neither: what the head for feelings finds in it, or else what its words say."""
    if abs(understood.feeling) > FELT:
        return 1 if understood.feeling > 0 else -1
    return turn.feeling


def is_clear_question(turn: Turn) -> bool:
    """On a subject that is clear too."""
    return not turn.heavy and turn.does in ASKS and turn.about != "anything"
