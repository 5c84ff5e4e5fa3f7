from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

DOCUMENTS = [
    {"id": "d1", "text": "I adopted a puppy named Bento last week", "who": "Maya", "at": "2026-11-20T10:00:00+00:00"},
    {"id": "d2", "text": "my chemistry exam is on thursday", "who": "Maya"},
    {"id": "d3", "text": "I had soup for lunch", "who": "Leo"},
]
LINE = {
    "id": "a",
    "documents": DOCUMENTS,
    "queries": [{"id": "q1", "text": "When is the chemistry exam?"}, {"id": "q2", "text": "Which pet did she get?"}],
    "k": 2,
}


def run(monkeypatch: pytest.MonkeyPatch, *lines: object) -> tuple[list[dict[str, Any]], int]:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    monkeypatch.setattr("sys.stdin", StringIO(text))
    out, status = StringIO(), 0
    try:
        call_command("recall", "--jsonl", stdout=out)
    except SystemExit as error:
        status = int(str(error.code))
    return [json.loads(line) for line in out.getvalue().splitlines()], status


def test_documents_come_best_first_and_at_most_k(monkeypatch: pytest.MonkeyPatch) -> None:
    (answer,), status = run(monkeypatch, LINE)
    assert status == 0
    assert set(answer) == {"id", "results", "ms"}
    assert set(answer["ms"]) == {"index", "query_mean"}
    assert answer["results"]["q1"][0] == "d2"
    assert answer["results"]["q2"][0] == "d1"
    assert {len(found) for found in answer["results"].values()} == {2}


def test_k_is_capped_to_what_there_is_and_who_said_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    (answer,), _ = run(monkeypatch, {**LINE, "k": 1000, "queries": [{"id": "q", "text": "What did Leo eat?"}]})
    assert sorted(answer["results"]["q"]) == ["d1", "d2", "d3"]
    assert answer["results"]["q"][0] == "d3"


def test_no_documents_or_no_queries_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, status = run(monkeypatch, {**LINE, "documents": []}, "", {**LINE, "queries": []})
    assert status == 0
    assert answers[0]["results"] == {"q1": [], "q2": []}
    assert answers[1]["results"] == {}


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[1, 2]",
        "[" * 100_000,
        {"id": "a"},
        {**LINE, "k": 0},
        {**LINE, "k": "many"},
        {**LINE, "documents": [{"id": "d1"}]},
        {**LINE, "documents": [*DOCUMENTS, DOCUMENTS[0]]},
        {**LINE, "queries": [{"id": "q", "text": "x" * 20_001}]},
    ],
)
def test_a_bad_line_gives_its_error_and_number_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, line: object
) -> None:
    answers, status = run(monkeypatch, {**LINE, "queries": []}, line, {**LINE, "queries": []})
    assert status == 1
    assert answers[1]["line"] == 2
    assert answers[1]["error"]
    assert "puppy" not in answers[1]["error"]
    assert answers[2]["id"] == "a"


def test_without_jsonl_it_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="--jsonl"):
        call_command("recall")
