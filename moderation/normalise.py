"""Text as rules see it: one plain form for the many ways of writing a word, with the way back to the original.

Folded: width, styles and ligatures (NFKD), accents, case, curly quotes, look-alike letters where a word mixes scripts,
zero-width and direction marks, leet inside words, single letters with one separator between them, letters repeated
three times and more, stars inside a few words. Emoji stay. Where teens' spellings are in it (slang.yaml), one more
reading has the plain words in their place. Every step is linear in the length of the text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from confusable_homoglyphs import confusables

from moderation.slang import spelled_out

_PLAIN: Final = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "ʼ": "'", "´": "'", "`": "'", "′": "'", "＇": "'",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‹": '"', "›": '"',
    "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "…": "...", "¡": " ", "¿": " ", "\u2028": "\n", "\u2029": "\n",
    "œ": "oe", "æ": "ae", "Œ": "oe", "Æ": "ae", "ø": "o", "Ø": "o", "ð": "d", "ł": "l", "Ł": "l", "đ": "d", "ß": "ss",
    "ı": "i", "€": "e", "\t": " ", "\r": "\n", "\v": " ", "\f": " ",
}  # fmt: skip
_SQUARED: Final = ((0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189))
_LEET: Final = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"}
_SEPARATORS: Final = frozenset(" .-_*/")
_VOWELS: Final = frozenset("aeiouy")
_STARS: Final = frozenset("*#%")
_MIRROR: Final = "\u202e"  # what follows is shown from right to left
_MIRROR_ENDS: Final = frozenset("\u202c\u202a\u202b\u202d\u202e\n")
# Words that people hide with stars, and that rules must not miss.
_STARRED: Final = (
    "suicide", "suicidal", "kill", "killed", "killing", "die", "dead", "death", "rape", "raped", "cut", "cutting",
    "hurt", "overdose", "nudes", "suicidio", "suicida", "matar", "morrer", "morte", "estupro", "cortar",
    "morir", "muerte", "violar", "matarme", "mourir", "mort", "tuer", "suicider", "viol", "violee",
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """One plain form. Character i stands for the characters [starts[i], ends[i]) of the original."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters [start, end) of this form, at least one, stand in the original."""
        return self.starts[start], self.ends[end - 1]


