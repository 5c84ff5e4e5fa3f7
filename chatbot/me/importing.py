"""A person's own copy, read back: only its memories, only into their own account, each looked at like a correction.

A file that is not whole, not theirs or not ours changes nothing. What it says of when and how often is believed; it is
about themself, and nothing newer gives way to it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.chat.material import language_of
from chatbot.core import clock, ratelimit
from chatbot.core.text import text_clean
from chatbot.me.keeping import NOT_KEPT, Looked, answered, looked_at, unchanged
from companion.memory.facts import Fact, Kind
from companion.memory.imports import MOST_CLOSED, Brought, known_already, memory_import
from companion.memory.kept import MOST
from companion.memory.lexicon import sentence
from companion.memory.services import LONGEST_CORRECTION
from moderation.crisis import CrisisAnswer
from moderation.incidents import services as incidents

FILE_BYTES = 2 * 1024 * 1024  # under FILE_UPLOAD_MAX_MEMORY_SIZE: nothing of it is ever written to a disk
BODY_BYTES = FILE_BYTES + 64 * 1024
MOST_ROWS = MOST + MOST_CLOSED
AT_ONCE = 300  # new things that one request looks at, some hundredths of a second each
FILES_AN_HOUR = 10
LONGEST_WHO = 40
_EARLIEST, _FURTHEST = date(2000, 1, 1), date(2100, 1, 1)
_CLOCKS_DIFFER = timedelta(days=1)
# Marks that turn the direction of what follows them: in a list of memories they could only mislead.
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class NotTaken(Exception):
    """Nothing was changed. The sentence says why."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.sentence = unchanged(sentence)
        self.status = status


def _words(value: object) -> object:
    if not isinstance(value, str):
        return value
    shown = (char for char in text_clean(value) if char not in _TURNS and unicodedata.category(char) != "Cc")
    return unicodedata.normalize("NFC", " ".join("".join(shown).split()))


class _Row(BaseModel):
    """One memory as our copies write it. What else stands in it (its sentence, where it was said) is not read."""

    model_config = ConfigDict(strict=True)
    kind: Kind
    value: Annotated[str, Field(max_length=LONGEST_CORRECTION), BeforeValidator(_words)]
    who: Annotated[str, Field(max_length=LONGEST_WHO), BeforeValidator(_words)] = ""
    day: date | None = None
    since: AwareDatetime
    last: AwareDatetime | None = None
    until: AwareDatetime | None = None
    state: Literal["current", "closed"]

    @model_validator(mode="after")
    def _could_be(self, info: ValidationInfo) -> Self:
        latest: datetime = (info.context or {})["now"] + _CLOCKS_DIFFER
        until = self.until if self.state == "closed" else self.since
        moments = (self.since, self.last or self.since, until)
        if not all(one is not None and _EARLIEST <= one.date() and one <= latest for one in moments):
            raise ValueError("times that can't be")
        if self.day is not None and (self.kind != "plan" or not _EARLIEST <= self.day < _FURTHEST):
            raise ValueError("a day that can't be")
        has_who = self.kind in ("pet", "person", "favourite")
        if (self.who and not has_who) or not (self.value or (self.kind == "pet" and self.who)):
            raise ValueError("words that can't be")
        return self

    def brought(self) -> Brought:
        fact = Fact(self.kind, self.value, self.who, self.day)
        since, last = self.since, max(self.since, self.last or self.since)
        until = max(last, self.until).astimezone(UTC) if self.until is not None and self.state == "closed" else None
        return Brought(fact, since.astimezone(UTC), last.astimezone(UTC), until)


class _Account(BaseModel):
    user_name: str


class _Copy(BaseModel):
    """Both files: "Save as a file" of the memory page, and the copy of everything, of which only this much is read."""

    exported_at: str
    account: _Account
    memory: Annotated[list[_Row], Field(max_length=MOST_ROWS)]


@dataclass(frozen=True)
class Left:
    """One thing that was left out, and why. `text` is empty where it had better not be shown again."""

    text: str
    why: str


@dataclass(frozen=True)
class Report:
    """What came of it. `known`: how many were here already. `answer`: the written words, where one speaks of danger."""

    came: tuple[str, ...] = ()
    known: int = 0
    left: tuple[Left, ...] = ()
    answer: CrisisAnswer | None = None


