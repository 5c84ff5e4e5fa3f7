"""What a message does that is answered as such and not by likeness: it asks which of two, it didn't follow, it riddles.

The rules of each language stand in moves/<language>.yaml, each with sentences that it catches and spares. What the
companion says then are the bank's exchanges of that act.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import re2
import yaml

from companion.engines.embedded.heard import is_clear_question
from companion.engines.embedded.quote import EDGES, PRIVATE
from companion.engines.embedded.sums import answer_of
from companion.folding import plain, squeezed
from companion.types import Language
from companion.words import sentences_of

if TYPE_CHECKING:
    from companion.engines.embedded.lines import Pick
    from companion.engines.embedded.mind import Turn

FOLDER = Path(__file__).with_name("moves")
CONFUSED, CONFUSED_AGAIN = "confused", "confused_again"
SLOT_WORDS, SLOT_LETTERS = 4, 30
OPTION_WORDS = 2  # of one of two: a longer one is chosen only if both are
LAST = 3  # sentences of a message that are looked at, the last ones
PUNCHLINE = 12  # words
AWAITED = 0.86  # likeness to an answer that the companion waits for
# What a line on its very subject answers better, where there is one: of seven replies to these, none made sense.
OVERHEARD = frozenset(("do_you_like", "do_you_ever", "how_to", "what_means"))
# What was said last, and what the next message is to it.
AFTER = {"their_riddle": "their_punchline", "knock_knock": "knock_who", "knock_who": "their_punchline"}


@dataclass(frozen=True)
class Move:
    """thing: what it is about. options: the two that were named. In the words that were typed."""

    act: str
    thing: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    act: str
    any: tuple[Any, ...]
    unless: tuple[Any, ...]
    catches: tuple[str, ...]
    spares: tuple[str, ...]

    def found(self, sentence: str) -> Move | None:
        bare = bare_of(sentence)
        if any(pattern.search(bare) for pattern in self.unless):
            return None
        for pattern in self.any:
            match = pattern.search(bare)
            if match:
                return Move(self.act, *_named(match, sentence, bare))
        return None


def _named(match: Any, sentence: str, bare: str) -> tuple[str, tuple[str, ...]]:
    groups = match.re.groupindex
    thing = _typed(match.span(groups["thing"]), sentence, bare) if "thing" in groups else ""
    options = tuple(_typed(match.span(groups[name]), sentence, bare) for name in ("a", "b") if name in groups)
    return thing, options if all(options) else ()


def _typed(span: tuple[int, int], sentence: str, bare: str) -> str:
    """Those words as they were typed, if they can be said again; else nothing."""
    start, end = span
    if start < 0:
        return ""
    typed = unicodedata.normalize("NFC", sentence)
    words = (typed if len(typed) == len(bare) else bare)[start:end].strip(EDGES)
    fine = 0 < len(words) <= SLOT_LETTERS and len(words.split()) <= SLOT_WORDS and not PRIVATE.search(words)
    return words if fine else ""


def bare_of(sentence: str) -> str:
    """As the rules see it: lower case, no accents, no punctuation at its end."""
    return plain(sentence).rstrip(EDGES)


@functools.cache
def rules(language: Language) -> tuple[Rule, ...]:
    """Empty for a language without a file."""
    path = FOLDER / f"{language}.yaml"
    if not path.is_file():
        return ()
    given = yaml.load(path.read_bytes(), Loader=yaml.CBaseLoader)  # noqa: S506 (strings only: safe)
    return tuple(
        Rule(
            one["act"],
            tuple(re2.compile(pattern) for pattern in one["any"]),
            tuple(re2.compile(pattern) for pattern in one.get("unless", ())),
            tuple(one["catches"]),
            tuple(one["spares"]),
        )
        for one in given
    )


@functools.lru_cache(maxsize=256)
def move_in(text: str, language: Language) -> Move | None:
    """The move of a message: of its last sentence, if that is more than not having followed; else that it wasn't."""
    sentences = sentences_of(squeezed(text))[-LAST:]
    own = [rule for rule in rules(language) if rule.act != CONFUSED]
    lost = [rule for rule in rules(language) if rule.act == CONFUSED]
    return _first(sentences[-1:], own) or _first(sentences, lost) or _first(sentences[-2::-1], own)


def _first(sentences: Sequence[str], of: Sequence[Rule]) -> Move | None:
    found = (rule.found(sentence) for sentence in sentences for rule in of)
    return next((move for move in found if move is not None), None)


def lost(turn: Turn) -> Pick | None:
    """They didn't follow, or go on with what they had begun: a riddle, a knock at the door."""
    after, acts = AFTER.get(turn.talk.act or ""), {act.name for act in turn.reading.acts}
    if after is not None and len(turn.reading.words) <= PUNCHLINE and "disagree" not in acts:
        thing = _typed((0, len(turn.prompt.text)), turn.prompt.text, turn.prompt.text)
        return said(turn, Move(after, thing))
    move = move_in(turn.prompt.text, turn.prompt.language)
    if move is None or move.act != CONFUSED or not turn.talk.turns:
        return None
    if _is_awaited(turn):
        return None
    again = turn.talk.act in (CONFUSED, CONFUSED_AGAIN)
    return (said(turn, Move(CONFUSED_AGAIN)) if again else None) or said(turn, move)


def _is_awaited(turn: Turn) -> bool:
    """ "What?" is what the companion was waiting for, now and then."""
    pending = turn.talk.pending
    ranked = turn.index.among(turn.reading.likeness[0], pending.then) if pending is not None and pending.then else []
    return bool(ranked) and ranked[0].score >= AWAITED


def summed(turn: Turn) -> Pick | None:
    """A sum that is asked for, also where the bank has much about sums."""
    answer = answer_of(turn.prompt.text, turn.prompt.language)
    if answer is None:
        return None
    turn.chooser.values["answer"] = answer
    return said(turn, Move("sum"))


def moved(turn: Turn) -> Pick | None:
    """Anything else of the kind, where the bank has nothing that is really near."""
    move = move_in(turn.prompt.text, turn.prompt.language)
    if move is None or move.act == CONFUSED or turn.is_known:
        return None
    if move.act in OVERHEARD and is_clear_question(turn):
        return None
    return said(turn, move)


def said(turn: Turn, move: Move) -> Pick | None:
    values = turn.chooser.values
    if move.thing:
        values["thing"] = move.thing
    if move.options:
        # Of "do i curl it warm or cold" the first one holds half the question.
        fine = [option for option in move.options if len(option.split()) <= OPTION_WORDS] or move.options
        values["option"] = fine[turn.prompt.seed % len(fine)]
    return turn.act_said(move.act) if turn.bank.acts.get(move.act) else None