@dataclass(frozen=True)
class Sentence:
    """A sentence in each of its readings; start and end are characters of the original."""

    readings: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Normalised:
    """`views`: the plain form first, then others where repeated letters or slang leave more than one reading."""

    views: tuple[View, ...]

    @property
    def text(self) -> str:
        return self.views[0].text

    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences in order, each with the readings that the views give it."""
        readings: dict[tuple[int, int], list[str]] = {}
        for view in self.views:
            for start, end, text in sentences_of(view):
                known = readings.setdefault((start, end), [])
                if text not in known:
                    known.append(text)
        return tuple(Sentence(tuple(texts), start, end) for (start, end), texts in readings.items())


@cache
def _look_alikes() -> dict[str, str]:
    """Non-ASCII letter -> the ASCII letter that it can be taken for."""
    table: dict[str, str] = {}
    for char, rows in confusables.confusables_data.items():
        if len(char) != 1 or char.isascii() or not char.isalpha():
            continue
        for row in rows:
            other = row["c"]
            if len(other) == 1 and other.isascii() and other.isalpha():
                table[char] = other.lower()
                break
    return table


@lru_cache(maxsize=16384)
def _fold(char: str) -> str:
    """One character, not ASCII, as lower-case plain characters; empty where it only decorates or hides."""
    if char in _PLAIN:
        return _PLAIN[char]
    kind = unicodedata.category(char)
    if kind in {"Mn", "Me", "Cf", "Cc", "Cs", "Co"} or char in "\u115f\u1160\u3164\uffa0\u034f":
        return ""
    code = ord(char)
    for first, last in _SQUARED:
        if first <= code <= last:
            return chr(ord("a") + code - first)
    if kind.startswith("Z"):
        return " "
    # Composed again after the accents are gone, so that scripts whose letters decompose keep one character each.
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if unicodedata.category(c) not in {"Mn", "Me"})
    return "".join(_PLAIN.get(c, c) for c in unicodedata.normalize("NFKC", plain).lower())


def _first_pass(text: str) -> tuple[list[str], list[int], list[str]]:
    """Plain characters, where each came from, and the look-alike of each (itself where there is none)."""
    if text.isascii() and text.isprintable() and not text.startswith(" ") and "  " not in text and "`" not in text:
        chars = list(text.lower())
        return chars, list(range(len(chars))), chars.copy()
    chars, origins, twins = [], [], []
    gap = True
    for index, char in enumerate(text):
        plain = _PLAIN.get(char, char.lower()) if char.isascii() else _fold(char)
        if plain == " " or (len(plain) == 1 and plain < " " and plain != "\n"):
            if gap:
                continue
            plain, gap = " ", True
        elif plain:
            gap = plain == "\n"
        twin = (
            plain if char.isascii() or len(plain) != 1 else _look_alikes().get(char, _look_alikes().get(plain, plain))
        )
        for one in plain:
            chars.append(one)
            origins.append(index)
            twins.append(twin if len(plain) == 1 else one)
    return chars, origins, twins


def _words(chars: list[str]) -> Iterator[tuple[int, int]]:
    start = -1
    for index, char in enumerate(chars):
        if char in " \n":
            if start >= 0:
                yield start, index
            start = -1
        elif start < 0:
            start = index
    if start >= 0:
        yield start, len(chars)


def _unmask_scripts(chars: list[str], twins: list[str]) -> None:
    """Fold look-alikes in words that mix scripts, and in words made of nothing else inside a Latin text."""
    latin = sum(1 for char in chars if char.isascii() and char.isalpha())
    other = sum(1 for char in chars if not char.isascii() and char.isalpha())
    if not other:
        return
    for start, end in _words(chars):
        foreign = [i for i in range(start, end) if not chars[i].isascii() and chars[i].isalpha()]
        if not foreign:
            continue
        mixed = any(chars[i].isascii() and chars[i].isalpha() for i in range(start, end))
        if mixed or (latin >= other and all(twins[i].isascii() for i in foreign)):
            for i in foreign:
                chars[i] = twins[i]


def _unleet(chars: list[str]) -> None:
    if _LEET.keys().isdisjoint(chars):
        return
    for start, end in _words(chars):
        if not any(chars[i] in _LEET for i in range(start, end)):
            continue
        address = "@" in chars[start:end] and "." in chars[start:end]
        letters = sum(1 for i in range(start, end) if chars[i].isalpha())
        if letters and not address:
            _unleet_word(chars, start, end, letters)


def _unleet_word(chars: list[str], start: int, end: int, letters: int) -> None:
    """Only between letters, so that '2nite', 'b4', '18yo' and 'mp3' stay; one digit may open a longer word."""
    index = start
    while index < end:
        if chars[index] not in _LEET:
            index += 1
            continue
        stop = index
        while stop < end and chars[stop] in _LEET:
            stop += 1
        inside = index > start and chars[index - 1].isalpha() and stop < end and chars[stop].isalpha()
        opens = index == start and stop == index + 1 and letters >= 4 and stop < end and chars[stop].isalpha()
        if (inside and stop - index <= 2) or (opens and chars[index] in "5$@"):
            for place in range(index, stop):
                after_i = place > start and chars[place - 1] == "i"
                chars[place] = "l" if chars[place] == "1" and after_i else _LEET[chars[place]]
        index = stop


def _unstar(chars: list[str]) -> None:
    for start, end in _words(chars):
        word = chars[start:end]
        while word and not (word[-1].isalpha() or word[-1] in _STARS):
            word.pop()
        stars = sum(1 for char in word if char in _STARS)
        if not stars or not word[0].isalpha() or len(word) - stars < 2:
            continue
        for known in _STARRED:
            if len(known) == len(word) and all(a == b or a in _STARS for a, b in zip(word, known, strict=True)):
                chars[start : start + len(word)] = list(known)
                break


def _spaced(chars: list[str]) -> set[int]:
    """Separators to drop from 'k m s' and 's.u.i': three or more single letters with one and the same separator."""
    drop: set[int] = set()
    size = len(chars)
    index = 0
    while index < size:
        opens = chars[index].isalpha() and (index == 0 or not chars[index - 1].isalnum())
        if not (opens and index + 1 < size and chars[index + 1] in _SEPARATORS):
            index += 1
            continue
        separator = chars[index + 1]
        last = index
        while (
            last + 2 < size
            and chars[last + 1] == separator
            and chars[last + 2].isalpha()
            and (last + 3 == size or not chars[last + 3].isalnum())
        ):
            last += 2
        if (last - index) // 2 + 1 >= 3:
            drop.update(range(index + 1, last, 2))
        index = last + 1
    return drop


def _squeezed(chars: list[str], origins: list[int], *, vowels: int, others: int) -> View:
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    index, size = 0, len(chars)
    while index < size:
        char = chars[index]
        stop = index + 1
        while stop < size and chars[stop] == char:
            stop += 1
        run = stop - index
        if run >= 3 and char.isalpha() and char.isascii():
            run = vowels if char in _VOWELS else others
        text.extend(char * run)
        starts.extend(origins[index : index + run])
        ends.extend(origin + 1 for origin in origins[index : index + run])
        ends[-1] = origins[stop - 1] + 1  # the last kept letter stands for all that were dropped
        index = stop
    return View("".join(text), tuple(starts), tuple(ends))


def normalise(text: str) -> Normalised:
    """The plain forms of a text. Linear in its length."""
    views = _views(text)
    if _MIRROR in text:
        turned, places = _turned(text)
        for view in _views(turned):
            starts = tuple(places[start][0] for start in view.starts)
            ends = tuple(places[end - 1][1] for end in view.ends)
            views.append(View(view.text, starts, ends))
    return Normalised(tuple(views))


def _turned(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text as a screen shows it where a mark turns letters round, and where each character stands in the original.

    A turned stretch is one place: each of its characters leads back to the whole of it.
    """
    out: list[str] = []
    places: list[tuple[int, int]] = []
    index = 0
    while index < len(text):
        stop = index + 1
        if text[index] == _MIRROR:
            while stop < len(text) and text[stop] not in _MIRROR_ENDS:
                stop += 1
            out.extend(reversed(text[index + 1 : stop]))
            places.extend([(index, stop)] * (stop - index - 1))
        else:
            out.append(text[index])
            places.append((index, stop))
        index = stop
    return "".join(out), places


