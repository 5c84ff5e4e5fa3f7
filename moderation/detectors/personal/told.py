"""What somebody tells of where and who they are: full name, school, street address, handle, password, a place near
home. The patterns are told.yaml's, written for how teenagers type: capitals help, the words that lead to it decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, cast

import re2
import yaml

from moderation.types import Span

FILE: Final = Path(__file__).with_name("told.yaml")
_SMALL: Final = frozenset("de da do dos das del la las los les van von der bin al du le des d' l' e y ní mac".split())
_EDGE: Final = r"(?:^|[^\p{L}\p{M}\p{N}_])"
_OF_SCHOOLS: Final = frozenset("of the and for".split())
_SCHOOLS: Final = frozenset("school college academy university".split())
_KINDS_OF_SCHOOL: Final = frozenset("high middle primary secondary elementary".split())
_STOPS: Final = '.,!?;:"”»'

_NO_PASSWORD: Final = re.compile(r"^.{0,3}$|^\d{1,2}[h:]\d{2}|year-?old")  # times, ages
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_ODD: Final = re.compile(r"[\d_.@#]|[a-z][A-Z]")  # no word of everyday has these
_COUNTED: Final = re.compile(r"\d{1,3}[^\W\d_]{0,4}")  # 16, 3pm, 10k, 1st
_ADJECTIVE: Final = re.compile(
    r"(?:ad[oa]|id[oa]|ed|ing|[eé]e?|ant|ent|[aií]ble|[aá]vel|os[oa]|eux|euse|[aá]tico|mente)$"
)
_NO_LAST_NAME: Final = ("ed", "ing", "ly", "'s", "’s")
_BETWEEN: Final = ("entre ", "between ", "the between ")
_FURTHER: Final = (
    r"""^(?:\s*,\s*(?:and\s+)?|\s*(?:,\s*)?(?:and|&|e|y|et)\s+)(?i:(?:my\s+)?<role>s?<is>?\s+)?(<proper>)"""
)
_LIST: Final = 120  # characters in which the next name of a list stands
_BEFORE: Final = r"(?:^|[^\p{L}\p{M}'’\-])(<proper>)\s*(?:,|(?:,\s*)?(?:and|&|e|y|et))\s+$"
_LEAST_HANDLE: Final = 7  # letters of a handle that has nothing but letters


@dataclass(frozen=True)
class _Row:
    kind: str
    case: bool
    patterns: tuple[Later, ...]
    needs: Later | None  # what must be in the text too
    marks: int  # what a place must have: of landmarks, names and "next to" this many


@dataclass(frozen=True)
class _Told:
    rows: tuple[_Row, ...]
    looks: Any  # all patterns of the rows at once: which of them are in a text
    landmark: re.Pattern[str]
    ends: dict[str, frozenset[str]]  # by kind
    never: frozenset[str]
    known: frozenset[str]
    streets: tuple[str, ...]
    joins: frozenset[str]
    counted: frozenset[str]
    whose: frozenset[str]
    elsewhere: frozenset[str]
    titles: frozenset[str]
    verbs: frozenset[str]
    things: frozenset[str]
    further: Any  # one more name of a list
    before: Any


@cache
def _told() -> _Told:
    given = yaml.load(FILE.read_bytes(), Loader=yaml.CSafeLoader)
    parts: dict[str, str] = {}
    for name, part in given["parts"].items():
        parts[name] = _filled(_either(part), parts)
    words = {name: frozenset(text.split()) for name, text in given["words"].items()}
    known = frozenset(name.strip() for name in given["known"].split(","))
    ends = {"place": words["place_ends"], "address": words["ends"] | words["street_ends"]}
    rows = tuple(_row(row, parts) for row in given["kinds"])
    looks = re2.Filter()
    for pattern in (pattern for row in rows for pattern in row.patterns):
        looks.Add(pattern.pattern, _options(pattern.capitals_matter))
    looks.Compile()
    landmark = re.compile(rf"(?<!\w){parts['landmark']}(?!\w)", re.IGNORECASE)  # over at most 100 characters
    return _Told(
        rows=rows,
        looks=looks,
        landmark=landmark,
        ends={"": words["ends"]} | ends,
        known=known,
        streets=tuple(given["known_streets"].split(", ")),
        further=compiled(_filled(_FURTHER, parts), capitals_matter=True),
        before=compiled(_filled(_BEFORE, parts), capitals_matter=True),
        **{
            name: words[name]
            for name in ("never", "joins", "counted", "whose", "elsewhere", "titles", "verbs", "things")
        },
    )


def _row(row: dict[str, Any], parts: dict[str, str]) -> _Row:
    """One row of told.yaml: `after`, `find`, `then` in this order, each one of a list."""
    gap = row.get("gap", r"\s+")
    after = f"{_EDGE}(?i:{_either(row['after'])}){gap}" if "after" in row else _EDGE
    then = f"(?i:{_either(row['then'])})" if "then" in row else ""
    finds = row["find"] if isinstance(row["find"], list) else [row["find"]]
    patterns = tuple(
        Later(_filled(f"{row.get('start', '')}{after}({find}){then}", parts), capitals_matter=row.get("case", False))
        for find in finds
    )
    needs = Later(_filled(_EDGE + _either(row["needs"]), parts)) if "needs" in row else None
    return _Row(row["kind"], row.get("case", False), patterns, needs, row.get("marks", 1))


def _either(part: str | list[str]) -> str:
    return part if isinstance(part, str) else f"(?:{'|'.join(part)})"


def _filled(pattern: str, parts: dict[str, str]) -> str:
    for name, part in reversed(parts.items()):
        pattern = pattern.replace(f"<{name}>", part)
    return pattern


def _options(capitals_matter: bool) -> Any:
    options = re2.Options()
    options.case_sensitive = capitals_matter
    options.log_errors = False
    options.max_mem = 1 << 26
    return options


def compiled(pattern: str, *, capitals_matter: bool = False) -> Any:
    """RE2 reads in time linear in the text. Raises re2.error."""
    return re2.compile(pattern, _options(capitals_matter))


class Later:
    """A pattern that is compiled when it is first asked: all of them take half a second, and most processes never read
    a message."""

    def __init__(self, pattern: str, *, capitals_matter: bool = False) -> None:
        self.pattern, self.capitals_matter = pattern, capitals_matter

    @cached_property
    def _compiled(self) -> Any:
        return compiled(self.pattern, capitals_matter=self.capitals_matter)

    def search(self, text: str) -> Any:
        return self._compiled.search(text)

    def fullmatch(self, text: str) -> Any:
        return self._compiled.fullmatch(text)

    def finditer(self, text: str) -> Iterator[Any]:
        return cast("Iterator[Any]", self._compiled.finditer(text))


def told_spans(text: str) -> Iterator[Span]:
    """The same place is told of once: the first row that finds it says what it is."""
    told = _told()
    taken: set[tuple[int, int]] = set()
    exact: list[tuple[int, int]] = []
    there = set(told.looks.Match(text) or ())
    number = 0
    for row in told.rows:
        found = [pattern for at, pattern in enumerate(row.patterns, number) if at in there]
        number += len(row.patterns)
        if not found or (row.needs is not None and row.needs.search(text) is None):
            continue
        for pattern in found:
            for match in pattern.finditer(text):
                start = match.start(1)
                end = start + _length(row, match, told)
                if end <= start or (start, end) in taken:
                    continue
                if row.kind == "place" and any(start < other[1] and other[0] < end for other in exact):
                    continue
                taken.add((start, end))
                if row.kind in {"address", "school"}:
                    exact.append((start, end))
                yield Span(start, end, row.kind)
                if row.kind == "name":
                    yield from _further(text, start, end, told)


def _further(text: str, start: int, end: int, told: _Told) -> Iterator[Span]:
    """The names that stand before and after in a list: "my friends are X Y, X Y and X Y"."""
    while (match := told.further.search(text[end : end + _LIST])) is not None:
        if not (length := _listed(match.group(1), told)):
            break
        first = end + match.start(1)
        end = first + length
        yield Span(first, end, "name")
    while (match := told.before.search(text[max(0, start - _LIST) : start])) is not None:
        if _listed(match.group(1), told) < len(match.group(1)):
            break
        start = max(0, start - _LIST) + match.start(1)
        yield Span(start, start + len(match.group(1)), "name")


def _listed(found: str, told: _Told) -> int:
    if _is_common("name", found, told) or any(word.lower().strip(_STOPS) in told.things for word in found.split()):
        return 0
    end = _cut("name", found, told.ends[""])
    return 0 if found.isupper() or _is_known("name", found[:end], told.known) else end


def _length(row: _Row, match: Any, told: _Told) -> int:
    """How much of a find is it. 0 where it is none."""
    found: str = match.group(1)
    rest = match.string[match.end(1) :]
    if not found.strip() or _is_common(row.kind, found, told):
        return 0
    if row.kind == "place":
        return _place(found, row.marks, told)
    if row.kind == "address":
        return _address(match, rest, told)
    if row.kind in {"password", "handle"}:
        year = row.needs is not None and _YEAR.fullmatch(found) is not None
        return len(found) if not year and _is_chosen(row.kind, found, rest) else 0
    end = _cut(row.kind, found, told.ends[""])
    loud = row.kind == "name" and row.case and found[:end].isupper() and ":" not in match.group()
    return 0 if loud or _is_known(row.kind, found[:end], told.known) else end


def _is_common(kind: str, found: str, told: _Told) -> bool:
    """Words of everyday that stand where a name could: "a escola toda", "High School Musical", "World's Best Dad"."""
    words = found.split()
    first = words[0].lower().strip(_STOPS)
    if kind in {"place", "address"}:
        return False
    if kind == "school":
        loud = found.isupper() and not any(char.isdigit() for char in found)
        second = len(words) > 1 and words[1] in told.never - _SMALL
        return loud or second or first in _KINDS_OF_SCHOOL or (words[0].islower() and first in told.never)
    if kind == "name" and found.islower() and len(words) > 1:
        last = words[1].strip(_STOPS)
        if last in told.verbs or last.endswith(_NO_LAST_NAME):
            return True
    if kind == "name":
        plain = [word.lower().strip(_STOPS) for word in words]
        if not told.things.isdisjoint(plain[:2]) or not _SCHOOLS.isdisjoint(plain):
            return True
    return first in told.never or (kind == "name" and (first in told.titles or first.endswith(("'s", "’s"))))


def _is_known(kind: str, found: str, known: frozenset[str]) -> bool:
    """Somebody or something that everybody knows, and so nobody's data. A real school may be called after somebody."""
    words = [word.strip(_STOPS) for word in found.lower().split()]
    if kind == "school":
        return " ".join(words) in known
    return any(" ".join(words[at : at + n]) in known for n in (1, 2, 3) for at in range(len(words) - n + 1))


