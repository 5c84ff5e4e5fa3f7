"""What they say to what the companion had asked, or had invited without a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from companion.engines.embedded.acts import acts_in
from companion.engines.embedded.heard import ASKS
from companion.engines.embedded.index import Hit
from companion.engines.embedded.lines import Pick
from companion.engines.embedded.state import REPAIRS

if TYPE_CHECKING:
    from companion.bank import Exchange
    from companion.engines.embedded.mind import Turn

FOLLOWS = 0.28  # an answer to what the companion had just asked
INVITED = 0.45  # ... to what it had said without a question
MOST_ANSWERED = 6  # content words that still count as an answer to anything
LONGER = 4  # content words from which a message just after a question may well be about something else
# What a message may do instead of answering.
TURNS_AWAY = ASKS | {"requests", "complains", "teases", "gripe"}
ANSWERS = frozenset(("agree", "disagree", "shrug"))
GAMES = frozenset(("little_games", "riddles", "boredom"))  # situations in which the companion plays
MOVE_WORDS = 4  # "a teapot?": a guess, though it asks


def follow_up(turn: Turn) -> Pick | None:
    """The answer to what the companion had asked, or had invited without a question."""
    pending = turn.talk.pending
    if pending is None or not pending.then or turn.reading.asks:
        return None
    best = follow_ups(turn, pending)
    if _answers_barely(turn):
        return turn.said_from(hit.exchange for hit in best)
    if not best or best[0].score < (FOLLOWS if turn.talk.asked else INVITED):
        return None
    if turn.best > best[0].score + _head_start(turn, pending):
        return None
    return turn.said_from(hit.exchange for hit in best if hit.score > best[0].score - 0.05)


def played(turn: Turn) -> Pick | None:
    """A move in a small game of the bank's own: what it asked for there is answered there, however little it is like
    what was foreseen. Not where something hurts, and not what is something else for sure."""
    pending = turn.talk.pending
    if pending is None or pending.situation not in GAMES or turn.heavy or turn.sounds_bad:
        return None
    words, names = turn.reading.words, {act.name for act in turn.acts if not act.weak}
    if not (turn.is_answer() or len(words) <= MOVE_WORDS) or turn.names_companion or names - ANSWERS:
        return None
    if turn.is_said and turn.hits[0].exchange.situation not in GAMES:
        return None
    likely = [hit.exchange for hit in follow_ups(turn, pending) if hit.score >= FOLLOWS]
    pick = turn.said_from(likely[:2])
    if pick is not None:
        return pick
    chosen = turn.chooser.choose(pending.otherwise)
    return None if chosen is None else Pick(chosen, pending)


def follow_ups(turn: Turn, pending: Exchange) -> list[Hit]:
    """Those of what was asked that this may be, by likeness."""
    names = _answers_barely(turn)
    if names:
        # "ok" is near to much by its letters: a bare yes, no or shrug is only ever taken as one.
        return [Hit(follow, 1.0) for follow in pending.then if names & _acts_of(follow, turn)]
    ranked: dict[str, Hit] = {}
    for likeness in turn.reading.likeness:
        for hit in turn.index.among(likeness, pending.then):
            if turn.feeling * turn.index.side(hit.exchange) < 0:
                continue  # "they were nice about it" is no "they blamed me"
            if hit.exchange.id not in ranked or ranked[hit.exchange.id].score < hit.score:
                ranked[hit.exchange.id] = hit
    return sorted(ranked.values(), key=lambda hit: (-hit.score, hit.exchange.id))


def _answers_barely(turn: Turn) -> set[str]:
    return {act.name for act in turn.reading.acts if act.name in ANSWERS}


def _head_start(turn: Turn, pending: Exchange) -> float:
    """How much likelier an answer is than a new subject: hardly after the companion had only asked what was meant."""
    if pending.act in REPAIRS or pending.act == "listening":
        return -0.05
    return 0.05 if len(turn.content) >= LONGER else 0.2


def _acts_of(exchange: Exchange, turn: Turn) -> set[str]:
    return {act.name for said in exchange.said for act in acts_in(said, turn.prompt.language)}


def otherwise(turn: Turn) -> Pick | None:
    """Something that fits any answer to what the companion had asked."""
    pending = turn.talk.pending
    if pending is None or not turn.talk.asked or not turn.is_answer():
        return None
    if turn.feeling < 0 and pending.act == "greeting":
        return None  # "how is it going?" was asked, but what fits any answer hardly fits this one
    if turn.feeling * turn.index.side(pending) < 0 or len(turn.content) > MOST_ANSWERED:
        return None
    if turn.does in TURNS_AWAY:
        return None
    chosen = turn.chooser.choose(pending.otherwise)
    return None if chosen is None else Pick(chosen, pending)
