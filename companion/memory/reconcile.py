"""What something newly said does to what is known: the same, more exact, another, or none of its business. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal

from companion.memory.changes import Instead, Over
from companion.memory.extract import capital, is_keepable
from companion.memory.facts import NAMES, Fact, Kind
from companion.memory.lexicon import lexicon
from companion.memory.text import flat, fold
from companion.types import Language

Relation = Literal["same", "refines", "changes"]

FEELING_DAYS = 7  # a feeling is of its week
PLAN_DAYS = 14  # how long a plan that is over may still be asked about
ENDS: tuple[Kind, ...] = ("does", "like", "plan", "favourite", "feeling")
ONE_ONLY: tuple[Kind, ...] = ("name", "from", "year")
GIVES_WAY: tuple[Kind, ...] = ("name", "pet", "person", "favourite", "does", "year", "like")  # the likeliest first
_WORD = re.compile(r"[^\W_]+")
# Words that make no difference to what is meant.
_SMALL = frozenset(
    "a an the my our your his her their to of in on at for with and or some any about what that this is are "
    "o os as um uma meu minha meus minhas seu sua de do da dos das em no na nos nas com e ou sobre que "
    "el la los las un una mi mis tu su del al en con y sobre que "
    "le les une des du mon ma mes ton ta tes de au aux dans avec et sur que l d j s i play plays do does lo los "
    "faco faz toco hago hace tocar practico fais fait fai pratique".split()  # not "jogo" nor "juego": a match is one
)
# Since when something is the favourite makes it no other sort of thing.
_NOWADAYS = re.compile(
    r"\b(?:these days|right now|rn|atm|at the moment|now|currently|this (?:week|month|term|year)|of all time|ever|"
    r"hoje em dia|atualmente|no momento|agora|do momento|de agora|de todos os tempos|hoje|"
    r"hoy en dia|actualmente|ahora|ahorita|por ahora|de momento|del momento|hoy|"
    r"en ce moment|ces temps ci|maintenant|mtn|actuellement|du moment|desormais|de tous les temps)\b"
)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text that make a difference, folded, without plural and -ing. A text of emoji alone is one word:
    without any it would be part of everything."""
    found = _WORD.findall(fold(text).replace("ou", "o")) or fold(text).split()
    kept = [word for word in found if word not in _SMALL] or found
    return tuple(_stem(word) for word in kept)


def ends_small(text: str) -> bool:
    """Whether a text ends where something would have to follow: "run a stall at"."""
    return any(word in _SMALL for word in _WORD.findall(fold(text))[-1:])


