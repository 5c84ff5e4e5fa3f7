"""What the rules say: from a reading of the message and the talk so far to lines of the bank. Pure and repeatable.

The rules stand in `STEPS`, in their order; the first that has something to say has chosen. What it chose is weighed
beside all else that might be said in replying.py.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from companion.bank import Bank, Exchange
from companion.bank.form import ACTS_ASKED_FOR
from companion.engines.embedded.acts import Act
from companion.engines.embedded.answering import ANSWERS, LONGER, follow_up, otherwise, played
from companion.engines.embedded.candidates import LOW, Candidate
from companion.engines.embedded.following import Followed, that_follow, unknown
from companion.engines.embedded.heard import ASKS, about_of, does_of, heard
from companion.engines.embedded.index import BankIndex, Hit
from companion.engines.embedded.lines import MOST_ASKED, Chooser, Pick, slot_values
from companion.engines.embedded.moves import lost, moved, summed
from companion.engines.embedded.reading import GOODBYES, Reading
from companion.engines.embedded.state import HEAVY_SITUATIONS, REPAIRS, Talk
from companion.engines.embedded.telling import listening, repair, told
from companion.engines.embedded.understanding import EVEN
from companion.personas import laughs, mourns
from companion.types import About, Does, Language, Prompt
from companion.words import content_words, continues, feeling_of, is_grave, lexicon

# Likeness from which something counts, tuned with bench/retrieval.py.
ENOUGH = 0.30  # an exchange answers the message
COMFORT = 0.42  # ... even if it comforts, and the message has no word of anything bad
UNASKED = 0.44  # ... even if it is for an act which the message is not
CLOSE = 0.60  # ... in the middle of a talk: under it a line for what was heard makes sense as often (bench.answered)
HEAVY = 0.55  # ... even if it is about something light, just after something that wasn't
GOODBYE = 0.42  # ... if it lets go: a goodbye that is missed costs more than one too many
EXACT = 0.86  # ... even if a rule says that the message is something else
BLENDED = 0.40  # an exchange answers the message read together with those before it

NEAR_BEST = 0.06  # how far behind the best an exchange may be to stand in for it
FURTHER = 0.10  # ... where it is known what may follow
SAME_TOPIC = 0.06  # a bonus for the situation that they are in
OWN_VOICE = 0.05  # a bonus for what only this persona says
YOUR_FEELING = 0.12  # taken from what is felt by a teen where the message asks about the companion
USED = 0.15  # taken from an exchange that was used a few turns ago
OUT_OF_PLACE = 0.8  # taken from what is said about a joke where none was told
ABOUT_JOKES = ("jokes/joke-",)
JOKING = frozenset(("jokes", "riddles", "little_games"))
CONTINUES = 0.8  # an exchange answers what only goes on with a sentence: "with my cousin"
ACT_AWAY = 0.08  # taken from an exchange that is for an act which the message is not
YOU: Mapping[Language, frozenset[str]] = {
    "en": frozenset(("you", "your", "yours")),
    "pt-BR": frozenset(("voce", "tu", "teu", "tua")),
    "es": frozenset(("tu", "vos", "eres", "sos", "usted")),
    "fr": frozenset(("tu", "t", "toi", "ton", "ta", "tes")),
}
ANSWER_WORDS = 14  # an answer to a question is hardly longer

SOCIAL = ("greeting", "how_are_you", "shrug", "agree")
ALWAYS_TRUE = frozenset(("are_you_real", "love_you"))
MOVES_ON = frozenset(("laugh", "good_news", "tell_joke"))
LONGEST_GOODBYE = 16  # words: who tells more on the way out wants it answered
GLAD = frozenset[Does](("good", "gripe", "teases"))  # what is heard in these is answered lightly
SOBER = frozenset[Does](("bad", "asks_you", "asks_fact", "asks_advice", "requests", "complains"))  # ... not in these
NOT_FOLLOWED = Followed()
UNKIND = "feelings_unkind"
GREETING_WORDS = 5  # a hello with more behind it is about something


class Turn:
    """One message to answer."""

    def __init__(
        self,
        *,
        prompt: Prompt,
        talk: Talk,
        reading: Reading,
        bank: Bank,
        index: BankIndex,
        followed: Followed = NOT_FOLLOWED,
    ) -> None:
        """followed: how well lines may follow what was said."""
        self.prompt = prompt
        self.talk = talk
        self.reading = reading
        self.bank = bank
        self.index = index
        self.feeling = feeling_of(reading.words, prompt.language)
        self.sounds_bad = self.feeling < 0 or is_grave(reading.words, prompt.language)
        moves_on = self._moves_on()
        self.mourns = mourns(reading.text, prompt.language) or (talk.grave and not moves_on)
        self.heavy = prompt.low or self.mourns or (talk.heavy and not moves_on)
        self.fit, self.fitting = followed.fit, followed.best
        self.chooser = Chooser(prompt, talk, slot_values(prompt), heavy=self.heavy, fit=self.fit)
        self.names_companion = not YOU[prompt.language].isdisjoint(reading.words)
        self.asks_companion = reading.asks and self.names_companion
        self.content = content_words(reading.words, prompt.language)
        self.hits = self._hits()
        self.acts = tuple(act for act in self._acts() if act.name in bank.acts)

    @functools.cached_property
    def does(self) -> Does | None:
        """What the message does; None where that isn't clear."""
        return does_of(self)

    @functools.cached_property
    def about(self) -> About:
        return about_of(self)

    @property
    def best(self) -> float:
        return self.hits[0].score if self.hits else 0.0

    @property
    def is_known(self) -> bool:
        """An exchange is this message, or nearly."""
        return self.best >= CLOSE

    @property
    def is_said(self) -> bool:
        """It is, to the letter or nearly, what somebody wrote lines for."""
        return bool(self.hits) and self.hits[0].nearest >= EXACT

    def _moves_on(self) -> bool:
        """They laugh, or tell something good."""
        names = {act.name for act in self.reading.acts}
        laughing = self.feeling == 0 and laughs(self.reading.text)
        return bool(names & MOVES_ON) or self.feeling > 0 or laughing

    def _acts(self) -> Iterable[Act]:
        """After a joke a laugh is about the joke. A goodbye with more around it is one too; a no after one is none."""
        stays = self.talk.act in GOODBYES and self._stays()
        if stays:
            yield from (act for act in self.reading.acts if act.name not in GOODBYES)
            return
        if self.prompt.leaves and self.talk.turns and not self.reading.asks and self._leaves_quietly():
            yield Act("farewell", first=True)
        if self.talk.act == "tell_joke" and len(self.reading.words) <= ANSWER_WORDS // 2 and laughs(self.reading.text):
            yield Act("laugh")
        for act in self.reading.acts:
            if act.name == "farewell" and not act.whole and self.reading.asks:
                continue  # "and you have to go when they say bye?" ends nothing
            if act.name != "farewell_night" or not self._opens_the_evening():
                yield act

    def _stays(self) -> bool:
        """It was let go, and didn't mean to: "bye?? i never said bye"."""
        return self.reading.asks or not lexicon(self.prompt.language).negations.isdisjoint(self.reading.words)

    def _leaves_quietly(self) -> bool:
        heard, understood = {act.name for act in self.reading.acts}, self.reading.understood
        asks = understood is not None and understood.likely(ASKS) > EVEN  # without a question mark too
        return heard.isdisjoint(GOODBYES) and len(self.reading.words) <= LONGEST_GOODBYE and not asks

    def _opens_the_evening(self) -> bool:
        """ "Boa noite" opens an evening's talk as well as it ends one."""
        return not self.talk.turns and any(act.name == "greeting" for act in self.reading.acts)

    def _hits(self) -> list[Hit]:
        """The best exchanges for the message as a whole or for one of its sentences."""
        found: dict[str, Hit] = {}
        opens = self._opens_the_evening()
        for likeness in self.reading.likeness:
            for hit in self.index.best(likeness):
                if (opens and hit.exchange.act == "farewell_night") or self.foreign(hit.exchange):
                    continue
                if self.mourns and hit.nearest < EXACT and not self._is_sober(hit.exchange):
                    continue
                score = hit.score + self.leaning(hit.exchange)
                if hit.exchange.id not in found or found[hit.exchange.id].score < score:
                    found[hit.exchange.id] = replace(hit, score=score)
        return sorted(found.values(), key=lambda hit: (-hit.score, hit.exchange.id))

    def foreign(self, exchange: Exchange) -> bool:
        """In the voice of somebody whom this companion is not."""
        return exchange.persona not in (None, self.prompt.persona.id)

    def leaning(self, exchange: Exchange) -> float:
        """For the topic that they are in; against a joke or a thank-you where nobody asked for one."""
        same = SAME_TOPIC if exchange.situation == self.talk.situation else 0.0
        same += 0.0 if exchange.persona is None else OWN_VOICE
        names = {act.name for act in self.reading.acts}
        if exchange.id in self.talk.lately and exchange.act is None:
            same -= USED
        if exchange.act not in GOODBYES and self.out_of_place(exchange):
            same -= OUT_OF_PLACE
        if self.asks_companion and exchange.situation.startswith(HEAVY_SITUATIONS):
            same -= YOUR_FEELING
        return same - (ACT_AWAY if exchange.act in ACTS_ASKED_FOR and exchange.act not in names else 0.0)

    def out_of_place(self, exchange: Exchange) -> bool:
        """It is about a joke, and none was told; it says goodbye to somebody who said none; it is glad, where something
        weighs, whatever its tone, or only easy, where a death was told; or it is for who is unkind to themselves, and
        nobody was."""
        if exchange.act in GOODBYES:
            return not self.prompt.leaves and all(act.name not in GOODBYES for act in self.reading.acts)
        glad = self.heavy and exchange.hears in GLAD
        if self.mourns and not self._is_sober(exchange):
            return True
        if exchange.situation == UNKIND and not self.prompt.low:
            return True
        return glad or (exchange.id.startswith(ABOUT_JOKES) and self.talk.situation not in JOKING)

    def _is_sober(self, exchange: Exchange) -> bool:
        """It may be said where a death was told: it was written for what hurts, or answers just what was asked."""
        if exchange.hears is not None:
            return exchange.hears in SOBER
        if exchange.act == "listening":
            return exchange.id.endswith(LOW)
        acted = any(act.name == exchange.act for act in self.reading.acts)
        return acted or exchange.situation.startswith(HEAVY_SITUATIONS)

    def is_answer(self) -> bool:
        """It may answer what was asked: short, no question, and not about the companion."""
        words = self.reading.words
        asks_nothing = not self.reading.asks and not self.names_companion
        return asks_nothing and len(words) <= ANSWER_WORDS

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
        exchanges = [one for one in self.bank.acts.get(name, ()) if not self.foreign(one)]
        ranked = self.index.among(self.reading.likeness[0], exchanges)
        own = [one for one in exchanges if one.persona is not None]
        if own:  # its own voice, beside what is nearest in everybody's
            voices = dict.fromkeys((*own, ranked[0].exchange))
            chosen = self.chooser.choose(line for exchange in voices for line in exchange.replies)
            if chosen is not None:
                return Pick(chosen, self.bank.owners[chosen.line.id])
        if ranked and ranked[0].score < ENOUGH:
            # None of them is really close: let the draw decide, among those that are as close as any, else among all.
            near = [hit.exchange for hit in ranked if hit.score > ranked[0].score - NEAR_BEST]
            chosen = self.chooser.choose(line for exchange in near for line in exchange.replies)
            chosen = chosen or self.chooser.choose(line for exchange in exchanges for line in exchange.replies)
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
    lines = [line for exchange in turn.bank.acts[act] for line in exchange.replies if not turn.foreign(exchange)]
    chosen = turn.chooser.least_bad(lines)
    return None if chosen is None else Pick(chosen, turn.bank.owners[chosen.line.id])