def _is_chosen(kind: str, found: str, rest: str) -> bool:
    """A word that somebody made up, not one of everyday: "my insta is boring", "my password is too short"."""
    plain = found.strip(_STOPS)
    if kind == "password" and _NO_PASSWORD.search(found.lower()) is not None:
        return False
    if not plain.isdigit() and _COUNTED.fullmatch(plain.lower()) is not None:
        return False
    if kind == "handle" and not re.search(r"[^\W\d_]", plain):
        return False
    if _ODD.search(plain) is not None:
        return True
    if kind == "handle" and (len(plain) < _LEAST_HANDLE or _ADJECTIVE.search(plain.lower()) is not None):
        return False
    return kind == "handle" or re.match(r"\s+(?!and\b|but\b|lol\b|e\b|y\b|et\b|mas\b|pero\b|mais\b)\w", rest) is None


def _cut(kind: str, found: str, ends: frozenset[str]) -> int:
    """Where it ends: before the first word that can't be one of it. 0 where too little is left: a first name alone is
    nobody's, and neither is a school that is only called school."""
    capitals = kind == "name" and found[:1].isupper()
    at = end = real = 0
    for number, word in enumerate(found.split()):
        plain = word.lower().strip(".,!?;:")
        small = plain in _SMALL or (kind == "school" and plain in _OF_SCHOOLS)
        stops = plain in ends or (capitals and not word[:1].isupper())
        if (number or kind == "name") and not small and stops and not (capitals and len(plain) == 1):
            break
        at = found.index(word, at) + len(word)
        if not small or number == 0:
            real, end = real + 1, at
        if word[-1] in "!?;:" or (word[-1] == "." and len(word) > 5 and "." not in word[:-1]):
            break
    return end if real >= 2 else 0


