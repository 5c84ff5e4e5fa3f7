"""What the conversation so far says: read from the history's line ids, kept nowhere else."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from companion.bank import Bank, Exchange, opening
from companion.personas import laughs, mourns
from companion.types import About, Language, Line
from companion.words import weighs, words_of

NO_REPEAT = 80  # pieces of the companion's in which no line comes twice: all of a usual history
NO_SLOT = 3  # companion turns in which no name, pet or like comes twice
HEAVY = 2  # messages that keep a talk heavy
LONG_HEAVY = 4  # ... while it only listens
HEAVY_SITUATIONS = ("feelings_", "grief", "left_out", "lonely_evenings", "angry_at_myself", "divorce_two_homes")
HURTS_BY_ITSELF = ("grief", "left_out")  # whatever words the teen had for it
ABOUT = 3  # of its turns in which a subject is still the one
GRAVE = 10  # messages that a death stays near
MOST_LOW = 2  # turns in a row that only listen before a talk that brings nothing heavy any more is light again
GLAD = "listening/good"  # something good was just told: what hurt before it is left
AGAIN = 6  # companion turns in which an exchange is hardly used twice
LIGHT_SITUATIONS = (
    "food", "cooking", "music", "games", "films", "books", "jokes", "riddles", "little_games", "weather", "hobbies",
    "wins", "drawing", "instruments", "dance_and", "lego", "coding", "anime", "superheroes", "fantasy_worlds",
    "what_if", "true_or_false", "space_and", "oceans", "volcanoes", "history_odd", "testing_the_bot",
)  # fmt: skip
HEAVY_EXCHANGES = (
    "dont-like-my-body", "ugly-feel", "divorce", "parents-fighting", "grandparent-ill", "worried-about", "pet-died",
    "pet-missing", "cant-trust", "cried", "crying", "someone-close", "bad-news", "birthday-sad", "friend-ill",
    "breakup", "crush-likes-other",
)  # fmt: skip
NO_OPENING = 10  # companion turns in which no two begin alike
REPAIRS = ("not_understood", "not_understood_twice", "change_topic")


@dataclass(frozen=True)
class Talk:
    """pending: the exchange whose question or invitation was said last, if it has something to follow.
    asked: turns in a row, up to now, in which the companion asked. act: of the last thing that it said. listened: turns
    in a row in which it only listened, listened_lately: of its last ones. lately: the exchanges of its last turns,
    act_id: the last of them. about: the subject that they are in. heavy: something sad, worried or grave was just
    talked about. grave: a death was."""

    used_ids: frozenset[str]
    used_texts: tuple[str, ...]
    openings: frozenset[str]
    asked: int
    turns: int
    pending: Exchange | None
    situation: str | None
    act: str | None
    user_texts: tuple[str, ...]
    recent: tuple[str, ...] = ()
    listened: int = 0
    heavy: bool = False
    lately: frozenset[str] = frozenset()
    act_id: str = ""
    about: About | None = None
    grave: bool = False
    listened_lately: int = 0

    def said_before(self, line_id: str, text: str) -> bool:
        return line_id in self.used_ids or any(text.casefold() in used for used in self.used_texts)


def talk_of(history: tuple[Line, ...], bank: Bank, passed: tuple[Line, ...] = ()) -> Talk:
    """history: oldest first, without the message to answer. passed: what answered it already, which counts as said."""
    turns = [list(lines) for who, lines in itertools.groupby(history, key=lambda line: line.who) if who == "companion"]
    spoken = [*[line for line in history if line.who == "companion"][-NO_REPEAT:], *passed]
    said = [
        [bank.owners[line.line_id] for line in lines if line.line_id and line.line_id in bank.owners] for lines in turns
    ]
    owner = said[-1][-1] if said and said[-1] else None
    everything = tuple(line.text for line in history if line.who == "user")
    user_texts = everything[-HEAVY:]
    listened = sum(1 for _ in itertools.takewhile(_listens, reversed(said)))
    asked = itertools.takewhile(lambda lines: any("?" in line.text for line in lines), reversed(turns))
    grave = _grave(history, bank.language)
    return Talk(
        used_ids=frozenset(line.line_id for line in spoken if line.line_id),
        used_texts=tuple(line.text.casefold() for line in spoken),  # a persona may type it small
        openings=frozenset(opening(lines[0].text) for lines in turns[-NO_OPENING:]),
        asked=sum(1 for _ in asked),
        turns=len(turns),
        pending=owner if owner and _follows(owner, turns[-1]) else None,
        situation=owner.situation if owner else None,
        act=owner.act if owner else None,
        user_texts=user_texts,
        recent=tuple(line.text.casefold() for lines in turns[-NO_SLOT:] for line in lines),
        listened=listened,
        listened_lately=sum(map(_listens, said[-AGAIN:])),
        heavy=grave or _heavy(owner, everything, bank.language, listened),
        grave=grave,
        act_id=owner.id if owner else "",
        about=_about(said),
        lately=frozenset(owner.id for owners in said[-AGAIN:] for owner in owners),
    )


def _about(said: list[list[Exchange]]) -> About | None:
    """What was last talked about, if what it said since fits anything."""
    lately = (owner.about for owners in reversed(said[-ABOUT:]) for owner in reversed(owners))
    return next((about for about in lately if about not in (None, "anything")), None)


def _listens(owners: list[Exchange]) -> bool:
    return any(owner.act == "listening" for owner in owners)


def _weighs(text: str, language: Language) -> bool:
    return not laughs(text) and weighs(words_of(text, language), language)


def _grave(history: tuple[Line, ...], language: Language) -> bool:
    texts = [line.text for line in history if line.who == "user"][-GRAVE:]
    return any(mourns(text, language) for text in texts)


def _heavy(owner: Exchange | None, user_texts: tuple[str, ...], language: Language, listened: int) -> bool:
    """By what the companion said last, and the messages around it: one that led to something light moved on."""
    if owner is not None and owner.id == GLAD:
        return False
    weigh = [_weighs(text, language) for text in user_texts[-LONG_HEAVY:]]
    if owner is not None and (owner.act == "bad_news" or owner.id.endswith("/low")):
        return listened < MOST_LOW or any(weigh)
    if owner is not None and owner.act is None:
        if owner.situation.startswith(LIGHT_SITUATIONS):
            return False
        if owner.id.partition("/")[2].startswith(HEAVY_EXCHANGES):
            return True
        return owner.situation.startswith(HURTS_BY_ITSELF) or any(weigh[-HEAVY:])
    return any(weigh[-HEAVY:])


def _follows(owner: Exchange, said: list[Line]) -> bool:
    """After a reply; not after an `otherwise`, whose question is a new one, nor after a reply whose question was left
    out."""
    last = said[-1].line_id
    reply = next((line for line in owner.replies if line.id == last), None)
    asked = any("?" in line.text for line in said if line.line_id == last)
    return reply is not None and bool(owner.then or owner.otherwise) and reply.asks <= asked
