"""Files that can't be used are named with their line and left out; the rest loads."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from companion.skills.catalogue import Skills
from companion.skills.load import LARGEST, SKILLS_DIR, SkillFileError, file_read, forms_in
from tests.companion.skills.talking import CAVE, PEBBLES, Talk, changed, shipped_forms, with_files, written

ROOT = SKILLS_DIR.parents[1]


def problems_in(directory: Path) -> list[str]:
    """What can't be used there. One file more, which is right, must load whatever else stands beside it."""
    written(directory, CAVE)
    left_out: list[str] = []
    assert "cave" in forms_in(directory, left_out=left_out)
    return left_out


def text_of(given: Any) -> str:
    return str(yaml.safe_dump(json.loads(json.dumps(given)), sort_keys=False))  # a copy: no two places share a list


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_what_stands_in_the_house_has_no_problems(skills: Skills) -> None:
    assert skills.problems == ()
    assert len(skills.names()) == len(shipped_forms()) - 1, "all but the house itself"


def test_an_operators_file_becomes_a_skill(tmp_path: Path) -> None:
    skills = with_files(tmp_path, PEBBLES)
    assert skills.problems == ()
    assert (skills.title("pebbles", "en"), skills.about("pebbles", "en")) == ("Pebbles", PEBBLES["about"])
    assert skills.title("pebbles", "fr") == "Pebbles", "the language that there is"
    assert Talk(skills).said("tell me a pebble").startswith("Stones ahead.")


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    written(tmp_path, "skill: pebbles\nkind: rounds\ntitle: [Pebbles\nabout: Stones\n", name="pebbles")
    (problem,) = problems_in(tmp_path)
    assert problem.startswith("en/pebbles.yaml")
    assert "line 4" in problem


MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a field is missing": ({"more": None}, "skill:", "more"),
    "a field is unknown": ({"colour": "green"}, "green", "colour"),
    "a title is too long": ({"title": "P" * 25}, "title:", "title"),
    "a tap is empty": ({"chip": ""}, "chip:", "chip"),
    "a line is too long": ({"start": ["Fine.", "x" * 221]}, "xxx", "start.1"),
    "one round only": ({"rounds": PEBBLES["rounds"][:1]}, "- id: flint", "rounds"),
    "a round asks nothing": (
        {"rounds": [PEBBLES["rounds"][0], {"id": "chalk", "reveal": "Chalk."}]},
        "- id: chalk",
        "rounds.1.ask",
    ),
    "a line of say is missing": (
        {"say": {key: lines for key, lines in PEBBLES["say"].items() if key != "end"}},
        "right:",
        "say.end",
    ),
}