def _address(match: Any, rest: str, told: _Told) -> int:
    """A street has a name (the second group, where there is one) of no words that tell something, and a number."""
    found: str = match.group(1)
    name = match.group(2) if match.re.groups > 1 else None
    if name is not None:
        words = [word.strip(_STOPS) for word in re.split(r"[\s\-]+", name) if word and word.lower() not in _SMALL]
        if not words or any(word in told.ends["address"] for word in words):
            return 0
    if any(street in found.lower() for street in told.streets):
        return 0
    after = re.match(r"\s*([^\W\d_]+)", rest)
    if after is not None and after.group(1).lower() in told.counted and found[-1:].isdigit():
        return 0  # "rua da escola 5 minutos"
    return len(found) if any(char.isdigit() for char in found) else 0


def _place(found: str, marks: int, told: _Told) -> int:
    """Up to where something else is told, and only with as many marks of a place as asked for."""
    at = end = 0
    for number, word in enumerate(found.split()):
        plain = word.lower().strip(_STOPS).replace("’", "'")
        if (number < 5 and plain in told.whose) or (number < 4 and plain in told.elsewhere):
            return 0
        if number and plain in told.ends["place"] and not (plain in told.joins and found.startswith(_BETWEEN)):
            break
        at = found.index(word, at) + len(word)
        if plain not in told.joins:
            end = at
        if word[-1] in ",.!?;:":
            break
    kept = found[:end]
    if kept.isupper():
        return 0
    marked = len(told.landmark.findall(kept))
    named = sum(word.istitle() for word in kept.split()[1:])
    return end if marked + named >= marks and (marked or marks == 1) else 0
