"""Whom somebody loves, who they are, and sexual health: places in a text, so that staff's excerpts hide them (4.10).

Words of four languages, without accents and in small letters; what ends in * stands for every ending. Words that mean
something else as often (a pill, a rule) are not here: a hidden overdose would cost more than a word too many.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import re2

from moderation.types import Span

IDENTITY: Final = """
gay gays lesbian* bisexual* bi pansexual* queer* lgbt* homosexual* asexual* aromantic* demisexual*
transgender* trans transsexual* ftm mtf nonbinary enby genderfluid* genderqueer* agender intersex* closeted
sapatao sapatona* viado* bicha* lesbica* bissexual* assexual* pansexual* transgenero* transexual* travesti*
lesbiana* marica* maricon* bollera* transgeneros homosexuel* lesbienne* gouine* bisexuel*
asexuel* pansexuel* transgenre* transidentitaire* homo homos
""".split()
HEALTH: Final = """
condom* contracept* birthcontrol std stds sti stis hiv chlamydia gonorrh* herpes syphilis pregnan* abortion* abort
miscarriage virgin virginity masturbat* periods menstrua* vagina* penis vulva*
camisinha* preservativo* anticoncep* ist ists dst dsts gravida* gravidez aborto* abortar virgem virgindade
masturb* clamidia gonorreia sifilis
condon* embaraz* aborte virginidad vih ets
preservatif* capote* contracepti* mst ist enceinte* avort* ivg vierge virginite vih chlamydiose
gonorrhee
""".split()
PAIRS: Final = {
    ("non", "binary"): "identity",
    ("coming", "out"): "identity",
    ("came", "out"): "identity",
    ("come", "out"): "identity",
    ("nao", "binario"): "identity",
    ("nao", "binaria"): "identity",
    ("no", "binario"): "identity",
    ("no", "binaria"): "identity",
    ("no", "binarie"): "identity",
    ("non", "binaire"): "identity",
    ("genero", "fluido"): "identity",
    ("birth", "control"): "sexual health",
    ("morning", "after"): "sexual health",
    ("dia", "seguinte"): "sexual health",
    ("dia", "siguiente"): "sexual health",
}
_WORD: Final = re2.compile(r"[\p{L}\p{M}\p{N}]+")


def _split(words: list[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    plain = {_plain(word.rstrip("*")) for word in words if not word.endswith("*")}
    return frozenset(plain), tuple(_plain(word.rstrip("*")) for word in words if word.endswith("*"))


def _plain(word: str) -> str:
    apart = unicodedata.normalize("NFD", word.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


_TABLES: Final = (("identity", *_split(IDENTITY)), ("sexual health", *_split(HEALTH)))


def _kind(word: str) -> str | None:
    for kind, whole, beginnings in _TABLES:
        if word in whole or word.startswith(beginnings):
            return kind
    return None


def private_spans(text: str) -> tuple[Span, ...]:
    """Spans of identity and sexual health, in order, without overlaps."""
    # Half a surrogate pair is no UTF-8, and RE2 reads nothing else. One character stays one character.
    text = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    words = [(match.start(), match.end(), _plain(match.group())) for match in _WORD.finditer(text)]
    found: list[Span] = []
    for place, (start, end, word) in enumerate(words):
        after = words[place + 1] if place + 1 < len(words) else None
        pair = PAIRS.get((word, after[2])) if after else None
        kind = pair or _kind(word)
        if (
            kind is None
            or (found and start < found[-1].end)
            or text[:start].endswith("[")
            or text[end : end + 1] == "]"
        ):
            continue
        found.append(Span(start, after[1] if pair and after else end, kind))
    return tuple(found)
