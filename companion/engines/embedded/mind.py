"""Decides what to say: from a reading of the message and the talk so far to lines of the bank. Pure and repeatable.

The steps stand in `STEPS`, in their order; the first that has something to say wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from chatbot.core.encoder.values import Floats
from companion.bank import Bank, Exchange
from companion.bank.form import ACTS
from companion.engines.embedded.acts import Act, acts_in
from companion.engines.embedded.index import BankIndex, Hit
from companion.engines.embedded.lines import MOST_ASKED, Chooser, Chosen, slot_values
from companion.engines.embedded.quote import quote_of
from companion.engines.embedded.reading import Reading
from companion.engines.embedded.state import REPAIRS, Talk
from companion.engines.embedded.words import content_words
from companion.personas import laughs, mood_next
from companion.types import Mood, Prompt

# Likeness from which something counts, tuned with bench/retrieval.py.
ENOUGH = 0.30  # an exchange answers the message
SURE = 0.52  # ... even if the companion had just asked something else
LIKELY = 0.40  # ... the same for a longer message
FOLLOWS = 0.28  # an answer to what the companion had just asked
EXACT = 0.86  # ... even if a rule says that the message is something else
BLENDED = 0.37  # an exchange answers the message read together with those before it
NEAR_BEST = 0.06  # how far behind the best an exchange may be to stand in for it
SAME_TOPIC = 0.06  # a bonus for the situation that they are in
ACT_AWAY = 0.08  # taken from an exchange that is for an act which the message is not
LONGER = 4  # content words from which a message just after a question may well be about something else
ANSWER_WORDS = 14  # an answer to a question is hardly longer

ANSWERS = frozenset(("agree", "disagree", "shrug"))
ACTS_ASKED_FOR = frozenset(ACTS) - {"greeting", "good_news", "bad_news", "how_are_you", "bored"}
SOCIAL = ("greeting", "how_are_you", "shrug", "agree")
ALWAYS_TRUE = frozenset(("are_you_real", "love_you"))
PLAYFUL_TONES = frozenset(("joke", "tease", "dare"))
LEAD_LETTERS = 60


@dataclass(frozen=True)
class Reply:
    """What will be said: lines in order, the mood after them, what the teen might tap as an answer, and the step that
    found it (for measuring)."""

    chosen: tuple[Chosen, ...]
    mood: Mood
    chips: tuple[str, ...] = ()
    step: str = ""


@dataclass(frozen=True)
class Pick:
    chosen: Chosen
    exchange: Exchange


class Turn:
    """One message to answer."""

    def __init__(self, *, prompt: Prompt, talk: Talk, reading: Reading, bank: Bank, index: BankIndex) -> None:
        self.prompt = prompt
        self.talk = talk
        self.reading = reading
        self.bank = bank
        self.index = index
        self.chooser = Chooser(prompt, talk, slot_values(prompt))
        self.hits = self._hits()
        self.acts = tuple(act for act in self._acts() if act.name in bank.acts)

    @property
    def best(self) -> float:
        return self.hits[0].score if self.hits else 0.0

    def _acts(self) -> Iterable[Act]:
        """After a joke a laugh is about the joke. "Boa noite" opens an evening's talk as well as it ends one."""
        names = {act.name for act in self.reading.acts}
        if self.talk.act == "tell_joke" and len(self.reading.words) <= ANSWER_WORDS // 2 and laughs(self.reading.text):
            yield Act("laugh")
        for act in self.reading.acts:
            if act.name != "farewell_night" or "greeting" not in names or self.talk.turns:
                yield act

    def _hits(self) -> list[Hit]:
        """The best exchanges for the message as a whole or for one of its sentences."""
        found: dict[str, Hit] = {}
        for likeness in self.reading.likeness:
            for hit in self.index.best(likeness):
                score = hit.score + self._leaning(hit.exchange)
                if hit.exchange.id not in found or found[hit.exchange.id].score < score:
                    found[hit.exchange.id] = replace(hit, score=score)
        return sorted(found.values(), key=lambda hit: (-hit.score, hit.exchange.id))

    def _leaning(self, exchange: Exchange) -> float:
        """For the topic that they are in; against a joke or a thank-you where nobody asked for one."""
        same = SAME_TOPIC if exchange.situation == self.talk.situation else 0.0
        names = {act.name for act in self.reading.acts}
        return same - (ACT_AWAY if exchange.act in ACTS_ASKED_FOR and exchange.act not in names else 0.0)

    def said_from(self, exchanges: Iterable[Exchange]) -> Pick | None:
        """A line of the first exchange that has one to say now."""
        for exchange in exchanges:
            chosen = self.chooser.choose(exchange.replies)
            if chosen is None and self.talk.asked >= MOST_ASKED:
                # Its replies all ask, and it asked enough: what fits any answer fits here too.
                chosen = self.chooser.choose(exchange.otherwise)
            if chosen is not None:
                return Pick(chosen, exchange)
        return None

    def act_said(self, name: str) -> Pick | None:
        """A line of the exchanges of an act: the closest of them first, where the bank has several."""
        exchanges = self.bank.acts.get(name, ())
        ranked = self.index.among(self.reading.likeness[0], exchanges)
        if ranked and ranked[0].score < ENOUGH:
            # None of them is closer than another: let the draw decide among all their lines.
            lines = [line for exchange in exchanges for line in exchange.replies]
            chosen = self.chooser.choose(lines)
            return None if chosen is None else Pick(chosen, self.bank.owners[chosen.line.id])
        return self.said_from(hit.exchange for hit in ranked)


