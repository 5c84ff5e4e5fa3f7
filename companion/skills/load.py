"""Reads skills from their YAML files. A file that can't be used is named by its line and left out; the rest loads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from companion.skills.api import Card, Introduction, Skill
from companion.skills.coded.base import Coded
from companion.skills.coded.debate import Debate, DebateForm
from companion.skills.coded.mood_checkin import MoodCheckin, MoodCheckinForm
from companion.skills.coded.planner import Planner, PlannerForm
from companion.skills.coded.roast import Roast, RoastForm
from companion.skills.coded.selfie import Selfie, SelfieForm
from companion.skills.coded.study_timer import StudyTimer, StudyTimerForm
from companion.skills.coded.teach_word import TeachWord, TeachWordForm
from companion.skills.coded.twenty_questions import TwentyQuestions, TwentyQuestionsForm
from companion.skills.coded.word_chain import WordChain, WordChainForm
from companion.skills.form import HeadForm, LinesForm, RoundsForm, ScenesForm, yaml_read
from companion.skills.house import HOUSE, HouseForm
from companion.skills.rounds import Rounds
from companion.skills.scenes import Scenes
from companion.types import LANGUAGES, Language

SKILLS_DIR = Path(__file__).parent
CODED: Mapping[str, tuple[type[Coded[Any]], type[LinesForm]]] = {
    "debate": (Debate, DebateForm),
    "mood_checkin": (MoodCheckin, MoodCheckinForm),
    "planner": (Planner, PlannerForm),
    "roast": (Roast, RoastForm),
    "selfie": (Selfie, SelfieForm),
    "study_timer": (StudyTimer, StudyTimerForm),
    "teach_word": (TeachWord, TeachWordForm),
    "twenty_questions": (TwentyQuestions, TwentyQuestionsForm),
    "word_chain": (WordChain, WordChainForm),
}
LARGEST = 1 << 20  # bytes of a file
Forms = dict[str, dict[Language, HeadForm]]


class SkillFileError(ValueError):
    """A file that can't be used; the text says where and why."""


def form_of(kind: object, name: str) -> type[HeadForm]:
    """The form that a file must have. Raises SkillFileError."""
    if kind == "rounds":
        return RoundsForm
    if kind == "scenes":
        return ScenesForm
    if kind == "lines":
        if name == HOUSE:
            return HouseForm
        if name in CODED:
            return CODED[name][1]
        raise SkillFileError("`kind: lines` is for skills that are coded; without code it is `rounds` or `scenes`")
    raise SkillFileError(f"`kind` is {kind!r}; there are `rounds` and `scenes`")


def file_read(path: Path, *, shown: str | None = None) -> HeadForm:
    """One file. Raises SkillFileError, which names the file and the line."""
    name = shown or path.name
    try:
        content = path.read_bytes()
        if len(content) > LARGEST:
            raise SkillFileError(f"{name}: over {LARGEST} bytes")
        given = yaml_read(content)
    except (OSError, yaml.YAMLError, RecursionError) as error:
        raise SkillFileError(f"{name}: can't be read: {error}") from error
    if not isinstance(given, dict):
        raise SkillFileError(f"{name}:1: a skill begins with `skill:`, `kind:` and `title:`")
    try:
        form = form_of(given.get("kind"), path.stem).model_validate(given)
    except ValidationError as error:
        raise SkillFileError(_told(name, content, error)) from error
    except SkillFileError as error:
        raise SkillFileError(f"{name}:1: {error}") from error
    if form.skill != path.stem:
        raise SkillFileError(f"{name}:1: skill is {form.skill!r}, the file is called {path.stem!r}")
    if not form.wakes and form.skill != HOUSE:
        raise SkillFileError(f"{name}:1: nothing under `wakes`: nobody could ask for it")
    return form


def _told(name: str, content: bytes, error: ValidationError) -> str:
    root = yaml.compose(content, Loader=yaml.CBaseLoader)
    said = [
        f"{name}:{_line(root, one['loc'])}: {'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
        for one in error.errors(include_input=False)[:5]
    ]
    return "; ".join(said)


def _line(node: yaml.Node | None, path: Sequence[int | str]) -> int:
    """The line, from 1, of what a path leads to, or of the last of it that is there."""
    for part in path:
        inner = _inner(node, part)
        if inner is None:
            break
        node = inner
    return 1 if node is None else node.start_mark.line + 1


def _inner(node: yaml.Node | None, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return cast(yaml.Node, node.value[part])
    return None


def files_in(directory: Path) -> Iterator[tuple[Language, Path]]:
    """Raises OSError for a folder that can't be read."""
    for language in LANGUAGES:
        if (directory / language).is_dir():
            for path in sorted((directory / language).iterdir()):
                if path.suffix == ".yaml":
                    yield language, path


def forms_in(directory: Path, *, left_out: list[str]) -> Forms:
    """name -> language -> form, of all files in `<directory>/<language>/`. What can't be used goes into `left_out`."""
    found: Forms = {}
    try:
        if not directory.is_dir():
            left_out.append(f"{directory}: no such folder")
        for language, path in files_in(directory):
            try:
                found.setdefault(path.stem, {})[language] = file_read(path, shown=f"{language}/{path.name}")
            except SkillFileError as error:
                left_out.append(str(error))
    except OSError as error:
        left_out.append(f"{directory}: can't be read: {error.strerror}")
    return {name: forms for name, forms in found.items() if forms}


def skill_of(name: str, forms: Mapping[Language, HeadForm], give_up: Mapping[Language, str]) -> Skill:
    """The skill that these files tell. give_up: by language, the tap that gives a riddle up. Raises SkillFileError."""
    first = next(iter(forms.values()))
    if any(form.kind != first.kind for form in forms.values()):
        raise SkillFileError(f"{name}: `kind` differs between the languages")
    languages = {
        language: Introduction(form.title, form.about, form.wakes, form.chip or form.title, form.alone, form.names)
        for language, form in forms.items()
    }
    card = Card(name, languages, plain=first.plain, low=first.low, game=first.game)
    if first.kind == "rounds":
        return Rounds(card, cast(Mapping[Language, RoundsForm], forms), give_up)
    if first.kind == "scenes":
        return Scenes(card, cast(Mapping[Language, ScenesForm], forms))
    coded = CODED[name][0]
    return coded(replace(card, permissions=coded.permissions), forms)
