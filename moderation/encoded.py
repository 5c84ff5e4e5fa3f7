"""Text that hides its words: base64, hex, binary, morse, rot13 and letters turned round, found in a text and decoded.

Only what becomes readable counts: common words of the four languages (encoded_words.yaml) decide. Encoding is no danger
in itself; what was hidden is for the rules to judge. Linear in the length of the text.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import accumulate
from pathlib import Path
from typing import Final

import yaml

from moderation.detectors.rules import SCORES, Rules
from moderation.normalise import normalise
from moderation.types import Hit, Language, Side

LONGEST: Final = 20_000  # characters; what stands behind them is not decoded
WORDS: Final = Path(__file__).resolve().parent / "encoded_words.yaml"
_DEEPEST: Final = 3
_ATTEMPT: Final = "encoded/attempt"
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_BASE64: Final = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{8,}(?:\r?\n[A-Za-z0-9+/_-]{8,})*={0,2}")
_BASE64_WORD: Final = re.compile(r"[A-Za-z0-9+/]{2,}={0,2}")
_HEX: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:0x|\\x|%)?[0-9A-Fa-f]{2}(?:[ :,\n]?(?:0x|\\x|%)?[0-9A-Fa-f]{2}){4,}(?![A-Za-z0-9])"
)
_HEX_SIGNS: Final = re.compile(r"0x|\\x|[% :,\n]")
_BINARY: Final = re.compile(r"(?<![0-9A-Za-z])(?:[01]{7,8}(?:[ ,\n]{1,2}[01]{7,8}){3,}|[01]{32,})(?![0-9A-Za-z])")
_MORSE: Final = re.compile(r"(?<![.\-_])[.\-_]{1,7}(?:[ /|\n]{1,4}[.\-_]{1,7}){3,}(?![.\-_])")
_MORSE_SIGNS: Final = str.maketrans({"·": ".", "•": ".", "−": "-", "–": "-", "—": "-"})
_LETTERS: Final = dict(
    zip(
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
        "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.".split(),
        "abcdefghijklmnopqrstuvwxyz0123456789",
        strict=True,
    )
)


@dataclass(frozen=True)
class Hidden:
    """Characters [start, end) of a text, and what they say once decoded."""

    start: int
    end: int
    kind: str
    text: str


@cache
def _common() -> frozenset[str]:
    parsed = yaml.load(WORDS.read_bytes(), Loader=yaml.CSafeLoader)
    return frozenset(word for words in parsed["words"].values() for word in words.split())


def encoded_problems() -> list[str]:
    """A sentence where the common words can't be used: then nothing can be looked at."""
    try:
        _common()
    except (OSError, UnicodeDecodeError, TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
        return [f"{WORDS.name}: can't be used: {' '.join(str(error).split())}"]
    return []


def hidden(text: str) -> tuple[Hidden, ...]:
    """What is encoded in a text, in each way that gives words. Never raises for what stands in the text."""
    return tuple(_found(text[:LONGEST], _DEEPEST, ""))


def encoded_hits(
    rules: Rules, found: Sequence[Hidden], *, languages: Sequence[Language], side: Side
) -> tuple[Hit, ...]:
    """What the rules say of decoded text, placed where it was hidden; on the message side the attempt as well."""
    hits: dict[str, Hit] = {}
    for text, places in _together(found):
        for hit in rules.find(normalise(text), languages=languages, side=side).hits:
            start, end = places(hit.start)
            placed = replace(hit, rule=f"encoded/{hit.rule}", start=start, end=end)
            hits.setdefault(placed.rule, placed)
            if side == "message" and hit.severity >= 2:
                hits.setdefault(_ATTEMPT, Hit(_ATTEMPT, "T28", 2, score=SCORES[2], start=start, end=end))
    return tuple(hits.values())


def _together(found: Sequence[Hidden]) -> Iterator[tuple[str, Callable[[int], tuple[int, int]]]]:
    """All pieces line by line, so that rules run once whatever their number; then those of each kind as one thought,
    which may have been hidden word by word."""
    if not found:
        return
    ends = list(accumulate(len(piece.text) + 1 for piece in found))

    def place(at: int) -> tuple[int, int]:
        piece = found[min(bisect_right(ends, at), len(found) - 1)]
        return piece.start, piece.end

    yield "\n".join(piece.text for piece in found), place
    for kind in dict.fromkeys(piece.kind for piece in found):
        same = [piece for piece in found if piece.kind == kind]
        if len(same) >= 2:
            whole = same[0].start, max(piece.end for piece in same)
            yield " ".join(piece.text for piece in same), partial(_whole, whole)


def _whole(whole: tuple[int, int], _at: int) -> tuple[int, int]:
    return whole


def _found(text: str, depth: int, last: str) -> Iterator[Hidden]:
    for kind, find in _KINDS.items():
        if kind == last and kind in {"rot13", "reversed"}:
            continue  # twice is the text itself
        for start, end, decoded in find(text):
            if _readable(decoded):
                yield Hidden(start, end, kind, decoded)
            if depth > 1:
                for inner in _found(decoded, depth - 1, kind):
                    yield Hidden(start, end, f"{kind}+{inner.kind}", inner.text)


def _readable(text: str) -> bool:
    """Mostly letters, and enough of its words are common ones."""
    words = _WORD.findall(_plain(text))
    if not words:
        return False
    if sum(1 for char in text if char.isalpha() or char.isspace()) < 0.7 * len(text):
        return False
    common = _common()
    known = [word for word in words if word in common]
    if len(words) <= 2:
        return len(known) == len(words) and len("".join(words)) >= 3
    return len(known) >= 2 and len(known) >= 0.3 * len(words) and any(len(word) >= 3 for word in known)


def _plain(text: str) -> str:
    return normalise(text).text


# --- the ways ---------------------------------------------------------------------------------------------------------


def _utf8(raw: bytes) -> str:
    """The start of some bytes that is text: an encoded stretch is often cut, or has a stray letter at its end."""
    text = raw.decode("utf-8", "replace")
    cut = next(
        (index for index, char in enumerate(text) if char == "\ufffd" or (char < " " and char not in "\t\r\n")), -1
    )
    return text if cut < 0 else text[:cut]


def _base64_text(run: str) -> str:
    run = "".join(run.split()).rstrip("=").replace("-", "+").replace("_", "/")
    if len(run) % 4 == 1:
        run = run[:-1]
    try:
        return _utf8(base64.b64decode(run + "=" * (-len(run) % 4)))
    except binascii.Error:
        return ""


def _base64s(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _BASE64.finditer(text):
        decoded = _base64_text(match.group())
        if len(decoded) >= 3 and _is_text(decoded):
            yield match.start(), match.end(), decoded
    yield from _base64_words(text)


def _base64_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Each word encoded for itself: "aQ== d2FudA==". Runs of two words and more, one of them with a filler."""
    run: list[tuple[int, int, str]] = []
    for match in [*re.finditer(r"\S+", text), None]:
        if match is not None:
            word = match.group()
            decoded = _base64_text(word) if len(word) % 4 == 0 and _BASE64_WORD.fullmatch(word) else ""
            if decoded.isprintable() and decoded:
                run.append((match.start(), match.end(), decoded))
                continue
        if len(run) >= 2 and any(text[end - 1] == "=" for _, end, _ in run):
            yield run[0][0], run[-1][1], " ".join(decoded for _, _, decoded in run)
        run = []


def _is_text(decoded: str) -> bool:
    return sum(1 for char in decoded if char.isalnum() or char.isspace()) >= 0.7 * len(decoded)


def _hexes(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _HEX.finditer(text):
        digits = _HEX_SIGNS.sub("", match.group())
        decoded = _utf8(bytes.fromhex(digits[: len(digits) // 2 * 2]))
        if len(decoded) >= 3 and _is_text(decoded):
            yield match.start(), match.end(), decoded


def _binaries(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _BINARY.finditer(text):
        groups = re.findall(r"[01]+", match.group())
        if len(groups) == 1:
            groups = [groups[0][at : at + 8] for at in range(0, len(groups[0]) // 8 * 8, 8)]
        decoded = _utf8(bytes(int(group, 2) for group in groups))
        if len(decoded) >= 3 and _is_text(decoded):
            yield match.start(), match.end(), decoded


def _morses(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _MORSE.finditer(text.translate(_MORSE_SIGNS)):
        words = re.split(r" *[/|\n]+ *| {2,}", match.group().replace("_", "-"))
        signs = [word.split() for word in words]
        total = sum(map(len, signs))
        known = sum(1 for word in signs for sign in word if sign in _LETTERS)
        if known >= 0.8 * total:
            yield match.start(), match.end(), " ".join("".join(_LETTERS.get(s, "") for s in word) for word in signs)


def _rot13s(text: str) -> Iterator[tuple[int, int, str]]:
    for start, end in _runs(text, lambda word: codecs.encode(word, "rot13")):
        yield start, end, codecs.encode(text[start:end], "rot13")


def _turned(text: str) -> Iterator[tuple[int, int, str]]:
    """Both ways in which people turn text round: all of it, or each word where it stands."""
    for start, end in _runs(text, lambda word: word[::-1]):
        yield start, end, text[start:end][::-1]
        yield start, end, re.sub(r"\S+", lambda match: match.group()[::-1], text[start:end])


def _runs(text: str, change: Callable[[str], str]) -> Iterator[tuple[int, int]]:
    """Stretches in which three words and more are common once changed, none is common as it stands, unless both are."""
    common = _common()
    start = end = marked = seen = longest = 0

    def holds() -> bool:
        return longest >= 3 and seen > 0 and (marked >= 3 or (marked == seen == 2)) and marked >= 0.4 * seen

    for match in _WORD.finditer(text):
        word = match.group().lower()
        other = change(word)
        before, after = word in common, other in common
        if before and not after:
            if holds():
                yield start, end
            marked = seen = longest = 0
            continue
        if not seen:
            start = match.start()
        end, seen = match.end(), seen + 1
        if after and not before:
            marked, longest = marked + 1, max(longest, len(word))
    if holds():
        yield start, end


_KINDS: Final[dict[str, Callable[[str], Iterator[tuple[int, int, str]]]]] = {
    "base64": _base64s,
    "hex": _hexes,
    "binary": _binaries,
    "morse": _morses,
    "rot13": _rot13s,
    "reversed": _turned,
}
