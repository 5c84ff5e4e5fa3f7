"""Words of a text for comparing: folded, without punctuation."""

from __future__ import annotations

from companion.bank.lint_lines import folded


def words_of(text: str) -> tuple[str, ...]:
    return tuple("".join(letter if letter.isalnum() else " " for letter in folded(text)).split())