@pytest.mark.parametrize(("fields", "stands_at", "path"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_with_its_line_and_where_it_is(
    tmp_path: Path, fields: dict[str, Any], stands_at: str, path: str
) -> None:
    text = text_of(changed(PEBBLES, **fields))
    written(tmp_path, text, name="pebbles")
    (problem,) = problems_in(tmp_path)
    assert problem.startswith(f"en/pebbles.yaml:{line_of(text, stands_at)}: {path}: ")


def test_several_mistakes_are_all_named(tmp_path: Path) -> None:
    written(tmp_path, changed(PEBBLES, more=None, colour="green"))
    (problem,) = problems_in(tmp_path)
    assert "more: Field required" in problem
    assert "colour: Extra inputs" in problem


def _rounds(**second: Any) -> dict[str, Any]:
    return changed(PEBBLES, rounds=[PEBBLES["rounds"][0], {"id": "chalk", "ask": "Which?", **second}])


def _scenes(**scene: Any) -> dict[str, Any]:
    return changed(CAVE, skill="hole", scenes={**CAVE["scenes"], "lit": {"say": "It shines.", **scene}})


OPTION = {"said": "yes", "chip": "yes", "reply": "So be it."}
CHOICE = {"said": "up", "chip": "up", "to": "out"}
BROKEN_RULES: dict[str, tuple[dict[str, Any], str]] = {
    "two rounds of one id": (_rounds(id="flint", reveal="Flint."), "'flint' stands 2 times"),
    "a round that goes nowhere": (_rounds(), "needs a `reveal` or `options`"),
    "one option": (_rounds(options=[OPTION], otherwise="Or not."), "two or three options"),
    "options without otherwise": (_rounds(options=[OPTION, {**OPTION, "said": "no"}]), "`otherwise`"),
    "options and a reveal": (
        _rounds(options=[OPTION, {**OPTION, "said": "no"}], otherwise="Or not.", reveal="Chalk."),
        "no answers, hint or reveal",
    ),
    "one word for two options": (_rounds(options=[OPTION, OPTION], otherwise="Or not."), "'yes' under `said` twice"),
    "answers without words for them": (
        changed(PEBBLES, say={**PEBBLES["say"], "wrong": []}),
        "need lines under say: right, wrong and give_up",
    ),
    "a scene that stands still": (_scenes(), "exactly one of choices, any, keeps and ending"),
    "a scene that goes on twice": (_scenes(any="out", ending="Over"), "exactly one of choices, any, keeps and ending"),
    "one choice": (_scenes(choices=[CHOICE]), "two or three choices"),
    "a choice that leads nowhere": (
        _scenes(choices=[CHOICE, {"said": "down", "chip": "down", "to": "nowhere"}]),
        "leads to 'nowhere', which is no scene",
    ),
    "one word for two choices": (_scenes(choices=[CHOICE, CHOICE]), "'up' under `said` twice"),
    "a pause with one way on": (_scenes(any="out", pause="true"), "`pause` has two choices"),
    "keeps without a way on": (_scenes(keeps="lamp"), "needs `to` and `unkept`"),
    "a start that is no scene": (changed(_scenes(any="out"), start=["mouth", "roof"]), "`start` names 'roof'"),
}


@pytest.mark.parametrize(("given", "told"), BROKEN_RULES.values(), ids=BROKEN_RULES.keys())
def test_a_broken_rule_of_a_form_is_told_in_words(tmp_path: Path, given: dict[str, Any], told: str) -> None:
    written(tmp_path, given)
    (problem,) = problems_in(tmp_path)
    assert problem.startswith(f"en/{given['skill']}.yaml:")
    assert told in problem


HEADS: dict[str, tuple[str, str]] = {
    "an unknown kind": ("skill: pebbles\nkind: quiz\n", "`kind` is 'quiz'"),
    "no kind": ("skill: pebbles\n", "`kind` is None"),
    "lines without code": ("skill: pebbles\nkind: lines\n", "`kind: lines` is for skills that are coded"),
    "another name inside": (text_of(changed(PEBBLES, skill="stones")), "skill is 'stones', the file is called"),
    "nothing wakes it": (text_of(changed(PEBBLES, wakes=[])), "nobody could ask for it"),
    "a list": ("- skill: pebbles\n", "a skill begins with"),
    "a word": ("pebbles\n", "a skill begins with"),
    "nothing at all": ("", "a skill begins with"),
    "only a remark": ("# to be written\n", "a skill begins with"),
}


@pytest.mark.parametrize(("text", "told"), HEADS.values(), ids=HEADS.keys())
def test_a_file_that_begins_wrongly_is_named_at_its_first_line(tmp_path: Path, text: str, told: str) -> None:
    written(tmp_path, text, name="pebbles")
    (problem,) = problems_in(tmp_path)
    assert problem.startswith("en/pebbles.yaml:1: ")
    assert told in problem


def test_a_file_over_a_mebibyte_is_refused(tmp_path: Path) -> None:
    written(tmp_path, text_of(PEBBLES) + "#" * LARGEST, name="pebbles")
    (problem,) = problems_in(tmp_path)
    assert problem == f"en/pebbles.yaml: over {LARGEST} bytes"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "", name="pebbles").write_bytes(b"skill: \xff\xfe\x00pebbles\n")
    (problem,) = problems_in(tmp_path)
    assert problem.startswith("en/pebbles.yaml: can't be read")


BOMB = "\n".join(
    ["a0: &a0 [boom, boom, boom, boom, boom, boom, boom, boom, boom]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
)


@pytest.mark.parametrize("field", ["wakes", "start", "rounds", "say", "about"])
def test_aliases_that_grow_without_end_are_refused(tmp_path: Path, field: str) -> None:
    written(tmp_path, f"{BOMB}\n{text_of(changed(PEBBLES, **{field: None}))}{field}: *a29\n", name="pebbles")
    (problem,) = problems_in(tmp_path)
    assert problem.startswith("en/pebbles.yaml:")
    assert len(problem) < 2000


def test_an_alias_of_itself_is_refused(tmp_path: Path) -> None:
    written(tmp_path, f"{text_of(changed(PEBBLES, wakes=None))}wakes: &wakes [*wakes]\n", name="pebbles")
    (problem,) = problems_in(tmp_path)
    assert problem.startswith("en/pebbles.yaml:")


def test_a_file_nested_deep_is_refused(tmp_path: Path) -> None:
    written(tmp_path, f"skill: pebbles\nkind: rounds\nwakes: {'[' * 5_000}{']' * 5_000}\n", name="pebbles")
    (problem,) = problems_in(tmp_path)
    assert problem.startswith("en/pebbles.yaml:")


def test_a_file_nested_very_deep_is_refused_and_takes_nothing_along(tmp_path: Path) -> None:
    text = f"skill: pebbles\nkind: rounds\nwakes: {'[' * 100_000}{']' * 100_000}\n"
    path = written(tmp_path, text, name="pebbles")
    reads = (
        "import pathlib, sys\n"
        "from companion.skills.load import SkillFileError, file_read\n"
        "try:\n    file_read(pathlib.Path(sys.argv[1]))\n"
        "except SkillFileError as error:\n    print(error)\n"
    )
    # A process of its own: what overflows the C stack ends it.
    done = subprocess.run(
        [sys.executable, "-c", reads, str(path)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, f"the process ended with {done.returncode}"
    assert done.stdout.startswith("pebbles.yaml")


@pytest.fixture(scope="module")
def untidy(tmp_path_factory: pytest.TempPathFactory) -> Skills:
    """All that can be wrong with files that are right by themselves, and one that is just right."""
    directory = tmp_path_factory.mktemp("untidy")
    written(directory, changed(PEBBLES, skill="jokes"))
    written(directory, changed(PEBBLES, skill="two_kinds"))
    written(directory, changed(CAVE, skill="two_kinds"), language="fr")
    written(directory, PEBBLES)
    written(directory, changed(PEBBLES, colour="vert"), language="fr")
    written(directory, (SKILLS_DIR / "en" / "house.yaml").read_text(encoding="utf-8"), name="house")
    return with_files(directory, CAVE)


def test_all_that_is_wrong_in_a_folder_is_named_and_the_rest_is_played(untidy: Skills) -> None:
    assert len(untidy.problems) == 4
    assert Talk(untidy).said("lets go into the cave") != ""


def test_a_name_that_is_taken_is_named_and_the_shipped_skill_stays(untidy: Skills) -> None:
    assert "the skill 'jokes' can't be used: the name is taken" in untidy.problems
    assert untidy.title("jokes", "en") == "Jokes"


def test_kinds_that_differ_between_languages_are_named(untidy: Skills) -> None:
    (problem,) = [problem for problem in untidy.problems if "two_kinds" in problem]
    assert "`kind` differs" in problem
    assert "two_kinds" not in untidy.names()


def test_one_bad_language_leaves_the_others(untidy: Skills) -> None:
    (problem,) = [problem for problem in untidy.problems if "pebbles" in problem]
    assert problem.startswith("fr/pebbles.yaml:")
    assert Talk(untidy).said("tell me a pebble") != ""
    assert Talk(untidy, language="fr").say("tell me a pebble").says == ()


def test_a_house_of_an_operators_own_is_no_skill(untidy: Skills) -> None:
    """The words around all games are the product's: stop and bye can't be taken away by a file."""
    assert [problem for problem in untidy.problems if "'house'" in problem] != []
    assert "house" not in untidy.names()


def test_each_bad_file_of_many_is_named(tmp_path: Path) -> None:
    for n in range(5):
        written(tmp_path, "", name=f"empty_{n}")
    problems = problems_in(tmp_path)
    assert [problem.split(":")[0] for problem in problems] == [f"en/empty_{n}.yaml" for n in range(5)]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    skills = Skills(directory=tmp_path / "missing", packages=False)
    assert skills.problems == (f"{tmp_path / 'missing'}: no such folder",)
    assert "jokes" in skills.names()


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "skills").write_text("", encoding="utf-8")
    assert len(Skills(directory=tmp_path / "skills", packages=False).problems) == 1


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "en" / "pebbles.yaml").mkdir(parents=True)
    (problem,) = problems_in(tmp_path)
    assert problem.startswith("en/pebbles.yaml: can't be read")


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    written(tmp_path, PEBBLES).unlink()
    (tmp_path / "en" / "pebbles.yaml").symlink_to(tmp_path / "gone.yaml")
    (problem,) = problems_in(tmp_path)
    assert problem.startswith("en/pebbles.yaml: can't be read")


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder for skills whose rights a test takes away, read as somebody who is not root: root reads everything."""
    directory, before = Path(tempfile.mkdtemp()), os.geteuid()
    directory.chmod(0o755)
    written(directory, PEBBLES)
    (directory / "en").chmod(0o755)
    if before == 0:
        os.seteuid(65534)
    yield directory
    os.seteuid(before)
    for path in (directory, directory / "en"):
        path.chmod(0o755)
    shutil.rmtree(directory)


def _shut(path: Path) -> None:
    now = os.geteuid()
    os.seteuid(os.getuid())
    path.chmod(0o000)
    os.seteuid(now)


def test_a_file_that_may_not_be_read_is_named(closed: Path) -> None:
    _shut(closed / "en" / "pebbles.yaml")
    left_out: list[str] = []
    assert forms_in(closed, left_out=left_out) == {}
    assert [problem.split(":")[0] for problem in left_out] == ["en/pebbles.yaml"]


@pytest.mark.parametrize("shut", ["", "en"])
def test_a_folder_that_may_not_be_read_is_named(closed: Path, shut: str) -> None:
    _shut(closed / shut)
    left_out: list[str] = []
    assert forms_in(closed, left_out=left_out) == {}
    assert len(left_out) == 1


def test_a_folder_behind_a_closed_one_stops_no_start(closed: Path) -> None:
    if not os.access(SKILLS_DIR / "en", os.R_OK, effective_ids=True):
        pytest.skip("this checkout is for root alone")
    _shut(closed)
    skills = Skills(directory=closed / "en", packages=False)
    assert len(skills.problems) == 1
    assert "jokes" in skills.names()


@pytest.mark.parametrize("given", ["no", "on", "12", "null", "1.5", "2026-11-24"])
def test_every_word_is_read_as_text(tmp_path: Path, given: str) -> None:
    text = text_of(changed(PEBBLES, wakes=None)) + f"wakes: [a pebble, {given}]\n"
    assert file_read(written(tmp_path, text, name="pebbles")).wakes == ("a pebble", given)


def test_one_file_that_is_wrong_says_so_by_itself(tmp_path: Path) -> None:
    with pytest.raises(SkillFileError, match=r"^pebbles\.yaml:1: "):
        file_read(written(tmp_path, "skill: pebbles\nkind: quiz\n", name="pebbles"))
