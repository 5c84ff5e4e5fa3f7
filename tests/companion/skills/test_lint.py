"""What a skill's file may not have, each with a small file that has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from companion.skills.lint import language_problems, main
from companion.skills.load import SKILLS_DIR
from companion.types import Language
from tests.companion.skills.talking import CAVE, PEBBLES, changed, shipped_forms, written

FLINT, CHALK = PEBBLES["rounds"]


def problems(directory: Path, *given: Any, language: Language = "en") -> list[str]:
    for one in given:
        written(directory, one, language=language)
    found, files = language_problems(language, directory)
    assert files == len(given)
    return found


def with_line(text: str) -> dict[str, Any]:
    return changed(PEBBLES, start=[text])


def with_scene(**fields: Any) -> dict[str, Any]:
    return changed(CAVE, scenes={**CAVE["scenes"], **fields})


def test_good_files_pass(tmp_path: Path) -> None:
    assert problems(tmp_path, PEBBLES, CAVE) == []


def test_a_file_that_cant_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, changed(PEBBLES, more=None))
    assert problem.startswith("en/pebbles.yaml:1: more: ")


def test_the_tap_has_to_be_a_way_of_asking(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, changed(PEBBLES, chip="stones"))
    assert problem == "en/pebbles.yaml: the chip 'stones' is not among the wakes"


def test_the_tap_may_have_capitals_and_accents(tmp_path: Path) -> None:
    assert problems(tmp_path, changed(PEBBLES, chip="A Pébble!")) == []


# --- lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Stones of {colour}.", "unknown slot {colour}"),
        ("Stones {of.", "a curly bracket is left open"),
        ("Stones 🙂🙂.", "more than one emoji"),
        ("**Stones** ahead.", "markup"),
        ("See https://stones.example.", "markup"),
        ("Stones\nahead.", "markup"),
        ("- stones", "markup"),
        ("Stones  ahead.", "spaces too many"),
        (" Stones ahead.", "spaces too many"),
        ("I'll miss you!", "banned (guilt or neediness)"),
        ("I am human, promise.", "banned (claims to be human"),
        ("I love you too.", "banned (romance"),
        ("Don't tell your parents.", "banned (secrets"),
    ],
)
def test_a_bad_line_is_named_with_its_place_and_its_reason(tmp_path: Path, text: str, told: str) -> None:
    (problem,) = problems(tmp_path, with_line(text))
    assert problem.startswith(f"en/pebbles.yaml: start/0: {told}")
    assert repr(text) in problem


@pytest.mark.parametrize(
    ("language", "text"),
    [("pt-BR", "Vou sentir sua falta!"), ("es", "No te vayas."), ("fr", "Tu vas me manquer.")],
)
def test_every_language_has_its_own_rules(tmp_path: Path, language: Language, text: str) -> None:
    (problem,) = problems(tmp_path, with_line(text), language=language)
    assert problem.startswith(f"{language}/pebbles.yaml: start/0: banned (")


BAD = "I love you too."
PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "about": (changed(PEBBLES, about=BAD), "about"),
    "a line of say": (changed(PEBBLES, say={**PEBBLES["say"], "empty": ["No stone.", BAD]}), "empty/1"),
    "a question": (changed(PEBBLES, rounds=[{**FLINT, "ask": BAD}, CHALK]), "flint/ask"),
    "a hint": (changed(PEBBLES, rounds=[{**FLINT, "hint": BAD}, CHALK]), "flint/hint"),
    "an answer": (changed(PEBBLES, rounds=[{**FLINT, "reveal": BAD}, CHALK]), "flint/reveal"),
    "an option's reply": (
        changed(
            PEBBLES,
            rounds=[
                CHALK,
                {
                    "id": "either",
                    "ask": "Sand or clay?",
                    "options": [
                        {"said": "sand", "chip": "sand", "reply": "Fine."},
                        {"said": "clay", "chip": "clay", "reply": BAD},
                    ],
                    "otherwise": "Mud.",
                },
            ],
        ),
        "either/options/1/reply",
    ),
    "a scene": (with_scene(lit={"say": ["It shines.", BAD], "any": "hall"}), "lit/1"),
    "a scene's last word": (changed(CAVE, say={**CAVE["say"], "end": [BAD]}), "end/0"),
}


@pytest.mark.parametrize(("given", "where"), PLACES.values(), ids=PLACES.keys())
def test_a_line_is_looked_at_wherever_it_stands(tmp_path: Path, given: dict[str, Any], where: str) -> None:
    assert [problem.split(": ")[1] for problem in problems(tmp_path, given)] == [where]


SMALL = "I love you"
MOUTH = CAVE["scenes"]["mouth"]
LAMP, ROPE = MOUTH["choices"]
SMALL_PLACES: dict[str, dict[str, Any]] = {
    "a title": changed(PEBBLES, title=SMALL),
    "a tap that asks for it": changed(PEBBLES, chip=SMALL, wakes=[SMALL]),
    "the tap for more": changed(PEBBLES, more=SMALL),
    "a choice's tap": with_scene(mouth={**MOUTH, "choices": [LAMP, {**ROPE, "chip": SMALL}]}),
    "a tap to go on": with_scene(lit={"say": "{lamp} shines.", "any": "hall", "chip": SMALL}),
    "a story's title": with_scene(mouth={**MOUTH, "title": SMALL}),
    "an ending's name": with_scene(out={"say": "Daylight.", "ending": SMALL}),
    "a name that is given": with_scene(name={**CAVE["scenes"]["name"], "unkept": SMALL}),
}


@pytest.mark.parametrize("given", SMALL_PLACES.values(), ids=SMALL_PLACES.keys())
def test_small_words_that_a_teen_reads_are_looked_at_too(tmp_path: Path, given: dict[str, Any]) -> None:
    assert [problem for problem in problems(tmp_path, given) if "banned (romance" in problem] != []


def test_a_round_may_ask_in_emoji_and_nothing_else_may(tmp_path: Path) -> None:
    assert problems(tmp_path, changed(PEBBLES, rounds=[{**FLINT, "ask": "🔥🪨✨?"}, CHALK])) == []
    (problem,) = problems(tmp_path / "two", changed(PEBBLES, rounds=[{**FLINT, "reveal": "🔥🪨"}, CHALK]))
    assert "flint/reveal: more than one emoji" in problem


def test_a_line_that_stands_twice_is_named_with_both_places(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, changed(PEBBLES, rounds=[FLINT, {**CHALK, "hint": FLINT["hint"]}]))
    assert problem == f"en/pebbles.yaml: chalk/hint: the same line as flint/hint: {FLINT['hint']!r}"


def test_a_coded_skills_lines_may_have_their_own_slots_only(tmp_path: Path) -> None:
    path = tmp_path / "en" / "study_timer.yaml"
    path.parent.mkdir()
    text = (SKILLS_DIR / "en" / "study_timer.yaml").read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    assert language_problems("en", tmp_path) == ([], 1)
    path.write_text(text.replace("{minutes}", "{hours}", 1), encoding="utf-8")
    (problem,) = language_problems("en", tmp_path)[0]
    assert "begin/0: unknown slot {hours}" in problem


# --- scenes -----------------------------------------------------------------------------------------------------------


def test_a_scene_that_nothing_leads_to_is_named(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, with_scene(attic={"say": "An attic.", "any": "out"}))
    assert problem == "en/cave.yaml: attic: nothing leads to this scene"


def test_scenes_without_a_way_to_an_ending_are_named(tmp_path: Path) -> None:
    found = problems(
        tmp_path, with_scene(lit={"say": "It shines.", "any": "dim"}, dim={"say": "It dims.", "any": "lit"})
    )
    assert sorted(found) == [
        f"en/cave.yaml: {scene}: no way leads from here to an ending" for scene in ("dim", "lit", "name")
    ]


def test_a_slot_is_allowed_only_where_every_way_has_kept_it(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, with_scene(out={"say": "{lamp} and you, in daylight.", "ending": "The way out"}))
    assert problem.startswith("en/cave.yaml: out/0: unknown slot {lamp}"), "who took the rope never named a lamp"


# --- all files of a language ------------------------------------------------------------------------------------------


def test_two_skills_cant_be_asked_for_in_the_same_words(tmp_path: Path) -> None:
    twin = changed(PEBBLES, skill="gravel", wakes=["a pebble", "Tell me a PEBBLE!"])
    assert sorted(problems(tmp_path, PEBBLES, twin)) == [
        "en: 'a pebble' wakes gravel and pebbles",
        "en: 'tell me a pebble' wakes gravel and pebbles",
    ]


def test_a_skill_cant_be_asked_for_in_the_words_of_the_menu(tmp_path: Path) -> None:
    menu = shipped_forms()["house"]["en"].model_dump()["menu_wakes"][0]
    house = (SKILLS_DIR / "en" / "house.yaml").read_text(encoding="utf-8")
    written(tmp_path, house, name="house")
    written(tmp_path, changed(PEBBLES, wakes=["a pebble", menu]))
    assert language_problems("en", tmp_path) == ([f"en: {menu!r} wakes house and pebbles"], 2)


@pytest.mark.parametrize("word", ["stop", "idk", "yes", "bye"])
def test_a_skill_cant_be_asked_for_in_words_that_mean_something_in_every_game(tmp_path: Path, word: str) -> None:
    """With `stop` among its wakes, a skill would begin where somebody wants out of another one."""
    written(tmp_path, (SKILLS_DIR / "en" / "house.yaml").read_text(encoding="utf-8"), name="house")
    written(tmp_path, changed(PEBBLES, wakes=["a pebble", word]))
    (problem,) = language_problems("en", tmp_path)[0]
    assert word in problem


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_counts_files_and_problems_and_says_so_by_its_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, PEBBLES)
    assert main(["en", "--directory", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "en: 1 files, 0 problems\n"
    written(tmp_path, changed(PEBBLES, chip="stones"), language="fr")
    assert main(["--directory", str(tmp_path)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert "fr/pebbles.yaml: the chip 'stones' is not among the wakes" in told
    assert [line for line in told if line.endswith(" problems")] == [
        "en: 1 files, 0 problems",
        "pt-BR: 0 files, 0 problems",
        "es: 0 files, 0 problems",
        "fr: 1 files, 1 problems",
    ]


def test_the_command_knows_no_other_language(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["xx"])
    assert left.value.code == 2
    assert "unknown language: xx" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_no_clean_bill(tmp_path: Path) -> None:
    """Whoever mistypes a path must not read that all is well."""
    try:
        status = main(["en", "--directory", str(tmp_path / "missing")])
    except SystemExit as left:
        status = int(left.code or 0)
    assert status != 0
