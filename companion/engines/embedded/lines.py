"""Which of an exchange's lines may be said now, and which one is."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import re2
import yaml

from companion.bank import BankLine, Exchange, opening
from companion.bank.slots import filled
from companion.engines.embedded.state import Talk
from companion.folding import plain
from companion.types import Language, Prompt, Recalled, Sliders
from companion.words import lexicon, spoken, times_in, words_of

GENTLE_TONES = frozenset(("plain", "warm"))
FAR_TIMES = frozenset(("tomorrow", "yesterday"))
MOST_ASKED = 2  # turns in a row that may ask
SLOT_LETTERS = 30
FIT = 1.0  # e times likelier to be drawn for each standard deviation that a line fits better
OWN_VOICE = 3.0  # how much likelier a line of one's own persona is drawn than one of everybody's
SHORTEST_REST = 24  # letters that must be left of a line without its question: "Uh-oh." alone says nothing


@dataclass(frozen=True)
class Chosen:
    """A line in the words that will be said."""

    line: BankLine
    text: str


@dataclass(frozen=True)
class Pick:
    chosen: Chosen
    exchange: Exchange


@functools.cache
def _plain_rules(language: Language) -> tuple[Any, Any]:
    given = yaml.safe_load((Path(__file__).parent / "plain.yaml").read_bytes())[language]
    return re2.compile("|".join(f"(?:{rule})" for rule in given["leave_out"])), re2.compile(given["prompted"])


@functools.lru_cache(maxsize=1 << 15)
def _times_of(line: str, language: Language) -> frozenset[str]:
    """The times that a line of the bank names."""
    return times_in(words_of(line, language), language)


def slot_values(prompt: Prompt) -> dict[str, str]:
    """What slots can be filled with, from the person, the persona and the memories (best score first)."""
    values = {"companion": prompt.persona.name}
    if prompt.person:
        values["name"] = prompt.person
    for told in prompt.told:
        values[told.kind] = told.value
    for memory in sorted(prompt.memories, key=lambda memory: -memory.score):
        for slot, value in _memory_slots(memory).items():
            values.setdefault(slot, value)
    return {slot: value for slot, value in values.items() if value and len(value) <= SLOT_LETTERS}


def _memory_slots(memory: Recalled) -> Mapping[str, str]:
    given = {slot: memory.slots[slot] for slot in ("like", "pet") if slot in memory.slots}
    if memory.kind == "name" and "name" in memory.slots:
        given["name"] = memory.slots["name"]
    if memory.kind == "pet" and "name" in memory.slots:
        given["pet"] = memory.slots["name"]  # a pet's own name, not its kind
    return given


class Chooser:
    """For one turn: knows the prompt and the talk so far, and keeps their rules whatever the exchange."""

    def __init__(
        self,
        prompt: Prompt,
        talk: Talk,
        values: Mapping[str, str],
        *,
        heavy: bool = False,
        fit: Callable[[str], float] = lambda line_id: 0.0,
    ) -> None:
        """heavy: what was just talked about weighs, even if this message doesn't. fit: how well a line may follow, in
        standard deviations."""
        self.prompt = prompt
        self.talk = talk
        self.heavy = heavy
        self._fit = fit
        self.values = dict(values)
        self._said = plain(prompt.text)
        leave_out, prompted = _plain_rules(prompt.language)
        times = [times_in(words_of(text, prompt.language), prompt.language) for text in (prompt.text, *talk.user_texts)]
        self._times, self._times_open = times[0], any(times)
        self._leave_out = leave_out if prompt.plain and not prompted.search(plain(prompt.text)) else None

    def choose(self, lines: Iterable[BankLine]) -> Chosen | None:
        """One of the lines that fit, weighed by the persona; None if none fits. The same seed chooses the same."""
        fitting = [chosen for line in lines if (chosen := self.fitting(line)) is not None]
        fresh = [chosen for chosen in fitting if opening(chosen.text) not in self.talk.openings]
        return max(fresh, key=self._draw, default=None)

    def least_bad(self, lines: Sequence[BankLine]) -> Chosen | None:
        """When everything fitting was said: what was not said lately counts for more than how it begins, and the
        guards of tone, band and slots hold as ever."""
        allowed = [line for line in lines if self._allowed(line)]
        fresh = [line for line in allowed if not self.talk.said_before(line.id, line.text)]
        made = [Chosen(line, self._words(line)) for line in fresh or allowed]
        return max(made, key=self._draw, default=None)

    def fitting(self, line: BankLine) -> Chosen | None:
        """The line in its words, if it may be said now."""
        if not self._allowed(line) or line.id in self.talk.used_ids:
            return None
        if any(value.casefold() in said for value in self._own(line) for said in self.talk.recent):
            return None
        text = self._words(line)
        if self.talk.said_before(line.id, text) or (self.talk.asked >= MOST_ASKED and "?" in text):
            return None
        return Chosen(line, text)

    def _allowed(self, line: BankLine) -> bool:
        if (self.prompt.low or self.heavy) and line.tone not in GENTLE_TONES:
            return False
        if self._asks_what_was_told(line) or self._at_another_time(line):
            return False
        if not self._for_them(line):
            return False
        if self._leave_out is not None and self._leave_out.search(plain(line.text)):
            return False
        if not all(slot in self.values for slot in line.slots):
            return False
        return self.prompt.recalls or all(plain(value) in self._said for value in self._own(line))

    def _for_them(self, line: BankLine) -> bool:
        """For this age, in this mood, in this persona's voice."""
        ages, moods, voices = line.bands, line.moods, (None, self.prompt.persona.id)
        return (
            (not ages or self.prompt.band in ages)
            and (not moods or self.prompt.mood in moods)
            and line.persona in voices
        )

    def _asks_what_was_told(self, line: BankLine) -> bool:
        known = bool(self.prompt.told) or "pet" in self.values
        return known and line.asks and bool(lexicon(self.prompt.language).asks_name.search(plain(line.text)))

    def _at_another_time(self, line: BankLine) -> bool:
        """ "Tomorrow throws its shadow" is nothing to say about Friday's test, nor where nobody named a day."""
        named = _times_of(line.text, self.prompt.language)
        if not named or not self._times:
            return bool(named & FAR_TIMES) and not self._times_open
        return named.isdisjoint(self._times)

    def _words(self, line: BankLine) -> str:
        text = filled(line.text, self.values)
        return without_question(text) if self.talk.asked >= MOST_ASKED else text

    def _draw(self, chosen: Chosen) -> tuple[float, str]:
        """Weighted draw without a generator: u ** (1 / weight), the highest wins."""
        digest = hashlib.blake2b(f"{self.prompt.seed}:{chosen.line.id}".encode(), digest_size=8).digest()
        uniform = (int.from_bytes(digest) + 1) / 2**64
        return uniform ** (1 / self._weight(chosen)), chosen.line.id

    def _weight(self, chosen: Chosen) -> float:
        return math.exp(FIT * max(-2.0, min(3.0, self._fit(chosen.line.id)))) * self.leaning(chosen)

    def leaning(self, chosen: Chosen) -> float:
        """How much likelier than others the persona says this, over 0."""
        line, sliders = chosen.line, self.prompt.persona.sliders
        weight = tone_weight(line.tone, sliders) * (0.6 + 0.8 * sliders.curious if "?" in chosen.text else 1.0)
        if "?" in chosen.text and self.talk.asked:
            weight *= 0.4
        if self._own(line):
            weight *= 1.3
        if line.persona is not None:
            weight *= OWN_VOICE
        return weight * (1.4 if line.moods else 1.0)

    def _own(self, line: BankLine) -> list[str]:
        return [self.values[slot] for slot in line.slots - {"quote", "companion"}]


def tone_weight(tone: str, sliders: Sliders) -> float:
    """1.0 for what the sliders leave in the middle, 0.2 to 1.8 at their ends."""
    level = {
        "joke": sliders.playful,
        "tease": sliders.playful * (1.2 - 0.4 * sliders.gentle),
        "dare": (sliders.playful + sliders.curious) / 2,
        "cheer": (sliders.playful + sliders.gentle) / 2,
        "warm": sliders.gentle,
    }.get(tone, 0.5)
    return 0.2 + 1.6 * level


def without_question(text: str) -> str:
    """The sentences before the first question, if they say something; else the text as it is."""
    kept = []
    for sentence in spoken(text):
        if "?" in sentence:
            break
        kept.append(sentence)
    rest = "".join(kept).strip()
    return rest if len(rest) >= SHORTEST_REST else text
