"""The slots that a line may have, and how they are filled."""

from __future__ import annotations

from collections.abc import Mapping

import re2

SLOT = re2.compile(r"\{([^{}]*)\}")
# name: the teen's; companion: its own; like, pet: from memories, or told just now; person: somebody told by name just
# now; quote: up to five of the teen's own words; thing, option: what a move is about (engines/embedded/moves);
# answer: what a sum comes to.
SLOTS = frozenset({"name", "companion", "like", "pet", "person", "quote", "thing", "option", "answer"})


def slots_in(text: str) -> frozenset[str]:
    return frozenset(match.group(1) for match in SLOT.finditer(text)) if "{" in text else frozenset()


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its slots replaced, each once: a value that looks like a slot stays as it is.
    Raises KeyError for a slot without a value."""
    return str(SLOT.sub(lambda match: values[match.group(1)], text)) if "{" in text else text
