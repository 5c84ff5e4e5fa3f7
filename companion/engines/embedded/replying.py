"""Decides what to say: what the rules chose (mind.py), or what weighs more beside it. Pure and repeatable."""

from __future__ import annotations

from dataclasses import dataclass, replace

from companion.engines.embedded.candidates import Candidate, candidates
from companion.engines.embedded.drawing import drawing_for
from companion.engines.embedded.lines import Chosen, Pick
from companion.engines.embedded.mind import HEAVY, Turn, is_light, ruled
from companion.engines.embedded.state import HEAVY_SITUATIONS
from companion.engines.embedded.weighing import Weigher
from companion.personas import mood_next
from companion.types import Mood

SETTLED = frozenset(("first", "told", "sum", "played"))  # steps that know: what it is, a goodbye, a name, a sum, a move
FITTING = frozenset(("follow", "act", "retrieved"))  # steps that found what was written for such a message
STANDING_IN = frozenset(("repair", "anything"))  # ... and those that found nothing
PLAYFUL_TONES = frozenset(("joke", "tease", "dare"))


@dataclass(frozen=True)
class Reply:
    """What will be said: lines in order, the mood after them, what the teen might tap as an answer, and the step that
    found it (for measuring)."""

    chosen: tuple[Chosen, ...]
    mood: Mood
    chips: tuple[str, ...] = ()
    step: str = ""
    drawing: str = ""


def open_to(turn: Turn, chosen: Candidate) -> list[Candidate]:
    """What might be said instead, what the rules chose among it."""
    own = chosen.pick.exchange.id
    others = (
        replace(one, step=chosen.step) if one.pick.exchange.id == own else one
        for one in candidates(turn)
        if one.pick.chosen.line.id != chosen.pick.chosen.line.id
        and not (turn.heavy and one.pick.exchange.hears is None and is_light(turn, one.pick.exchange))
    )
    return [chosen, *others]


def reply_to(turn: Turn, weigher: Weigher | None = None) -> Reply | None:
    """The reply; None only if the bank has no line that may be said to this person at all. Without a weigher the rules
    alone choose."""
    found = ruled(turn)
    if found is None:
        return None
    if weigher is not None and found.step not in SETTLED and not _hurts(turn, found.pick):
        found = weigher.best(turn, open_to(turn, found))
    pick = found.pick
    chips = () if turn.prompt.low else pick.chosen.line.chips
    drawing = drawing_for(turn.prompt, pick.exchange, pick.chosen.line, heavy=turn.heavy)
    return Reply((pick.chosen,), _mood(turn, pick), chips, found.step or "weighed", drawing)


def another(other: Reply, first: Reply) -> Reply:
    """Another answer than the first; the first once more, where the other only stands in for it: a sum has one result,
    hunger isn't answered by what was written for fear, and not to have understood is no answer."""
    settled = first.step in SETTLED and other.step != first.step
    strays = first.step in FITTING and other.step not in FITTING
    gives_up = other.step in STANDING_IN and first.step not in STANDING_IN
    return first if settled or strays or gives_up else other


def _hurts(turn: Turn, pick: Pick) -> bool:
    """Whether somebody wrote lines for this very thing that hurts: then nothing else is said."""
    own = turn.hits[0] if turn.hits else None
    near = own is not None and own.exchange.id == pick.exchange.id and own.nearest >= HEAVY
    return (turn.prompt.low or turn.mourns) and near and pick.exchange.situation.startswith(HEAVY_SITUATIONS)


def _mood(turn: Turn, pick: Pick) -> Mood:
    mood = mood_next(history=turn.prompt.history, text=turn.prompt.text, low=turn.prompt.low, before=turn.prompt.mood)
    if turn.prompt.low or turn.mourns or pick.exchange.act == "farewell_night":
        return "calm"
    return "silly" if pick.chosen.line.tone in PLAYFUL_TONES else mood
