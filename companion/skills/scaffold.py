"""Writes the first version of a new skill, which can be played at once: for `manage.py newskill`."""

from __future__ import annotations

import json
import re
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Literal, get_args

from companion.skills.api import Heard
from companion.skills.catalogue import Skills
from companion.skills.form import CHIP, NAME, yaml_read
from companion.skills.house import HOUSE
from companion.skills.load import SKILLS_DIR
from companion.types import LANGUAGES, Language

Kind = Literal["rounds", "scenes", "code"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TEMPLATES = SKILLS_DIR / "templates"
LONGEST = 32  # characters of a name
PLAY: Mapping[Language, tuple[str, ...]] = {
    "en": ("play", "lets play", "can we play"),
    "pt-BR": ("jogar", "bora jogar", "vamos jogar"),
    "es": ("jugar a", "juguemos a", "quiero jugar a"),
    "fr": ("jouer à", "on joue à", "on fait"),
}
PACKAGE = {"pyproject.toml": "pyproject.toml.txt", "{module}.py": "skill.py.txt", "test_{name}.py": "test.py.txt"}


class ScaffoldError(ValueError):
    """Nothing was written; the sentence says why, and what to do."""


def scaffold(name: str, kind: Kind, language: str, directory: Path) -> Path:
    """Write a new skill: a file `<directory>/<language>/<name>.yaml`, or with kind `code` a package in the folder
    `<directory>/<name>/`. Where it is. Nothing that is there is changed. Raises ScaffoldError."""
    if language not in LANGUAGES:
        raise ScaffoldError(f"There is no language {language!r} here. Say --language {_either(LANGUAGES)}.")
    _name_check(name)
    target = directory / name if kind == "code" else directory / language / f"{name}.yaml"
    if target.exists():
        raise ScaffoldError(f"{target} is there already, and stays as it is. Edit it, or choose another name.")
    skills = Skills()
    if name in (*skills.names(), HOUSE) and not _is_ours(directory, kind):
        taken = "`python -m companion.skills --list` shows the names that are taken"
        raise ScaffoldError(f"There is a skill {name!r} already. Choose another name; {taken}.")
    if kind != "code":
        _same_kind_check(name, kind, directory)
    asks = _asks(name, language)
    _asks_check(name, asks, language, skills)
    words = _words(name, asks, language)
    try:
        return _package(target, words) if kind == "code" else _file(target, f"{language}/{kind}.yaml", words)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ScaffoldError(f"{target} can't be written: {why}. Name another folder with --directory.") from error


def _name_check(name: str) -> None:
    if re.fullmatch(NAME, name) and len(name) <= LONGEST:
        return
    better = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:LONGEST].rstrip("_")
    guess = f", like {better!r}" if re.fullmatch(NAME, better) else ""
    rules = f"small letters without accents, digits, single _ between them, a letter first, {LONGEST} at most"
    raise ScaffoldError(f"{name!r} can't be a skill's name. Write it in {rules}{guess}.")


def _is_ours(directory: Path, kind: Kind) -> bool:
    """Whether files that ship are written: another language of a skill has its name."""
    return kind != "code" and directory.resolve() == SKILLS_DIR.resolve()


def _same_kind_check(name: str, kind: Kind, directory: Path) -> None:
    """All languages of one skill are of one kind."""
    for path in (directory / language / f"{name}.yaml" for language in LANGUAGES):
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        found = re.search(r"^kind:\s*(\w+)", text, re.M)
        if found is not None and found.group(1) != kind:
            there = f"{path} is of kind {found.group(1)}, and so is that skill in every language"
            way = (
                f"Say --kind {found.group(1)}" if found.group(1) in KINDS else "Write this one by hand, after that file"
            )
            raise ScaffoldError(f"{there}. {way}, or choose another name.")


def _asks(name: str, language: Language) -> tuple[str, ...]:
    """How somebody asks for it. The first is short enough for a tap."""
    words = name.replace("_", " ")
    asks = tuple(f"{play} {words}" for play in PLAY[language])
    return asks if len(asks[0]) <= CHIP else (_short(words), *asks)


def _short(words: str) -> str:
    return textwrap.shorten(words, CHIP, placeholder="") or words[:CHIP]


def _asks_check(name: str, asks: Sequence[str], language: Language, skills: Skills) -> None:
    """What asks for the new skill asks for no other."""
    for ask in asks:
        claim = skills.claim(Heard(ask, language, "13-15", seed=0), None, off=frozenset())
        if claim is not None and claim.skill != name:
            other = f"for {skills.title(claim.skill, language)!r}" if claim.skill else "what games there are"
            raise ScaffoldError(f"{ask!r} already asks {other}. Choose another name.")


def _words(name: str, asks: Sequence[str], language: Language) -> dict[str, str]:
    """What stands in the templates for `$name`, `$title` ..."""
    words = name.replace("_", " ")
    return {
        "name": name,
        "words": words,
        "dashed": name.replace("_", "-"),
        "module": f"abraco_{name}",
        "class_name": "".join(part.capitalize() for part in name.split("_")) + "Skill",
        "language": language,
        "title": _short(words).capitalize(),
        "chip": asks[0],
        "wakes": ", ".join(f'"{ask}"' for ask in asks),
    }


def _file(target: Path, template: str, words: Mapping[str, str]) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("x", encoding="utf-8") as file:
        file.write(Template((TEMPLATES / template).read_text(encoding="utf-8")).substitute(words))
    return target


def _package(target: Path, words: Mapping[str, str]) -> Path:
    """The whole folder or nothing."""
    lines = yaml_read((TEMPLATES / words["language"] / "code.yaml").read_bytes())
    about = json.dumps(lines.pop("about"), ensure_ascii=False)
    told = "\n".join(f'    "{key}": {json.dumps(line, ensure_ascii=False)},' for key, line in lines.items())
    words = {**words, "about": about, "lines": told}
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".newskill-") as folder:
        made = Path(folder) / target.name
        for file, template in PACKAGE.items():
            _file(made / file.format_map(words), f"code/{template}", words)
        made.rename(target)
    return target


def _either(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
