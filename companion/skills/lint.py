"""Checks the files of skills: `python -m companion.skills.lint [language ...]`. Exit status 1 if there is an error.

With --directory it checks an operator's or a contributor's own folder, `<language>/<name>.yaml`.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import cast

import emoji
from pydantic import BaseModel

from companion.bank.lint_lines import MARKUP, banned, folded
from companion.bank.slots import slots_in
from companion.folding import spelled
from companion.skills.form import HeadForm, LinesForm, RoundsForm, ScenesForm
from companion.skills.house import HOUSE, HouseForm
from companion.skills.load import SKILLS_DIR, SkillFileError, file_read
from companion.types import LANGUAGES, Language

Text = tuple[str, str, Set[str]]  # where, the text, the slots that it may have
FREE_OF_EMOJI_RULE = "/ask"  # a round may ask in emoji


def texts_of(form: HeadForm) -> Iterator[Text]:
    """Every line that a teen may read, with where it stands."""
    yield "about", form.about, frozenset()
    yield from ((where, text, frozenset()) for where, text in _small_words(form))
    if isinstance(form, LinesForm):
        for key, lines in form.lines.items():
            yield from ((f"{key}/{n}", line, form.slots[key]) for n, line in enumerate(lines))
    elif isinstance(form, RoundsForm):
        for key, said in (("start", form.start), *_fields(form.say)):
            yield from ((f"{key}/{n}", line, frozenset()) for n, line in enumerate(said))
    elif isinstance(form, ScenesForm):
        for key, said in _fields(form.say):
            yield from ((f"{key}/{n}", line, frozenset()) for n, line in enumerate(said))
        slots = slots_by_scene(form)
        for name, scene in form.scenes.items():
            yield from ((f"{name}/{n}", line, slots.get(name, frozenset())) for n, line in enumerate(scene.say))
    yield from _deep(form)


def _small_words(form: HeadForm) -> Iterator[tuple[str, str]]:
    """Titles, taps and names, which a teen reads too. Two taps may say the same."""
    yield "title", form.title
    yield from (("chip", form.chip),) if form.chip else ()
    if isinstance(form, RoundsForm):
        yield "more", form.more
        for one in form.rounds:
            yield from ((f"{one.id}/chip/{n}", option.chip) for n, option in enumerate(one.options))
    if isinstance(form, ScenesForm):
        for name, scene in form.scenes.items():
            given = {"title": scene.title, "ending": scene.ending, "unkept": scene.unkept, "chip": scene.chip}
            yield from ((f"{name}/{key}", text) for key, text in given.items() if text)
            yield from ((f"{name}/chip/{n}", choice.chip) for n, choice in enumerate(scene.choices))


def _fields(form: BaseModel) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from ((key, cast("tuple[str, ...]", value)) for key, value in form if isinstance(value, tuple))


def _deep(form: HeadForm) -> Iterator[Text]:
    """The lines that stand inside rounds, motions, excuses, moods ..."""
    for group in ("rounds", "motions", "excuses", "moods"):
        for one in getattr(form, group, ()):
            yield from ((f"{one.id}/{where}", text, frozenset()) for where, text in _strings(one))
    for name, one in getattr(form, "properties", {}).items():
        yield f"{name}/ask", one.ask, frozenset()


def _strings(one: BaseModel) -> Iterator[tuple[str, str]]:
    for key, value in one:
        if key in ("ask", "hint", "reveal", "otherwise", "motion", "reply", "close") and isinstance(value, str):
            yield key, value
        elif key in ("roasts", "replies", "against"):
            yield from ((f"{key}/{n}", text) for n, text in enumerate(value))
        elif key in ("options", "sides"):
            for n, inner in enumerate(value):
                yield from ((f"{key}/{n}/{where}", text) for where, text in _strings(inner))


def slots_by_scene(form: ScenesForm) -> Mapping[str, Set[str]]:
    """What has been kept when a scene is reached, on every way to it. Scenes that nothing reaches are left out."""
    found: dict[str, frozenset[str]] = dict.fromkeys(form.start, frozenset())
    waiting = list(form.start)
    while waiting:
        name = waiting.pop()
        scene = form.scenes[name]
        given = found[name] | ({scene.keeps} if scene.keeps else set())
        for to in scene.nexts():
            both = given if to not in found else found[to] & given
            if found.get(to) != both:
                found[to] = both
                waiting.append(to)
    return found


def _scenes_problems(form: ScenesForm) -> Iterator[str]:
    reached = slots_by_scene(form)
    yield from (f"{name}: nothing leads to this scene" for name in form.scenes if name not in reached)
    ends = {name for name, scene in form.scenes.items() if scene.ending is not None}
    while True:
        more = {name for name, scene in form.scenes.items() if ends.intersection(scene.nexts())} - ends
        if not more:
            break
        ends |= more
    yield from (f"{name}: no way leads from here to an ending" for name in form.scenes if name not in ends)


def form_problems(form: HeadForm, language: Language) -> Iterator[str]:
    """One sentence for each thing that a file may not have."""
    if form.wakes and form.chip is not None and spelled(form.chip) not in {spelled(wake) for wake in form.wakes}:
        yield f"the chip {form.chip!r} is not among the wakes"
    if isinstance(form, ScenesForm):
        yield from _scenes_problems(form)
    seen: dict[str, str] = {}
    for where, text, slots in texts_of(form):
        yield from (f"{where}: {what}: {text!r}" for what in _text_problems(where, text, slots, language))
        if (
            text in seen
            and where.rpartition("/")[0]
            and not where.endswith(("/title", "/unkept"))
            and "chip" not in where
        ):
            yield f"{where}: the same line as {seen[text]}: {text!r}"
        seen[text] = where


def _text_problems(where: str, text: str, slots: Set[str], language: Language) -> Iterator[str]:
    unknown = slots_in(text) - slots
    if unknown:
        yield f"unknown slot {{{', '.join(sorted(unknown))}}}"
    if text.count("{") != text.count("}"):
        yield "a curly bracket is left open"
    if len(emoji.emoji_list(text)) > 1 and not where.endswith(FREE_OF_EMOJI_RULE):
        yield "more than one emoji"
    if MARKUP.search(text):
        yield "markup, a list, a link or a line break"
    if text != text.strip() or "  " in text:
        yield "spaces too many"
    plain = folded(text)
    yield from (f"banned ({reason})" for pattern, reason in banned(language) if pattern.search(plain))  # type: ignore[attr-defined]  # re2 has no types


def language_problems(language: Language, directory: Path) -> tuple[list[str], int]:
    """All problems of one language's files, and how many files there are."""
    problems: list[str] = []
    wakes: dict[str, set[str]] = defaultdict(set)
    files = sorted((directory / language).glob("*.yaml"))
    for path in files:
        shown = f"{language}/{path.name}"
        try:
            form = file_read(path, shown=shown)
        except SkillFileError as error:
            problems.append(str(error))
            continue
        problems.extend(f"{shown}: {problem}" for problem in form_problems(form, language))
        for wake in (*form.wakes, *form.alone, *getattr(form, "menu_wakes", ())):
            wakes[spelled(wake)].add(form.skill)
    for wake, names in wakes.items():
        if wake in said_to_all(language, directory):
            problems.append(f"{language}: {wake!r} means something in every game, and can't wake {sorted(names)[0]}")
    if directory != SKILLS_DIR:
        shipped = _wakes_of(language)
        problems += [
            f"{language}: {wake!r} wakes {sorted(names)[0]}, and {shipped[wake]} already"
            for wake, names in wakes.items()
            if wake in shipped and shipped[wake] not in names
        ]
    twice = {wake: names for wake, names in wakes.items() if len(names) > 1}
    problems += [f"{language}: {wake!r} wakes {' and '.join(sorted(names))}" for wake, names in twice.items()]
    return problems, len(files)


