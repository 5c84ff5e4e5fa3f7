"""docs/safety.md says what policy.yaml does, and names what the code has."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.always_open import messages
from moderation import watch
from moderation.crisis import helplines
from moderation.crisis.texts import MOST_CHARS
from moderation.policy import Row, policy_shipped
from moderation.taxonomy import CATEGORIES, SEQUENCES
from moderation.types import LANGUAGES, Band, Language

DOCS = Path(__file__).resolve().parents[2] / "docs" / "safety.md"
BANDS: tuple[Band, ...] = ("13-15", "16-17", "18+")


def _row(row: Row) -> str:
    actions = [row.of(band) for band in BANDS]
    said = actions[0] if len(set(actions)) == 1 else " / ".join(actions)
    extra = [f"`{row.playbook}`"] if row.playbook else []
    extra += ["incident"] if row.incident else []
    extra += [f"plain mode: {row.plain}"] if row.plain else []
    return f"{row.severity}: {said}" + (f" ({', '.join(extra)})" if extra else "")


def policy_table() -> list[str]:
    """The rows of the table, one for each category."""
    lines = []
    for name, rules in policy_shipped().categories.items():
        message = "; ".join(map(_row, rules.message))
        message += "".join(f"; `{playbook}`: {action}" for playbook, action in rules.by_playbook.items())
        locked = " (locked)" if rules.locked else ""
        lines.append(f"| {name} | {CATEGORIES[name].name}{locked} | {message} | {'; '.join(map(_row, rules.reply))} |")
    return lines


def test_the_table_is_the_policy_s() -> None:
    text = DOCS.read_text(encoding="utf-8")
    missing = [line for line in policy_table() if line not in text]
    assert missing == [], "paste these rows into docs/safety.md:\n" + "\n".join(policy_table())


def test_what_stays_open_is_named() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in policy_shipped().always_open if f"`{name}`" not in text] == []


def test_every_written_conversation_is_named() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in SEQUENCES if f"`{name}`" not in text] == []


def test_numbers_are_the_code_s() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for words in (
        f"after {helplines.WARN_DAYS} days",
        f"after {helplines.STOP_DAYS} days",
        f"{MOST_CHARS} characters",
        f"{watch.LOW_DAY} low messages",
        f"{watch.FALL.total_seconds() / 3600:.0f} hours",
    ):
        assert words in text, words


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stays_open_is_measured_on_fifty_messages_a_line_and_language(language: Language) -> None:
    found = messages(language)
    assert list(found) == list(policy_shipped().always_open)
    assert all(len({text.lower() for text in texts}) >= 50 for texts in found.values())
