"""`manage.py policy`: what a file changes, and what it would have done about lines and turns of before."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chatbot.accounts.models import User
from chatbot.chat.models import Turn
from chatbot.core import clock
from chatbot.core.database import in_database
from chatbot.core.keys import key_destroy
from chatbot.core.models import AuditEntry
from moderation import screen as house_screen
from moderation.lines import lines_screen
from tests.chat.house import NOON, answered, says
from tests.moderation.reading import NOW, screen

CRIME = "how do i hotwire a car"
STRICTER = """
categories:
  T19:
    message:
      - {severity: 1, action: refuse, playbook: crime}
"""


@pytest.fixture
def ours(tmp_path: Path) -> str:
    (tmp_path / "ours.yaml").write_text(STRICTER, encoding="utf-8")
    return str(tmp_path / "ours.yaml")


def policy(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("policy", *arguments, stdout=out)
    return out.getvalue().splitlines()


def fed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(lines).encode())))


def screened(*texts: str) -> list[str]:
    raw = [json.dumps({"id": str(number), "text": text}) for number, text in enumerate(texts)]
    return [line for line, _ in lines_screen(raw, screen=screen(), band=None, side="message", now=NOW)]


def test_diff_says_what_the_file_changes(ours: str) -> None:
    *changes, total = policy("diff", ours)
    assert changes[0] == "T19 message, severity 1, 13-15: allow -> refuse (crime)"
    assert len(changes) == 24
    assert total.endswith(": 24 decisions change.")


def test_a_file_that_may_not_be_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("categories:\n  T05: {locked: false}\n", encoding="utf-8")
    for arguments in (("diff", str(path)), ("replay", "--days", "3", "--policy", str(path))):
        with pytest.raises(CommandError, match=r"bad\.yaml: line 2: categories\.T05: this category is locked"):
            policy(*arguments)
    with pytest.raises(CommandError, match="the file is missing"):
        policy("diff", str(tmp_path / "none.yaml"))


def test_replay_decides_anew_about_lines(ours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = screened(CRIME, "im going to kill myself", "hello")
    fed(monkeypatch, *lines)
    found = [json.loads(line) for line in policy("replay", "--jsonl", "--policy", ours)]
    assert [(line["id"], line["was"], line["action"], line["differs"]) for line in found] == [
        ("0", "warn", "refuse", True), ("1", "crisis", "crisis", False), ("2", "allow", "allow", False),
    ]  # fmt: skip
    fed(monkeypatch, *lines)
    assert not any(json.loads(line)["differs"] for line in policy("replay", "--jsonl"))


def test_a_line_that_cant_be_replayed_says_why_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = ("nope", "7", '{"id": "x", "action": "allow"}', '{"error": "secret words", "line": 3}', "[" * 100_000)
    fed(monkeypatch, *bad, "", *screened("hello"))
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("policy", "replay", "--jsonl", stdout=out)
    *wrong, fine = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["line"] for line in wrong] == [1, 2, 3, 4, 5]
    assert all(set(line) == {"error", "line"} and "secret" not in line["error"] for line in wrong)
    assert fine["action"] == "allow"


@pytest.fixture
def rules_alone() -> Iterator[None]:
    """What is decided by rules stays the same when the classifier learns more."""
    house_screen.configure(learned=False)
    yield
    house_screen.configure()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("rules_alone")
async def test_replay_counts_the_turns_of_some_days(maya_now: User, leo_now: User, ours: str) -> None:
    says("Good question.")
    for person, text in ((maya_now, CRIME), (maya_now, "im going to kill myself"), (leo_now, "hello there")):
        turn, _ = await answered(person, text)
    kept: Any = await in_database(lambda: Turn.objects.get(id=turn.id).trace)
    assert (kept["decision"]["band"], kept["decision"]["plain"], kept["decision"]["hits"]) == ("16-17", False, [])
    *counts, total = await in_database(policy, "replay", "--days", "1", "--policy", ours)
    assert counts == ["allow -> allow: 1", "crisis -> crisis: 1", "warn -> refuse: 1"]
    assert ": 1 of 3 turns would be answered otherwise." in total
    assert total.endswith("replay: 0.")
    entry = await AuditEntry.objects.aget(action="policy_replayed")
    assert (entry.subject_id, entry.detail) == (None, {"days": 1})
    said = " ".join((*counts, total))
    assert not any(word in said for word in ("maya", "leo", "car", "kill", str(maya_now.id)))
    assert "warn -> refuse: 1" not in await in_database(policy, "replay", "--days", "1")


@pytest.mark.django_db(transaction=True)
async def test_turns_of_other_days_of_erased_people_and_of_before_are_no_trouble(maya_now: User, leo_now: User) -> None:
    says("Good question.")
    await answered(leo_now, "hello there")
    old, _ = await answered(maya_now, "hello there")

    def as_before() -> None:
        row = Turn.objects.get(id=old.id)
        del row.trace["decision"]["hits"]
        row.save(update_fields=["trace"])

    await in_database(as_before)
    *counts, total = await in_database(policy, "replay", "--days", "1")
    assert (counts, total.rpartition(": ")[2]) == (["allow -> allow: 1"], "1.")
    await in_database(key_destroy, leo_now.id)
    assert (await in_database(policy, "replay", "--days", "1"))[:-1] == []
    clock.move_to(NOON + timedelta(days=3))
    assert (await in_database(policy, "replay", "--days", "2"))[0].startswith("1.0.0+")


@pytest.mark.parametrize("days", ["0", "-1", "31"])
def test_only_days_that_are_kept_can_be_replayed(days: str) -> None:
    with pytest.raises(CommandError, match="kept for 30 days"):
        policy("replay", "--days", days)
