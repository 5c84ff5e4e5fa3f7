"""`manage.py newskill`: what it writes passes the linter and can be played; what it refuses; that nothing is lost."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from companion.skills.catalogue import Skills
from companion.skills.lint import language_problems
from companion.skills.scaffold import KINDS
from companion.skills.testkit import Player, skill_named
from companion.types import LANGUAGES, Language

ROOT = Path(__file__).resolve().parents[2]


def newskill(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("newskill", *arguments, stdout=out)
    return out.getvalue().splitlines()


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["rounds", "scenes"])
def test_what_it_writes_passes_the_linter_and_is_played_to_its_end(
    tmp_path: Path, kind: str, language: Language
) -> None:
    said = newskill("odd_socks", "--kind", kind, "--language", language)
    assert list(files(tmp_path)) == [f"skills/{language}/odd_socks.yaml"]
    assert said[0] == f"Written: skills/{language}/odd_socks.yaml. Edit it, then:"
    assert "  ABRACO_SKILLS=skills make run" in said
    assert language_problems(language, Path("skills")) == ([], 1)
    skills = Skills(directory=Path("skills"), packages=False)
    assert skills.problems == ()
    player = Player("odd_socks", language, skills=skills)
    player.says(skills.chip("odd_socks", language))
    assert player.chips
    for _ in range(12):
        if player.over:
            break
        player.says(player.chips[0] if player.chips else "Pip")
    assert player.over is (kind == "scenes")
    assert len(player.made) == (kind == "scenes")


def test_a_package_brings_a_test_that_passes(tmp_path: Path) -> None:
    names = {f"number_hat_{language[:2].lower()}": language for language in LANGUAGES}
    for name, language in names.items():
        said = newskill(name, "--kind", "code", "--language", language)
        assert f"  python -m pytest ./{name}" in said
        assert set(files(tmp_path / name)) == {f"abraco_{name}.py", "pyproject.toml", f"test_{name}.py"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *names],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert f"{3 * len(names)} passed" in done.stdout, done.stdout + done.stderr


def test_a_name_as_long_as_it_may_be_fits_everywhere(tmp_path: Path) -> None:
    for name in ("a" * 32, "one_word_after_another_" + "b" * 9):
        newskill(name)
    assert language_problems("en", Path("skills")) == ([], 2)
    assert Skills(directory=Path("skills"), packages=False).problems == ()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Odd Socks", r"'Odd Socks' can't be a skill's name\. .*, like 'odd_socks'\."),
        ("../../etc", r"can't be a skill's name\. .*, like 'etc'\."),
        ("7up", r"'7up' can't be a skill's name\. .* a letter first, 32 at most\."),
        ("", "can't be a skill's name"),
        ("a" * 33, "32 at most"),
        ("ünï", "without accents"),
        ("odd__socks", "like 'odd_socks'"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_name_is_refused_with_the_rule_and_a_better_one(
    tmp_path: Path, kind: str, name: str, sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        newskill(name, "--kind", kind)
    assert files(tmp_path) == {}


@pytest.mark.parametrize("name", ["riddles", "roast", "house"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_taken_is_refused_and_says_where_they_are_listed(tmp_path: Path, kind: str, name: str) -> None:
    with pytest.raises(CommandError, match=f"There is a skill '{name}' already.*companion.skills --list"):
        newskill(name, "--kind", kind)
    assert files(tmp_path) == {}


def _wakes(name: str, skills: Skills) -> tuple[str, ...]:
    spoken = skill_named(name, skills).card.languages
    return spoken["en"].wakes if "en" in spoken else ()


def test_a_name_that_asks_for_another_skill_or_for_the_menu_is_refused(tmp_path: Path) -> None:
    skills = Skills(packages=False)
    wakes = {wake: name for name in skills.names() for wake in _wakes(name, skills)}
    wake, title = next(
        (wake, skills.title(name, "en"))
        for wake, name in wakes.items()
        if wake.startswith("play ") and wake.removeprefix("play ").replace(" ", "_") not in skills.names()
    )
    with pytest.raises(CommandError, match=re.escape(f"{wake!r} already asks for {title!r}. Choose another name.")):
        newskill(wake.removeprefix("play ").replace(" ", "_"))
    with pytest.raises(CommandError, match="'lets play something' already asks what games there are"):
        newskill("something")
    assert files(tmp_path) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_stays_as_it_is(tmp_path: Path, kind: str) -> None:
    there = tmp_path / ("odd_socks" if kind == "code" else "skills/en/odd_socks.yaml")
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text("mine", encoding="utf-8")
    with pytest.raises(CommandError, match=r"is there already, and stays as it is\. Edit it, or choose another name"):
        newskill("odd_socks", "--kind", kind)
    assert list(files(tmp_path).values()) == ["mine"]


def test_an_unknown_language_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    for language in ("de", "pt", "../en"):
        with pytest.raises(CommandError, match="Say --language en, pt-BR, es or fr"):
            newskill("odd_socks", "--language", language)
    assert files(tmp_path) == {}


def test_another_language_of_a_skill_is_written_beside_the_first_and_is_of_its_kind(tmp_path: Path) -> None:
    newskill("odd_socks", "--kind", "scenes")
    with pytest.raises(CommandError, match=r"skills/en/odd_socks\.yaml is of kind scenes.* Say --kind scenes"):
        newskill("odd_socks", "--language", "fr")
    newskill("odd_socks", "--language", "fr", "--kind", "scenes")
    assert set(files(tmp_path)) == {"skills/en/odd_socks.yaml", "skills/fr/odd_socks.yaml"}
    assert "odd_socks" in Skills(directory=Path("skills"), packages=False).names()


@pytest.mark.parametrize("kind", KINDS)
def test_where_nothing_can_be_written_it_says_why_and_leaves_nothing(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(CommandError, match=r"can't be written: .*\. Name another folder with --directory\."):
        newskill("odd_socks", "--kind", kind, "--directory", "file/inside")
    assert files(tmp_path) == {"file": "mine"}
