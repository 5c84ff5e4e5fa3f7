"""What a text is indexed by: words that say something, brought to their stems; and what a question asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal

from companion.memory.facts import fold

Asks = Literal["when", "where", "who", "why", "count", "other"]
ASKS: Final[tuple[Asks, ...]] = ("when", "where", "who", "why", "count", "other")
BEGINNINGS: Final = (4, 5)  # words also count by how they begin: "pintei" finds "pintar", which no stemmer here knows

# One class, so linear; like the one in folding.py quicker than re2.
_WORD: Final = re.compile(r"[^\W_]+")
_DATE: Final = re.compile(r"[0-9]+")
# Words that say nothing about what a sentence is about, in the four languages, folded.
EMPTY: Final = frozenset(
    "a an the and or but of to in on at for with from by is are was were be been being am i you he she it we they "
    "me us him them my your his her its our their this that these those do does did doing done have has had having "
    "what when where who whom whose which how why will would can could should may might must shall not no so as if "
    "then than too very just about into over out up down there here also because while during after before any some "
    "all more most own same other such only both each few get got t s ll ve re m d l j n c qu im ive dont didnt "
    "doesnt isnt wasnt cant wont couldnt wouldnt havent hasnt arent o os um uma e ou mas de do da dos das em no na "
    "nos nas por para pra com que eu voce vc ele ela meu minha seu sua qual quando onde quem como foi sao esta el "
    "la los las un una y pero del al en con para yo tu mi es son fue cual donde quien cuando le les une des et mais "
    "du au aux dans sur pour avec je il elle on nous vous mon ma mes ton ta tes est sont qui quoi ou quand comment "
    "ai as".split()
)
_MONTHS: Final = (
    "january janeiro enero janvier", "february fevereiro febrero fevrier", "march marco marzo mars",
    "april abril avril", "may maio mayo mai", "june junho junio juin", "july julho julio juillet",
    "august agosto aout", "september setembro septiembre septembre", "october outubro octubre octobre",
    "november novembro noviembre novembre", "december dezembro diciembre decembre",
)  # fmt: skip
MONTHS: Final = {word: number for number, words in enumerate(_MONTHS, start=1) for word in words.split()}
_WEEK: Final = (
    "monday tuesday wednesday thursday friday saturday sunday segunda terca quarta quinta sexta sabado domingo lunes "
    "martes miercoles jueves viernes lundi mardi mercredi jeudi vendredi samedi dimanche"
)
TIMES: Final = (frozenset(MONTHS) - {"may", "march", "mai", "mars"}) | frozenset(
    f"{_WEEK} yesterday today tomorrow tonight ago last next week weeks month months year years day days weekend "
    "morning evening night summer winter spring fall autumn since recently soon birthday christmas halloween ontem "
    "hoje amanha semana semanas mes meses ano anos dia dias manha noite tarde verao inverno aniversario natal ayer "
    "hoy manana ano noche verano invierno cumpleanos navidad hace hier aujourd demain semaine semaines mois annee "
    "ans an jours jour soir matin ete hiver anniversaire noel depuis".split()
)
NUMBERS: Final = frozenset(
    "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand million "
    "once twice couple several dois duas tres quatro cinco seis sete oito nove dez vinte cem mil dos cuatro siete "
    "ocho nueve diez veinte cien deux trois quatre cinq sept huit neuf dix vingt cent mille".split()
)
REASONS: Final = frozenset("because since reason cause due porque pois porque parce car puisque".split())
# The first that fits decides; each is a set of ways, a way is words that all stand in the question in this order.
_ASKED: Final[tuple[tuple[Asks, tuple[str, ...]], ...]] = (
    ("count", ("how many", "how much", "how often", "how long", "how old", "quantos", "quantas", "quanto", "quanta",
               "cuantos", "cuantas", "cuanto", "cuanta", "combien", "que edad", "quel age")),
    ("when", ("when", "what day", "what date", "what month", "what year", "what time", "which day", "which month",
              "which year", "quando", "cuando", "quand", "que dia", "em que ano", "en que ano", "quelle annee")),
    ("where", ("where", "what city", "what country", "what state", "what place", "which city", "which country",
               "which state", "which place", "onde", "donde", "que cidade", "que ciudad", "quelle ville")),
    ("who", ("who", "whom", "whose", "quem", "quien", "quienes", "qui")),
    ("why", ("why", "por que", "pourquoi")),
)  # fmt: skip


def words_of(text: str) -> list[str]:
    """All words, folded; what an apostrophe cuts off stands alone ("l'armée"), the English genitive is left out."""
    bare = fold(text)
    if "'" in bare or "’" in bare:
        bare = bare.replace("’", "'").replace("'s ", " ").replace("n't", "nt").replace("'", " ")
    return _WORD.findall(bare)


def asked_of(words: Iterable[str]) -> Asks:
    """What a question asks for, by its words."""
    flat = f" {' '.join(words)} "
    return next((kind for kind, ways in _ASKED if any(f" {way} " in flat for way in ways)), "other")


def dates_of(words: Iterable[str]) -> tuple[frozenset[int], frozenset[int]]:
    """Months and years that are named."""
    named = list(words)
    years = frozenset(
        int(word) for word in named if len(word) == 4 and word[:2] in ("19", "20") and _DATE.fullmatch(word)
    )
    months = frozenset(MONTHS[word] for word in named if word in MONTHS)
    return months - ({3, 5} if not years else set()), years  # may and march are words as well


def beginnings(stem: str) -> list[str]:
    return [stem[:length] for length in BEGINNINGS if len(stem) >= length]


_ENDINGS: Final = (
    "fulness", "iveness", "ousness", "ational", "ization", "ation", "ment", "ness", "ful", "able", "ible", "ist", "ion",
    "ive", "ly", "er", "or",
)  # fmt: skip


@lru_cache(maxsize=1 << 15)
def stem_of(word: str) -> str:
    """A light English stemmer (plurals, -ing, -ed, the commonest endings). It leaves most words of the other three
    languages as they are but for their plurals; beginnings stand in for their inflections."""
    if len(word) <= 3:
        return word
    word = _singular(word)
    for ending in ("ing", "edly", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and not set(base).isdisjoint("aeiouy"):
            word = base[:-1] if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz" else base
            break
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word.removesuffix(ending)
            break
    if len(word) > 3 and word[-1] in "ey":
        word = word[:-1] if word[-1] == "e" else f"{word[:-1]}i"
    return word


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
