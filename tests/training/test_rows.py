"""The written rows: what must never be among them, and what a line that can't be read says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from moderation.types import LANGUAGES
from training.moderation.examples import Example, Label, Labels
from training.moderation.opened import DataMissing, examples_opened
from training.moderation.relabelled import labels_read
from training.moderation.written import SECOND, Row, RowError, agreed, examples_written, rows_read


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(rows_read())


def test_there_are_enough_in_every_language_and_harmless_ones_as_many(rows: list[Row]) -> None:
    counted = Counter(row.language for row in rows)
    assert sum(counted.values()) >= 12_000
    assert all(counted[language] >= 2_000 for language in LANGUAGES)
    for language in LANGUAGES:
        own = [row for row in rows if row.language == language]
        assert sum(row.harmless for row in own) >= 0.45 * len(own)


def test_no_row_is_about_sexual_matters_with_minors(rows: list[Row]) -> None:
    assert not [row.place for row in rows if any(label.category == "T03" for label in row.labels)]
    assert not [
        key for key, labels in labels_read().items() if labels and any(x.category == "T03" for x in labels.labels)
    ]


def test_a_scene_stands_on_one_side(rows: list[Row]) -> None:
    sides: dict[str, set[str]] = {}
    held = 0
    for example in examples_written():
        sides.setdefault(example.scene, set()).add(example.part)
        held += example.part == "held"
    assert all(len(parts) == 1 for parts in sides.values())
    assert 0.1 < held / len(rows) < 0.3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("- | no scene yet\n", ":1: a row is"),
        ("## a\nno bar\n", ":2: a row is"),
        ("## a\n- |  \n", ":2: a row is"),
        ("## a\n- | " + "x" * 2000, ":2: a row is"),
        ("## a\nT99:3 | x\n", ":2: no label: T99:3"),
        ("## a\nT01:5 | x\n", ":2: no label"),
        ("## a\nT01:3:L9 | x\n", ":2: no level"),
        ("## a\n- T01:3:L1 | x\n", ":2: labels, or one '-'"),
        ("## a\nR - | a reply to nothing\n", ":2: a reply is"),
    ],
)
def test_a_line_that_cant_be_read_is_named(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "theme.txt").write_text(content, encoding="utf-8")
    with pytest.raises(RowError, match=words) as error:
        list(rows_read(tmp_path))
    assert str(error.value).startswith("en/theme.txt")


def test_a_row_of_several_messages_is_judged_by_the_last(tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "t.txt").write_text(
        "## s\nT01:4:L3 | un // deux // trois\nR T24:3 | toi? => oui\n", encoding="utf-8"
    )
    several, reply = examples_written(tmp_path)
    assert (several.before, several.text) == (("un", "deux"), "trois")
    assert (reply.before, reply.text, reply.targets["reply/T24"]) == (("toi?",), "oui", 1)
    assert "message/T01" not in reply.targets


def test_labels_say_what_is_known_and_leave_open_what_is_borderline() -> None:
    said = Labels("message", (Label.read("T01:4:L3"), Label.read("T13:1"))).targets()
    assert (said["message/T01"], said["message/L2"], said["message/L3"], said["message/L4"]) == (1, 1, 1, 0)
    assert "message/T13" not in said, "borderline: learnt from neither way"
    assert (said["message/severity3"], said["message/any"]) == (1, 1)
    assert "message/any" not in Labels("message", (Label.read("T19:1"),)).targets()
    swearing = Labels("message", (Label.read("T27:1"),)).targets()
    assert (swearing["message/T27"], swearing["message/any"]) == (1, 0)


def test_without_the_open_sets_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="--written-only"):
        next(iter(examples_opened(tmp_path / "nowhere")))


def test_the_split_hangs_on_the_scene_alone() -> None:
    one = Example("a", {}, "en", "written", "en/theme/scene")
    other = Example("b", {}, "en", "written", "en/theme/scene", weight=9.0)
    assert one.part == other.part


def test_an_output_on_which_the_two_readings_differ_is_not_learnt_from() -> None:
    row = Row("message", (Label("T01", 4, "L3"),), ("a",), "", "en", "theme", "scene", "place")
    both = agreed(row, Labels("message", (Label("T01", 3, "L2"),)))
    assert (both["message/any"], both["message/L2"], both["message/T01"]) == (1, 1, 1)
    assert not {"message/L3", "message/severity4"} & set(both)
    assert "message/any" not in agreed(row, Labels("message"))
    assert agreed(row, None)["message/L3"] == 1


def test_most_rows_were_read_twice(rows: list[Row]) -> None:
    second = labels_read(SECOND)
    assert sum(row.key in second for row in rows) >= 0.9 * len(rows)