def _acts(turn: Turn) -> Pick | None:
    """The message is nothing but an act, and the bank has no exchange that is this very message."""
    for act in turn.acts:
        if act.weak or (turn.hits and turn.hits[0].nearest >= EXACT and turn.hits[0].exchange.act != act.name):
            continue
        if act.name in ANSWERS:
            pick = otherwise(turn) or (listening(turn) if turn.heavy else None)
            if pick is not None:
                return pick
        if (pick := turn.act_said(act.name)) is not None:
            return pick
    return None


def _retrieved(turn: Turn) -> Pick | None:
    """The closest exchange, if it is close enough for this place of the talk."""
    hits = [hit for hit in turn.hits if hit.score >= _least(turn, hit.exchange)]
    behind = NEAR_BEST if turn.fit is unknown else FURTHER
    near = [hit for hit in hits if hit.score >= hits[0].score - behind or hit.nearest >= EXACT]
    return turn.said_from(hit.exchange for hit in that_follow(near, turn.fit, exact=EXACT))


def _least(turn: Turn, exchange: Exchange) -> float:
    """In the middle of a talk it has to be close; a joke, a thank-you or an insult that nobody made closer, and so has
    something light after something heavy, and, as a beginning, comfort where nothing sounds bad."""
    if exchange.act in GOODBYES and not turn.reading.asks and not turn.prompt.low:
        return GOODBYE
    goes_on = turn.talk.turns and continues(turn.reading.words, turn.prompt.language)
    if goes_on or (turn.sounds_bad and exchange.situation in JOKING):  # "i think i did something wrong" is no game
        return CONTINUES
    if is_light(turn, exchange):
        return HEAVY if len(turn.content) >= LONGER else EXACT
    if turn.talk.turns:
        return HEAVY if turn.heavy else CLOSE
    if exchange.act in ACTS_ASKED_FOR and all(act.name != exchange.act for act in turn.reading.acts):
        return UNASKED
    comforts = not turn.sounds_bad and exchange.situation.startswith(HEAVY_SITUATIONS)
    return COMFORT if comforts else ENOUGH


