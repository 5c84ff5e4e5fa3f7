from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bench import memory

DOCUMENTS = (
    {"id": "D1:1", "who": "Maya", "text": "I adopted a puppy", "at": "2026-01-01T10:00:00+00:00"},
    {"id": "D1:2", "who": "Leo", "text": "soup for lunch", "at": "2026-01-01T10:00:00+00:00"},
)


def conversation(*evidence: str) -> memory.Conversation:
    asked = memory.Question("Who adopted a puppy?", 4, frozenset(evidence))
    return memory.Conversation("made up", DOCUMENTS, (asked,))


def test_recall_is_the_share_of_the_evidence_among_the_first() -> None:
    wanted = frozenset({"a", "b"})
    assert memory.recall(["a", "c", "b"], wanted, 1) == 0.5
    assert memory.recall(["a", "c", "b"], wanted, 3) == 1.0
    assert memory.recall([], wanted, 10) == 0.0


def test_evidence_that_names_several_turns_in_one_entry_is_taken_apart() -> None:
    assert memory.evidence_of(["D3:4; D5:6", "D1:1", "D2:1 D2:2", ""]) == {"D3:4", "D5:6", "D1:1", "D2:1", "D2:2"}


def test_bm25_finds_what_has_the_rare_word() -> None:
    bags = [Counter("a kite".split()), Counter("a boat".split()), Counter("a kite and a boat and more".split())]
    scores = memory.bm25(bags, ["kite", "nothing"])
    assert scores[0] > scores[2] > scores[1] == 0.0


def test_ours_goes_through_the_command_and_the_others_see_the_same_turns() -> None:
    given = conversation("D1:1")
    for ranker in (memory.ours, memory.by_words, memory.by_sense, memory.fused):
        assert ranker(given)[0][0] == "D1:1"
    assert memory.recalled([given], memory.by_words) == {4: [[1.0, 1.0, 1.0, 1.0]]}


def test_the_table_has_means_by_category_and_ratios_and_says_what_is_missing() -> None:
    rows = {4: [[1.0] * 4, [0.5, 0.5, 1.0, 1.0]], 1: [[0.0, 0.0, 0.4, 0.4]]}
    lines = list(memory.report_recall({"the memory": rows, "BM25": {4: [[0.2] * 4] * 3}, "mem0": "not measured: gone"}))
    assert "3 questions" in lines[0]
    ours = next(line for line in lines if line.startswith("the memory"))
    assert ours.split()[-5:] == ["0.500", "0.500", "0.800", "0.800", "1.00"]
    assert next(line for line in lines if line.startswith("BM25")).endswith("4.00")
    assert any(line.startswith("mem0") and "gone" in line for line in lines)
    assert any("0.60 at 5: DOES NOT HOLD (0.500)" in line for line in lines)
    assert any("0.70 at 10: holds (0.800)" in line for line in lines)


def test_growth_is_told_with_its_limits() -> None:
    asked = [(float(number), float(number) / 2) for number in range(1, 101)]
    lines = list(memory.report_growth([memory.Grown(10_000, (200.0, 140.0), (0.2, 0.1), asked)]))
    assert "10,000" in lines[2]
    assert any("index of 10,000 under 150 ms" in line and "holds (140.0)" in line for line in lines)
    assert any("rank p50" in line and "DOES NOT HOLD (25.5)" in line for line in lines)


def test_made_up_turns_are_the_same_in_every_run() -> None:
    texts, vectors, said = memory.made_up(50, seed=1)
    again, _, _ = memory.made_up(50, seed=1)
    assert texts == again
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert {one.who for one in said} == {"Nora", "Felix"}
    assert memory.grown(50, questions=3).size == 50
