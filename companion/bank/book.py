"""The bank in memory: plain frozen values with an id for each line that stays the same between runs.

Ids: `<situation>/<exchange>/<n>` for the replies of an exchange, `<situation>/<exchange>/then0/1` for the second reply
of its first follow-up, `.../otherwise/0` for what fits any other answer. Histories keep them, so an id must not change
its meaning: new replies are added at the end of their list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from companion.types import About, Band, Does, Language, Mood, PersonaId, Tone


class BankError(Exception):
    """The bank of a language can't be read: which file, and why."""


@dataclass(frozen=True, slots=True)
class BankLine:
    """One reply. `bands` and `moods` empty mean: all. `slots` are the names that must be filled to say it. `persona`:
    whose voice it is in; None: everybody's. chips: what can be tapped in answer to this very line."""

    id: str
    text: str
    tone: Tone = "plain"
    moods: frozenset[Mood] = frozenset()
    bands: frozenset[Band] = frozenset()
    slots: frozenset[str] = frozenset()
    persona: PersonaId | None = None
    chips: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        return "?" in self.text


Cell = tuple[About, Does]  # what a message is about, and what it does


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a teen may say (`said`) and the lines that answer it. A follow-up (`then`) is an exchange too. `hears`: it
    isn't for certain words but for whatever does this about that."""

    id: str
    situation: str
    said: tuple[str, ...]
    replies: tuple[BankLine, ...]
    then: tuple[Exchange, ...] = ()
    otherwise: tuple[BankLine, ...] = ()
    act: str | None = None
    persona: PersonaId | None = None
    about: About | None = None
    hears: Does | None = None

    def lines(self) -> Iterator[BankLine]:
        """Every line below this exchange, follow-ups included."""
        yield from self.replies
        yield from self.otherwise
        for follow in self.then:
            yield from follow.lines()


@dataclass(frozen=True, slots=True)
class Bank:
    """All exchanges of one language. `digest` changes with any byte of its files."""

    language: Language
    exchanges: tuple[Exchange, ...]
    digest: str
    lines: Mapping[str, BankLine] = field(repr=False)
    owners: Mapping[str, Exchange] = field(repr=False)  # line id -> the exchange or follow-up that it belongs to
    acts: Mapping[str, tuple[Exchange, ...]] = field(repr=False)
    heard: Mapping[Cell, Exchange] = field(repr=False, default_factory=dict)

    @property
    def situations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(exchange.situation for exchange in self.exchanges))


def bank_of(*, language: Language, exchanges: tuple[Exchange, ...], digest: str) -> Bank:
    """Builds the maps. Raises BankError if two exchanges of a situation share an id, or two hear the same."""
    lines: dict[str, BankLine] = {}
    owners: dict[str, Exchange] = {}
    acts: dict[str, list[Exchange]] = {}
    stack = list(reversed(exchanges))
    for exchange in exchanges:
        if exchange.act is not None:
            acts.setdefault(exchange.act, []).append(exchange)
    while stack:
        exchange = stack.pop()
        for line in (*exchange.replies, *exchange.otherwise):
            if line.id in lines:
                raise BankError(f"{language}: the id {line.id} stands twice in the bank")
            lines[line.id] = line
            owners[line.id] = exchange
        stack.extend(exchange.then)
    by_act = {act: tuple(found) for act, found in acts.items()}
    return Bank(language, exchanges, digest, lines, owners, by_act, _heard(exchanges, language=language))


def _heard(exchanges: tuple[Exchange, ...], *, language: Language) -> dict[Cell, Exchange]:
    found: dict[Cell, Exchange] = {}
    for exchange in exchanges:
        if exchange.about is None or exchange.hears is None:
            continue
        cell = (exchange.about, exchange.hears)
        if cell in found:
            raise BankError(f"{language}: {exchange.id} and {found[cell].id} both hear {' '.join(cell)}")
        found[cell] = exchange
    return found


def opening(text: str) -> str:
    """The first two words, as the ear compares them: two lines should not begin alike within ten turns."""
    words = "".join(letter if letter.isalnum() or letter in "'’" else " " for letter in text.casefold()).split()
    return " ".join(words[:2])