Step = Callable[[Turn], Pick | None]


def _first_acts(turn: Turn) -> Pick | None:
    """What nothing may talk over: what it is, love, a goodbye."""
    for act in turn.acts:
        if act.first:
            pick = turn.act_said(act.name)
            if pick is not None:
                return pick
            if act.name in ALWAYS_TRUE or act.name.startswith("farewell"):
                return _again(turn, act.name)
    return None


def _again(turn: Turn, act: str) -> Pick | None:
    """All lines of the act were said: the truth, and a goodbye, may come twice."""
    lines = [line for exchange in turn.bank.acts[act] for line in exchange.replies]
    chosen = turn.chooser.least_bad(lines)
    return None if chosen is None else Pick(chosen, turn.bank.owners[chosen.line.id])


def _follow_up(turn: Turn) -> Pick | None:
    """The answer to what the companion had asked."""
    pending = turn.talk.pending
    if pending is None or not pending.then:
        return None
    names = {act.name for act in turn.reading.acts if act.name in ANSWERS}
    ranked: dict[str, Hit] = {}
    for likeness in turn.reading.likeness:
        for hit in turn.index.among(likeness, pending.then):
            score = hit.score
            if names and names & _acts_of(hit.exchange, turn):
                score = max(score, EXACT)
            if hit.exchange.id not in ranked or ranked[hit.exchange.id].score < score:
                ranked[hit.exchange.id] = replace(hit, score=score)
    best = sorted(ranked.values(), key=lambda hit: (-hit.score, hit.exchange.id))
    if not best or best[0].score < FOLLOWS or (turn.best >= SURE and turn.best > best[0].score + 0.2):
        return None
    return turn.said_from(hit.exchange for hit in best if hit.score > best[0].score - 0.05)


def _acts_of(exchange: Exchange, turn: Turn) -> set[str]:
    return {act.name for said in exchange.said for act in acts_in(said, turn.prompt.language)}


def _acts(turn: Turn) -> Pick | None:
    """The message is nothing but an act, and the bank has no exchange that is this very message."""
    for act in turn.acts:
        if act.weak or (turn.hits and turn.hits[0].nearest >= EXACT and turn.hits[0].exchange.act != act.name):
            continue
        if act.name in ANSWERS and (pick := _otherwise(turn)) is not None:
            return pick
        if (pick := turn.act_said(act.name)) is not None:
            return pick
    return None


def _retrieved(turn: Turn) -> Pick | None:
    """The closest exchange. Just after a question it has to be sure, if there is something that fits any answer."""
    waiting = turn.talk.pending is not None and turn.talk.pending.otherwise and _is_answer(turn)
    longer = len(content_words(turn.reading.words, turn.prompt.language)) >= LONGER
    least = ENOUGH if not waiting else LIKELY if longer else SURE
    if turn.best < least:
        return None
    near = [hit.exchange for hit in turn.hits if hit.score >= max(least, turn.best - NEAR_BEST)]
    return turn.said_from(near)