def is_light(turn: Turn, exchange: Exchange) -> bool:
    acted = exchange.act == "listening" or any(act.name == exchange.act for act in turn.reading.acts)
    return turn.heavy and not acted and exchange.id not in turn.index.felt


def _greeted(turn: Turn) -> Pick | None:
    """The first message says hello and a few words that nothing fits: the hello is answered, no guess is made."""
    short = len(turn.reading.words) <= GREETING_WORDS
    greets = turn.reading.greets and short and not turn.talk.turns and not turn.prompt.low
    return turn.act_said("greeting") if greets else None


def _weak_acts(turn: Turn) -> Pick | None:
    picks = (turn.act_said(act.name) for act in turn.acts if act.weak)
    return next((pick for pick in picks if pick is not None), None)


def _blended(turn: Turn) -> Pick | None:
    """The message together with what was said before it."""
    likeness = turn.reading.blended()
    if likeness is None:
        return None
    hits = [
        hit
        for hit in turn.index.best(likeness)
        if hit.score + min(turn.leaning(hit.exchange), 0.0) >= BLENDED
        and hit.exchange.act not in ACTS_ASKED_FOR
        and not turn.foreign(hit.exchange)
    ]
    if turn.heavy:
        hits = [hit for hit in hits if not is_light(turn, hit.exchange)]
    return turn.said_from(hit.exchange for hit in hits if hit.score >= hits[0].score - NEAR_BEST)


def _anything(turn: Turn) -> Pick | None:
    """A bank so thin, or a talk so long, that nothing fitting is left: an offer, then anything that may be said."""
    for act in ("listening", "change_topic", "ask_me_something", "agree", "not_understood"):
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
    "told": told,
    "lost": lost,
    "sum": summed,
    "played": played,
    "follow": follow_up,
    "act": _acts,
    "moved": moved,
    "retrieved": _retrieved,
    "otherwise": otherwise,
    "heard": heard,
    "weak": _weak_acts,
    "blended": _blended,
    "greeted": _greeted,
    "repair": repair,
    "anything": _anything,
}


def ruled(turn: Turn) -> Candidate | None:
    """What the rules choose; None only if the bank has no line that may be said to this person at all."""
    picks = ((name, step(turn)) for name, step in STEPS.items())
    return next((Candidate(pick, name) for name, pick in picks if pick is not None), None)
