"""docs/skills.md, done as it says: its commands and its example, in an empty folder, up to a whole turn."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chatbot.accounts.guardian_limits import STAY_ON
from companion.play.services import OPEN_FOR, SHELF
from companion.skills import api, form, rounds, runner, scenes
from companion.skills.catalogue import FAULTS
from companion.skills.scaffold import LONGEST

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "skills.md").read_text(encoding="utf-8")
NUMBERS = {2: "two", 3: "three", 4: "four"}


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def fenced(language: str, text: str) -> list[str]:
    """The blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands(title: str) -> list[str]:
    return [line for block in fenced("sh", section(title)) for line in block.splitlines()]


class Contributor:
    """Somebody in a folder that has nothing but Abraço's own files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("manage.py", "chatbot", "companion", "moderation", "templates"):
            (folder / name).symlink_to(ROOT / name)
        installed = folder / "installed"
        self._env = {
            **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(installed),
            "PIP_TARGET": str(installed),
            "PIP_NO_INDEX": "1",
        }

    def does(self, command: str, *, types: str = "") -> str:
        """What is printed. It must succeed."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            input=types, capture_output=True, text=True, cwd=self.folder, env=self._env, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def contributor(tmp_path: Path) -> Contributor:
    return Contributor(tmp_path)


def turns(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


@pytest.mark.process
def test_a_skill_in_yaml_is_written_checked_played_and_answers_a_turn(contributor: Contributor) -> None:
    write, lint, play, chat, serve = commands("Add one in ten minutes")
    contributor.does(write)
    (example,) = fenced("yaml", section("Add one in ten minutes"))
    (path,) = set(re.findall(r"writes `(skills/en/\w+\.yaml)`", PAGE))
    file = contributor.folder / path
    assert file.is_file()
    assert "en: 1 files, 0 problems" in contributor.does(lint)
    file.write_text(example, encoding="utf-8")
    assert "en: 1 files, 0 problems" in contributor.does(lint)
    given = form.yaml_read(example.encode())
    played = contributor.does(play, types="idk\nyes\nidk\nyes\nidk\nstop\n")
    assert all(one["ask"] in played for one in given["rounds"])
    assert any(line in played for line in given["say"]["end"])
    first, second = turns(contributor.does(chat))
    assert [(turn["skill"], turn["engine"], turn["finish"]) for turn in (first, second)] == [
        (given["skill"], "skill", "complete")
    ] * 2
    assert given["start"] in first["reply"]
    assert any(line in second["reply"] for line in given["say"]["another"])
    assert serve == "ABRACO_SKILLS=skills make run"
    assert f"type `{given['chip'].replace('play', 'lets play')}`" in PAGE


@pytest.mark.process
def test_a_skill_in_code_is_written_tested_installed_and_answers_a_turn(contributor: Contributor) -> None:
    write, test, install, play, chat = commands("A skill in code")
    contributor.does(write)
    assert "3 passed" in contributor.does(test)
    contributor.does(install)
    assert "1 to 20" in contributor.does(play, types="7\nstop\n")
    first, second = turns(contributor.does(chat))
    assert [(turn["skill"], turn["engine"], turn["finish"]) for turn in (first, second)] == [
        ("number_hat", "skill", "complete")
    ] * 2
    assert "11" in second["reply"]


def test_the_test_kit_is_used_as_the_page_shows() -> None:
    (example,) = fenced("python", section("A skill in code"))
    exec(compile(example, "docs/skills.md", "exec"), {})  # noqa: S102  our own page


def named(title: str) -> set[str]:
    """The fields that a table of that section explains: what stands between backticks in it."""
    rows = [line for line in section(title).splitlines() if line.startswith("| ")]
    return set(re.findall(r"`([^`]+)`", "\n".join(rows)))


def test_every_field_of_a_file_is_explained() -> None:
    kinds = (
        form.RoundsForm, form.RoundsSay, form.RoundForm, form.OptionForm, form.ScenesForm, form.ScenesSay,
        form.SceneForm, form.ChoiceForm,
    )  # fmt: skip
    fields = {name for kind in kinds for name in kind.model_fields}
    assert fields - named("What stands in a file") - {"right"} == set()
    assert "`right: true`" in PAGE


def test_everything_that_a_skill_in_code_gets_and_gives_is_explained() -> None:
    text = section("A skill in code")
    calls = ("begin", "go_on", "resume", "leave", "overhears")
    assert [name for name in calls if f"`{name}(heard" not in text] == []
    fields = [*api.Heard.__dataclass_fields__, *api.Answer.__dataclass_fields__]
    assert [name for name in fields if f"`{name}`" not in text] == []
    assert [name for name in (*api.Permission.__args__, *api.Sign.__args__) if f"`{name}`" not in text] == []


def test_its_numbers_are_the_code_s() -> None:
    text = " ".join(PAGE.split())
    for words in (
        f"at most {form.CHIP} characters, lines {form.LINE}, the bubbles of a scene {form.BUBBLE}",
        f"`_`, {LONGEST} at most",
        f"after a wrong try; there are {NUMBERS[rounds.TRIES]}",
        f"({NUMBERS[scenes.KEPT_WORDS]} words, {scenes.KEPT_LETTERS} characters)",
        f"1 to {runner.BUBBLES} bubbles of {runner.BUBBLE} characters",
        f"`chips` ({runner.CHIPS} of {runner.CHIP})",
        f"at most {runner.STATE // 1024} KiB each",
        f"{runner.CUT_OFF_S * 1000:.0f} ms in a thread",
        f"after {NUMBERS[FAULTS]} faults",
        f"for {NUMBERS[int(OPEN_FOR.total_seconds() // 3600)]} hours",
        f"newest {SHELF} things",
        *(f"`{name}` stays" for name in STAY_ON),
    ):
        assert words in text, words
