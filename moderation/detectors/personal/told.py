"""What somebody tells of where and who they are: full name, school, street address, handle, password, a place near
home. The patterns are told.yaml's, written for how teenagers type: capitals help, the words that lead to it decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import re2
import yaml

from moderation.types import Span

FILE: Final = Path(__file__).with_name("told.yaml")
_SMALL: Final = frozenset("de da do dos das del la las los les van von der bin al du le des d' l' e y ní mac".split())
_WHOLE: Final = frozenset({"password", "handle"})  # these are one word, whatever it is


_NO_PASSWORD: Final = re.compile(r"^.{0,3}$|^\d{1,2}[h:]\d{2}|year-?old|^(?:19|20)\d\d$")  # times, ages, years


@dataclass(frozen=True)
class _Told:
    patterns: tuple[tuple[str, Any, Any], ...]  # kind, pattern, and what must be in the text too
    ends: frozenset[str]
    never: frozenset[str]


@cache
def _told() -> _Told:
    given = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    parts: dict[str, str] = {}
    for name, part in given["parts"].items():
        parts[name] = _filled(part, parts)
    patterns = []
    for row in given["kinds"]:
        needs = compiled(_filled(row["needs"], parts)) if "needs" in row else None
        for pattern in row["patterns"]:
            found = compiled(_filled(pattern, parts), capitals_matter=row.get("case", False))
            patterns.append((row["kind"], found, needs))
    return _Told(tuple(patterns), frozenset(given["ends"].split()), frozenset(given["never"].split()))


def _filled(pattern: str, parts: dict[str, str]) -> str:
    for name, part in parts.items():
        pattern = pattern.replace(f"<{name}>", part)
    return pattern


def compiled(pattern: str, *, capitals_matter: bool = False) -> Any:
    """RE2 reads in time linear in the text. Raises re2.error."""
    options = re2.Options()
    options.case_sensitive = capitals_matter
    options.log_errors = False
    return re2.compile(pattern, options)


def told_spans(text: str) -> Iterator[Span]:
    told = _told()
    for kind, pattern, needs in told.patterns:
        if needs is not None and needs.search(text) is None:
            continue
        for match in pattern.finditer(text):
            found = match.group(1)
            end = len(found) if kind in _WHOLE else _cut(kind, found, told.ends)
            if end and not _is_common(kind, found, told.never):
                yield Span(match.start(1), match.start(1) + end, kind)


def _is_common(kind: str, found: str, never: frozenset[str]) -> bool:
    """Words of everyday that stand where a name could: "my insta is down", "a escola toda"."""
    words = [word.lower().strip(".,!?:") for word in found.split()]
    if words[0] in never or (kind == "password" and _NO_PASSWORD.search(words[0]) is not None):
        return True
    return kind == "school" and (found.isupper() or (len(words) > 1 and words[1] in never - _SMALL))


def _cut(kind: str, found: str, ends: frozenset[str]) -> int:
    """Where it ends: before the first word that can't be one of it. 0 where too little is left: a first name alone is
    nobody's, and neither is a street without its number or a school that is only called school."""
    capitals = kind == "name" and found[:1].isupper()
    led = 2 if kind == "place" else 0  # words such as "next to the"
    at = end = real = 0
    for number, word in enumerate(found.split()):
        plain = word.lower().strip(".,!?;:")
        small = plain in _SMALL
        if (number > led or kind == "name") and not small and (plain in ends or (capitals and not word[:1].isupper())):
            break
        at = found.index(word, at) + len(word)
        if not small or number == 0:
            real, end = real + 1, at
        if word[-1] in ".!?;:" and kind != "address":
            break
    if kind == "address":
        return end if end == len(found) else 0
    return end if real >= 2 or kind == "place" else 0
