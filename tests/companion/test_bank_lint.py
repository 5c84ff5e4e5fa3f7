"""The linter, and the product's own bank under it."""

from __future__ import annotations

from pathlib import Path

import pytest

from companion.bank import BankLine, languages_written
from companion.bank.lint import lint_language, main
from companion.bank.lint_lines import line_problems
from companion.bank.lint_twins import twins
from companion.types import Language


@pytest.mark.parametrize("language", languages_written())
def test_the_whole_bank_passes(language: Language) -> None:
    assert [str(problem) for problem in lint_language(language).errors] == []


def problems(text: str, *, act: str | None = None, language: Language = "en") -> list[str]:
    slots = frozenset(part.split("}")[0] for part in text.split("{")[1:] if "}" in part)
    return [
        what for what, hard in line_problems(BankLine("s/e/0", text, slots=slots), act=act, language=language) if hard
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Hydrogen, oxygen and… panic? We could do a five-minute quiz.",
        "He said “are you coming?” and left. What then?",
        "{name}, breathe out once.",
        "What's your number one snack?",
        "Okay 🙂",
    ],
)
def test_a_good_line_passes(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * 221, "characters"),
        ("Really? And then?", "question"),
        ("Nice 🙂🙂", "emoji"),
        ("**Bold** move.", "markup"),
        ("{dog} is cute.", "unknown slot"),
        ("You said {quote}.", "quote"),
        ("{name is open.", "curly"),
        ("Nobody  home.", "spaces"),
        ("Already? I'll miss you!", "guilt"),
        ("I am human, promise.", "human"),
        ("I love you too.", "romance"),
        ("Don't tell your parents.", "secrets"),
        ("What school do you go to?", "place"),
        ("Everything happens for a reason.", "therapy"),
        ("That has 300 calories.", "diets"),
    ],
)
def test_a_bad_line_is_named_with_its_reason(text: str, reason: str) -> None:
    assert any(reason in what for what in problems(text))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pt-BR", "Vou sentir sua falta!"),
        ("pt-BR", "Eu sou humana, juro."),
        ("es", "No te vayas."),
        ("es", "Mándame una foto."),
        ("fr", "Tu vas me manquer."),
        ("fr", "Je suis un humain."),
    ],
)
def test_the_other_languages_have_their_own_rules(language: Language, text: str) -> None:
    assert any("banned" in what for what in problems(text, language=language))


def test_a_farewell_is_short_and_does_not_ask() -> None:
    assert problems("Okay, see you! Hope practice goes well.", act="farewell") == []
    assert problems("Leaving? Okay.", act="farewell")
    assert problems("Okay " + "and so on " * 6, act="farewell_night")


def test_lines_that_are_nearly_the_same_are_found_and_different_ones_are_not() -> None:
    texts = [
        ("a", "A lunch table can feel loud today"),
        ("b", "a lunch table can feel quite loud today!"),
        ("c", "The rain has opinions about roofs"),
    ]
    assert [(twin.first, twin.second, twin.same) for twin in twins(texts)] == [("b", "a", False)]


def lint_of(root: Path, content: str) -> list[str]:
    (root / "en").mkdir()
    (root / "en" / "school.yaml").write_text(content, encoding="utf-8")
    return [str(problem) for problem in lint_language("en", root).errors]


def test_a_file_with_every_fault_is_told_each_of_them(tmp_path: Path) -> None:
    found = "\n".join(
        lint_of(
            tmp_path,
            "situation: shcool\nexchanges:\n"
            "  - {id: a, said: [hi there, Hi there!, yo], replies: [One of them.]}\n"
            "  - {id: a, said: [], replies: "
            "[{text: One of them., chips: [a chip too long to be tapped]}, 'Two, {name}.']}\n",
        )
    )
    for what in (
        "the file is called",
        "stands 2 times",
        "only one reply",
        "nothing under `said`",
        "chip over",
        "stands",
    ):
        assert what in found


def test_bad_yaml_and_bad_shape_are_errors_not_crashes(tmp_path: Path) -> None:
    assert "not YAML" in lint_of(tmp_path, "situation: [")[0]
    (tmp_path / "en" / "school.yaml").write_text("situation: school\nexchanges: [{id: A B, replies: [x]}]")
    assert any("exchanges.0.id" in str(problem) for problem in lint_language("en", tmp_path).errors)


def test_the_command_prints_counts_and_an_unknown_language_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    main(["fr"])
    assert "exchanges / ways to say it / lines" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["klingon"])


def test_a_language_that_cannot_say_what_it_is_does_not_pass(tmp_path: Path) -> None:
    found = lint_of(tmp_path, "situation: school\nexchanges: [{id: a, said: [hi, yo, hey], replies: [One., Two.]}]\n")
    assert any("are_you_real" in problem for problem in found)
    assert any("farewell" in problem for problem in found)