def _otherwise(turn: Turn) -> Pick | None:
    """Something that fits any answer to what the companion had asked."""
    pending = turn.talk.pending
    if pending is None or not _is_answer(turn):
        return None
    chosen = turn.chooser.choose(pending.otherwise)
    return None if chosen is None else Pick(chosen, pending)


def _is_answer(turn: Turn) -> bool:
    return not turn.reading.asks and len(turn.reading.words) <= ANSWER_WORDS


def _weak_acts(turn: Turn) -> Pick | None:
    picks = (turn.act_said(act.name) for act in turn.acts if act.weak)
    return next((pick for pick in picks if pick is not None), None)


def _blended(turn: Turn) -> Pick | None:
    """The message together with what was said before it."""
    if turn.reading.blended is None:
        return None
    likeness: Floats = turn.reading.blended
    hits = [hit for hit in turn.index.best(likeness) if hit.score >= BLENDED]
    return turn.said_from(hit.exchange for hit in hits if hit.score >= hits[0].score - NEAR_BEST)


def _repair(turn: Turn) -> Pick | None:
    """Nothing fits. After something low it stays with it; an answer to a question is taken as one; else it says so,
    in a fresh way each time, and offers a way on."""
    for act in _repair_acts(turn):
        turn.chooser.values.pop("quote", None)
        quote = quote_of(turn.prompt.text, turn.index.letters, turn.prompt.language, rare=act == "not_understood")
        if quote is not None:
            turn.chooser.values["quote"] = quote
        if (pick := turn.act_said(act)) is not None:
            return pick
    return None


def _repair_acts(turn: Turn) -> tuple[str, ...]:
    if turn.prompt.low:
        return ("bad_news", "not_understood", *REPAIRS)
    if turn.talk.act in REPAIRS:
        at = REPAIRS.index(turn.talk.act)
        return (*REPAIRS[at + 1 :], *REPAIRS)
    if turn.talk.asked and _is_answer(turn):
        return ("remember_thanks", *REPAIRS)
    return REPAIRS


def _anything(turn: Turn) -> Pick | None:
    """A bank so thin, or a talk so long, that nothing fitting is left: an offer, then anything that may be said."""
    for act in ("change_topic", "ask_me_something", "agree", "not_understood"):
        if (pick := turn.act_said(act)) is not None:
            return pick
    acted = [exchange for act in REPAIRS for exchange in turn.bank.acts.get(act, ())]
    pools = (
        [line for exchange in acted for line in exchange.replies if not line.slots],
        [line for exchange in turn.bank.exchanges if exchange.act in SOCIAL for line in exchange.otherwise],
        [line for exchange in turn.bank.exchanges for line in exchange.replies if not line.slots],
    )
    chosen = next((found for pool in pools if (found := turn.chooser.least_bad(pool)) is not None), None)
    return None if chosen is None else Pick(chosen, turn.bank.owners[chosen.line.id])


STEPS: Mapping[str, Step] = {
    "first": _first_acts,
    "follow": _follow_up,
    "act": _acts,
    "retrieved": _retrieved,
    "otherwise": _otherwise,
    "weak": _weak_acts,
    "blended": _blended,
    "repair": _repair,
    "anything": _anything,
}


def reply_to(turn: Turn) -> Reply | None:
    """The reply; None only if the bank has no line that may be said to this person at all."""
    for name, step in STEPS.items():
        pick = step(turn)
        if pick is not None:
            chips = () if turn.prompt.low else pick.exchange.chips
            return Reply((*_lead(turn, pick), pick.chosen), _mood(turn, pick), chips, name)
    return None


def _lead(turn: Turn, pick: Pick) -> tuple[Chosen, ...]:
    """A short hello before the answer, when the first message greets and says something."""
    if turn.talk.turns or not turn.reading.greets or pick.exchange.act is not None:
        return ()
    lines = [
        line
        for exchange in turn.bank.acts.get("greeting", ())
        for line in exchange.replies
        if not line.asks and len(line.text) <= LEAD_LETTERS
    ]
    chosen = turn.chooser.choose(lines)
    return () if chosen is None else (chosen,)


def _mood(turn: Turn, pick: Pick) -> Mood:
    mood = mood_next(history=turn.prompt.history, text=turn.prompt.text, low=turn.prompt.low, before=turn.prompt.mood)
    if turn.prompt.low or pick.exchange.act == "farewell_night":
        return "calm"
    return "silly" if pick.chosen.line.tone in PLAYFUL_TONES else mood
