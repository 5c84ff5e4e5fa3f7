"""Personal data in a text as given, as places in it: for masking, and for the tip about what is better kept private."""

from __future__ import annotations

from itertools import chain
from typing import Final

from moderation.detectors.personal.contact import contact_spans
from moderation.detectors.personal.numbers import number_spans
from moderation.detectors.personal.told import told_spans
from moderation.types import Span

KINDS: Final = (
    "email", "url", "password", "id", "card", "iban", "ip", "address", "phone", "handle", "school", "name", "place",
)  # fmt: skip
_HALVES: Final = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_EDGES: Final = " .,;:-()/!?\"'\n\t"


def personal_spans(text: str) -> tuple[Span, ...]:
    """Spans of personal data, in order, without overlaps (the earlier and longer one wins)."""
    # Half a surrogate pair is no UTF-8, and RE2 reads nothing else. One character stays one character.
    text = text if text.isascii() else text.translate(_HALVES)
    found = chain(contact_spans(text), number_spans(text), told_spans(text))
    return _disjoint([_trimmed(text, span) for span in found])


def _trimmed(text: str, span: Span) -> Span:
    """Without the blanks and stops that it ends on; a password keeps what it has."""
    end = span.end
    edges = " ,;.\n\t" if span.type == "password" else _EDGES
    while end > span.start and text[end - 1] in edges:
        end -= 1
    return Span(span.start, end, span.type)


def _disjoint(spans: list[Span]) -> tuple[Span, ...]:
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, s.start - s.end, KINDS.index(s.type))):
        if span.end > span.start and (not kept or span.start >= kept[-1].end):
            kept.append(span)
    return tuple(kept)


def mask(text: str, spans: tuple[Span, ...]) -> str:
    """The text with each span replaced by its kind in brackets, e.g. [phone]."""
    out: list[str] = []
    at = 0
    for span in spans:
        out += [text[at : span.start], f"[{span.type}]"]
        at = span.end
    return "".join([*out, text[at:]])