def _stem(word: str) -> str:
    for ending in ("ing", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


# What a name is called; and words around a topic that say nothing of it: "the musical thing", "my favourite colour".
_NAMES = frozenset(words_of("name nickname nome apelido nombre apodo prenom surnom"))
_AROUND = frozenset(
    words_of(
        "thing stuff bit part story lot everything fav fave favourite coisa negocio lance historia parada tudo "
        "favorito favorita preferido preferida cosa tema rollo todo truc histoire affaire tout favori prefere preferee"
    )
)

_SORTS: dict[Kind, frozenset[str]] = {
    "plan": frozenset(words_of("plan plano plan projet")),
    "does": frozenset(words_of("hobby hobbies hobbie passatempo aficion pasatiempo loisir passion")),
    "pet": frozenset(words_of("pet animal animaux animai bicho mascota")),
    "feeling": frozenset(words_of("feeling mood sentimento sentimiento sentiment humor humeur")),
}


def relation(fact: Fact, known: Fact, language: Language, said: date | None = None) -> Relation | None:
    """What the new fact is to the known one. `said`: the day of the new one; a plan from before it is over."""
    if {fact.kind, known.kind} == {"like", "dislike"}:
        return "changes" if words_of(fact.value) == words_of(known.value) else None
    if fact.kind != known.kind:
        return None
    if fact.kind in ("pet", "person", "favourite"):
        return _by_who(fact, known, language) if sort_of(fact) == sort_of(known) else None
    return _plan(fact, known, said) if fact.kind == "plan" else _by_words(fact, known)


def sort_of(fact: Fact) -> tuple[str, ...]:
    """Of whom or what it is one: "subject these days" is a subject."""
    return words_of(_NOWADAYS.sub(" ", fold(fact.who)) if fact.kind == "favourite" else fact.who)


def counts(fact: Fact, known: Sequence[Fact], words: frozenset[str], language: Language, today: date) -> bool:
    """Whether what is half sure counts: it puts another day to a known plan, or something else in the place of what the
    message names too. words: of the message."""
    if is_others(fact, known):
        return False
    olds = (old for old in known if relation(fact, old, language, today) == "changes")
    # "gabi's exam is on monday" is not the known exam
    return any(
        set(words_of(fact.value)) <= set(words_of(old.value))
        if old.kind == "plan"
        else not words.isdisjoint(words_of(old.value))
        for old in olds
    )


def known_plan(fact: Fact, known: Sequence[Fact], language: Language, today: date) -> Fact:
    """A plan that is half sure, in the words in which it is known; anything else as it is."""
    moved = [
        old for old in known if old.kind == fact.kind == "plan" and relation(fact, old, language, today) == "changes"
    ]
    plan = nearest(fact, moved)
    return fact if plan is None else replace(plan, day=fact.day)


def is_others(fact: Fact, known: Sequence[Fact]) -> bool:
    """Whether a name that was taken for the person's own, or for something liked, is somebody's whom they told of."""
    bearers = {fold(old.value) for old in known if old.kind in ("person", "pet") and old.value}
    return fact.kind in ("name", "like") and fold(fact.value) in bearers


def _by_words(fact: Fact, known: Fact) -> Relation | None:
    new, old = words_of(fact.value), words_of(known.value)
    if new == old:
        return "same"
    more, less, other = False, False, fact.kind in ONE_ONLY
    if fact.kind in ("like", "dislike"):  # "drawing", then "drawing dragons"; "dogs" is not "hot dogs"
        more, less = new[: len(old)] == old, old[: len(new)] == new
    elif fact.kind == "does":
        more, less = set(old) < set(new), set(new) < set(old)
    elif fact.kind == "feeling":  # another feeling about the same thing
        other = len(new) > 1 and new[1:] == old[1:]
    elif fact.kind == "joke":  # another name for the same thing
        other = len(new) > 2 and new[:-1] == old[:-1]
    return "refines" if more else "same" if less else "changes" if other else None


def _by_who(fact: Fact, known: Fact, language: Language) -> Relation | None:
    if fold(fact.value) == fold(known.value) or not fact.value:
        return "same"
    if not known.value:
        return "refines"
    several = fact.kind != "favourite" and lexicon(language).many.search(flat(fact.who)) is not None
    return None if several else "changes"


def _plan(fact: Fact, known: Fact, said: date | None) -> Relation | None:
    new, old = set(words_of(fact.value)), set(words_of(known.value))
    if not (new <= old or old <= new):
        return None
    if known.day is not None and said is not None and known.day < said:
        return None  # that one is over
    if fact.day == known.day or fact.day is None:
        return "refines" if old < new else "same"
    return "refines" if known.day is None else "changes"


def nearest(fact: Fact, plans: Sequence[Fact]) -> Fact | None:
    """Which of these the plan means by its words: the one that says least beside them, the newest of those."""
    words = set(words_of(fact.value))
    return min(reversed(plans), key=lambda plan: len(set(words_of(plan.value)) ^ words), default=None)


def merged(fact: Fact, known: Fact) -> Fact:
    """The new fact with what the known one says better: "my recital moved to saturday" is the piano recital."""
    if fact.kind != "plan":
        return fact
    value = known.value if set(words_of(fact.value)) < set(words_of(known.value)) else fact.value
    return replace(fact, value=value, day=fact.day or known.day)


def ended(over: Sequence[str], known: Fact) -> bool:
    """Whether what was said to be over ("i quit judo") is this."""
    words = set(words_of(known.value))
    if known.kind == "pet":  # "the hamster died": whatever its name
        words = words or set(words_of(known.who))
        return any(set(words_of(one)) in (words, set(words_of(known.who))) for one in over)
    said = known.kind in ENDS or known.kind == "person"
    return said and any(set(words_of(one)) <= words or words <= set(words_of(one)) for one in over)


def fell(over: Sequence[Over], known: Fact) -> bool:
    """Whether what patterns say to be over, of those kinds, is this: "pip died", "the match is off"."""
    value = words_of(known.value)
    return any(
        known.kind in one.kinds and (value[0] in words_of(one.value) if one.all else named(one.value, known))
        for one in over
    )


def named(said: str, known: Fact) -> bool:
    """Whether words of a message mean this: its name or who bears it, or what it is about with its first word."""
    words, value = words_of(said), words_of(known.value)
    if known.kind in ("name", "pet", "person"):
        return set(words) == set(value) or (known.kind == "pet" and set(words) == set(words_of(known.who)))
    shared = set(words) & set(value)
    return set(value) <= set(words) or (words[0] in shared and 2 * len(shared) >= len(set(words)))


def is_again(fact: Fact, other: Fact) -> bool:
    """Whether two things that one message tells are the same in other words: "polo" and "play polo"."""
    return fact.kind == other.kind and (named(fact.value, other) or named(other.value, fact))


def replaced(instead: Instead, known: Sequence[Fact], language: Language) -> tuple[Fact, Fact] | None:
    """What gave way to something else, and what is in its place, of the same kind."""
    old = next((fact for kind in GIVES_WAY for fact in known if fact.kind == kind and named(instead.old, fact)), None)
    if old is None:
        return None
    new = replace(old, value=capital(instead.value) if old.kind in NAMES else instead.value)
    return (old, new) if not named(new.value, old) and is_keepable(new, new.value, language) else None


def topic_words(topic: str) -> frozenset[str]:
    """What a topic is known by: of "the musical thing" the musical."""
    words = frozenset(words_of(topic))
    return words - _AROUND or words


def meant(topic: str, fact: Fact) -> bool:
    """Whether the fact is about that person or thing."""
    wanted = topic_words(topic)
    if wanted <= _NAMES:
        return fact.kind == "name"
    if any(wanted <= words for kind, words in _SORTS.items() if fact.kind == kind):
        return True
    wanted = wanted - _NAMES  # "my cat's name"
    value = set(words_of(fact.value))
    return wanted <= value | set(words_of(fact.who)) or (bool(fact.value) and value <= wanted)


def about(topic: str, facts: Sequence[Fact]) -> list[Fact]:
    """Those that a topic means, or where it means none exactly ("that running gag about the fridge"), those of whose
    own words it has the most, if they are half of it."""
    exactly = [fact for fact in facts if meant(topic, fact)]
    if exactly:
        return exactly
    wanted = topic_words(topic) - _NAMES
    shared = [(len(wanted & set(words_of(fact.value))), fact) for fact in facts]
    most = max((count for count, _ in shared), default=0)
    return [fact for count, fact in shared if count == most and most and 2 * most >= len(wanted)]


def bounded(fact: Fact, boundaries: Sequence[Fact]) -> bool:
    """Whether the person asked to leave alone what this is about."""
    words = set(words_of(f"{fact.value} {fact.who}"))
    return fact.kind != "boundary" and any(set(words_of(one.value)) & words for one in boundaries)


def ends_on(fact: Fact, said: date) -> date | None:
    """The last day on which it holds: from the next one on it is shown as past, though a plan may still be asked about
    for a while."""
    return fact.day if fact.kind == "plan" else fades(fact, said)


def fades(fact: Fact, said: date) -> date | None:
    """The last day on which it still counts: feelings fade, plans are over one day, names stay."""
    if fact.kind == "feeling":
        return said + timedelta(days=FEELING_DAYS)
    if fact.kind == "plan" and fact.day is not None:
        return fact.day + timedelta(days=PLAN_DAYS)
    return None