def said_to_all(language: Language, directory: Path) -> frozenset[str]:
    """The words that mean a way out, a goodbye, a yes or a no to the house."""
    own = directory / language / f"{HOUSE}.yaml"
    path = own if own.is_file() else SKILLS_DIR / language / f"{HOUSE}.yaml"
    form = file_read(path) if path.is_file() else None
    if not isinstance(form, HouseForm):
        return frozenset()
    words = (*form.stop, *form.bye, *form.yes, *form.no, *form.kind_of, *form.dont_know, *form.more)
    return frozenset(spelled(word) for word in words)


def _wakes_of(language: Language) -> dict[str, str]:
    """What wakes the shipped skills: phrase -> name."""
    forms = (file_read(path) for path in sorted((SKILLS_DIR / language).glob("*.yaml")))
    return {spelled(wake): form.skill for form in forms for wake in (*form.wakes, *form.alone)}


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m companion.skills.lint", description=__doc__)
    parser.add_argument("languages", nargs="*", help="en pt-BR es fr (default: all that have a folder)")
    parser.add_argument("--directory", type=Path, default=SKILLS_DIR, help="another folder of skills")
    options = parser.parse_args(None if arguments is None else list(arguments))
    unknown = set(options.languages) - set(LANGUAGES)
    if unknown:
        parser.error(f"unknown language: {', '.join(sorted(unknown))}")
    if not options.directory.is_dir():
        parser.error(f"no such folder: {options.directory}")
    wrong = False
    for language in options.languages or LANGUAGES:
        problems, files = language_problems(cast("Language", language), options.directory)
        wrong = wrong or bool(problems)
        for problem in problems:
            print(problem)
        print(f"{language}: {files} files, {len(problems)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