def _views(text: str) -> list[View]:
    chars, origins, twins = _first_pass(text)
    while chars and chars[-1] in " \n":
        chars.pop()
        origins.pop()
    if not text.isascii():
        _unmask_scripts(chars, twins)
    _unleet(chars)
    if not _STARS.isdisjoint(chars):
        _unstar(chars)
    drop = _spaced(chars)
    if drop:
        origins = [origin for index, origin in enumerate(origins) if index not in drop]
        chars = [char for index, char in enumerate(chars) if index not in drop]
    if not _has_run(chars):
        view = View("".join(chars), tuple(origins), tuple(origin + 1 for origin in origins))
        return [view, *_plainly(view)]
    views = [_squeezed(chars, origins, vowels=2, others=2)]
    for vowels, others in ((1, 1), (1, 2)):
        view = _squeezed(chars, origins, vowels=vowels, others=others)
        if all(view.text != known.text for known in views):
            views.append(view)
    return views + [plain for view in views for plain in _plainly(view)]


def _plainly(view: View) -> Iterator[View]:
    """The view with slang in plain words, if it has any. All characters of those lead back to the whole spelling."""
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for start, end, words in spelled_out(view.text):
        first, last = view.span(start, end)
        text += view.text[at:start], words
        starts += [*view.starts[at:start], *[first] * len(words)]
        ends += [*view.ends[at:start], *[last] * len(words)]
        at = end
    if at:
        yield View("".join((*text, view.text[at:])), (*starts, *view.starts[at:]), (*ends, *view.ends[at:]))


def _has_run(chars: list[str]) -> bool:
    threes = zip(chars, chars[1:], chars[2:], strict=False)
    return any(first == second == third and first.isalpha() for first, second, third in threes)


def _ends(text: str, index: int) -> bool:
    """Does a sentence end at this character? A point between digits doesn't."""
    char = text[index]
    if char in "!?;\n":
        return True
    if char != ".":
        return False
    inside = 0 < index < len(text) - 1 and text[index - 1].isdigit() and text[index + 1].isdigit()
    return not inside


def sentences_of(view: View) -> Iterator[tuple[int, int, str]]:
    """Sentences split at . ! ? ; and line ends. Parts held together by '...' also come as one."""
    text, size = view.text, len(view.text)
    parts: list[tuple[int, int]] = []
    start = index = 0
    while index <= size:
        if index < size and not _ends(text, index):
            index += 1
            continue
        stop = index
        while stop < size and _ends(text, stop):
            stop += 1
        piece = _trim(text, start, index)
        if piece:
            parts.append(piece)
            yield _sentence(view, [piece])
        soft = text[index:stop]
        if not (len(soft) >= 2 and set(soft) == {"."}):
            if len(parts) > 1:
                yield _sentence(view, parts)
            parts = []
        start = index = max(stop, index + 1)


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start] == " ":
        start += 1
    while end > start and text[end - 1] == " ":
        end -= 1
    return (start, end) if end > start else None


def _sentence(view: View, parts: list[tuple[int, int]]) -> tuple[int, int, str]:
    first, last = view.span(parts[0][0], parts[-1][1])
    return first, last, " ".join(view.text[start:end] for start, end in parts)