def import_read(data: bytes, person: User, *, now: datetime) -> list[Brought]:
    """The memories of a copy that is this person's. Raises NotTaken."""
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        raise NotTaken(_("That file can't be read: it's broken, cut off, or no text.")) from None
    try:
        copy = _Copy.model_validate_json(text, context={"now": now})
    except ValidationError as error:
        raise _refused(error) from None
    if copy.account.user_name.casefold() != person.username.casefold():
        raise NotTaken(_("That's the copy of another account. Memories only go back to whoever told them."))
    return [row.brought() for row in copy.memory]


def _refused(error: ValidationError) -> NotTaken:
    # DANGER: `input` and `ctx` of pydantic's errors hold what stands in the file; only place and kind leave here.
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return NotTaken(_("That file can't be read: it's broken, cut off, or no text."))
    place = first["loc"]
    if place[:1] != ("memory",):
        return NotTaken(_("That isn't a copy that Abraço made."))
    if len(place) == 1:
        if first["type"] == "too_long":
            said = _("There's more in that file than a memory holds: at most %(most)d things.")
            return NotTaken(said % {"most": MOST_ROWS})
        return NotTaken(_("That isn't a copy that Abraço made, or it's one without memories."))
    number = int(place[1]) + 1
    return NotTaken(_("Thing number %(number)d in that file isn't as Abraço writes it.") % {"number": number})


def import_take(person: User, brought: Sequence[Brought], *, now: datetime) -> Report:
    """Look at each, keep what may be kept, and say what became of all of it. Raises gate.Refused: memory is off."""
    gate.may_keep(person, now=now)
    language = language_of(person)
    today = now.astimezone(gate.zone_of(person)).date()
    texts = [sentence(one.fact, language, today) for one in brought]
    known = known_already(owner_id=person.id, brought=brought)
    unknown = [place for place, is_known in enumerate(known) if not is_known]
    left: dict[int, Left] = {place: Left(texts[place], _once_more()) for place in unknown[AT_ONCE:]}
    looks = {place: looked_at(person, _said(brought[place].fact), now=now) for place in unknown[:AT_ONCE]}
    for place, look in looks.items():
        if look.refused:
            left[place] = Left("" if look.danger else texts[place], NOT_KEPT[look.refused]())
    taken = [place for place in range(len(brought)) if place not in left]
    outcomes = memory_import(owner_id=person.id, brought=[brought[place] for place in taken], language=language)
    came: list[str] = []
    here = 0
    for place, outcome in zip(taken, outcomes, strict=True):
        if outcome == "new":
            came.append(texts[place])
        elif outcome == "known":
            here += 1
        else:
            left[place] = Left(texts[place], NOT_KEPT[outcome]())
    return Report(tuple(came), here, tuple(left[place] for place in sorted(left)), _answer(person, looks, brought))


def _said(fact: Fact) -> str:
    return f"{fact.who} {fact.value}".strip()


def _once_more() -> str:
    return ngettext(
        "more than %(most)d new thing at once: read the file once more for the rest",
        "more than %(most)d new things at once: read the file once more for the rest",
        AT_ONCE,
    ) % {"most": AT_ONCE}


def _answer(person: User, looks: dict[int, Looked], brought: Sequence[Brought]) -> CrisisAnswer | None:
    """The written words for the gravest of what speaks of danger: one answer, whatever stands in a file."""
    grave = [place for place, look in looks.items() if look.danger]
    if not grave:
        return None
    worst = max(grave, key=lambda place: looks[place].screening.decision.severity)
    watch = incidents.watch_load(person.id)
    beside = looked_at(person, _said(brought[worst].fact), now=clock.now(), watch=watch)
    look = beside if beside.danger else looks[worst]
    return answered(person, look.screening, watch)


def files_wait(person: User) -> int:
    """0 when this person may have a file read now (it is counted then), else the minutes until the next one."""
    wait = ratelimit.allowed(f"memory_import:{person.id}", most=FILES_AN_HOUR, per_s=3600)
    return -(-wait // 60)
