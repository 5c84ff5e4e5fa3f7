"""`manage.py chat` as people script it: a process, lines in, lines out."""

from __future__ import annotations

import json
import os

import pytest

from tests.nursery import nursery


def chat(*lines: object, arguments: tuple[str, ...] = ()) -> tuple[int, list[dict[str, object]]]:
    given = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n"
    done = nursery().run(
        "manage", "chat", "--fresh", "--jsonl", *arguments, given=given,
        environment={**os.environ, "DJANGO_SETTINGS_MODULE": "chatbot.settings"},
    )  # fmt: skip
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.process
def test_two_lines_are_answered_and_the_second_knows_both_facts() -> None:
    status, answers = chat(
        {"text": "hi! my name is Sam and i love skateboarding"},
        {"text": "what do you know about me?"},
        {"memory": True},
    )
    assert status == 0
    assert answers[0]["reply"]
    assert "Sam" in str(answers[1]["reply"])
    assert "skateboarding" in str(answers[1]["reply"])
    assert len(answers[2]) == 2


@pytest.mark.process
def test_bad_lines_say_why_and_the_rest_goes_on() -> None:
    status, answers = chat(
        "not json", "[]", {}, {"text": 7}, {"text": "   "}, {"text": "a" * 4001}, {"at": "yesterday", "text": "hi"},
        {"text": "i want to kill myself and im not joking"},
    )  # fmt: skip
    assert status == 1
    assert [answer.get("line") for answer in answers[:7]] == [1, 2, 3, 4, 5, 6, 7]
    assert answers[7]["action"] == "crisis"
    assert answers[7]["notices"] == ["crisis_card"]
