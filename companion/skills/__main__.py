"""Plays a skill in the terminal, without the service: `python -m companion.skills NAME`; `--list` says which there are.

What is typed is a message; `/day` lets a day pass, `/quit` ends. A skill that fails says how, and exits with status 1.
"""

from __future__ import annotations

import argparse
import random
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from chatbot.core import clock
from companion.skills.catalogue import Skills
from companion.skills.runner import SkillFault
from companion.skills.testkit import NoSuchSkill, Player, skill_named
from companion.types import LANGUAGES, Language


def _typed() -> Iterator[str]:
    """What is typed, line by line. A prompt only where somebody sees it."""
    while True:
        try:
            text = input("> " if sys.stdin.isatty() else "").strip()
        except (EOFError, KeyboardInterrupt):
            return
        if text == "/quit":
            return
        if text:
            yield text


def _show(player: Player, said: tuple[str, ...]) -> None:
    for bubble in said:
        print(bubble)
    if player.chips:
        print("  " + " ".join(f"[{chip}]" for chip in player.chips))
    if not said:
        print("(not for the skill: the companion answers)")
    elif player.over:
        print(f"(it is over, or rests: {player.card.languages[player.language].chip!r} asks for it again)")


def _play(player: Player) -> None:
    """Raises SkillFault."""
    chip = player.card.languages[player.language].chip
    print(f"> {chip}")
    _show(player, player.says(chip))
    for text in _typed():
        if not sys.stdin.isatty():
            print(f"> {text}")
        if text == "/day":
            player.another_day()
            print(f"(it is {player.at:%A} now)")
        else:
            _show(player, player.says(text))


def _list(skills: Skills, language: Language) -> None:
    for name in sorted(skills.names()):
        spoken = skill_named(name, skills).card.languages
        elsewhere = "" if language in spoken else f" ({', '.join(spoken)})"
        print(f"{name:<20}{skills.title(name, language):<26}{skills.about(name, language)}{elsewhere}")
    for problem in skills.problems:
        print(f"left out: {problem}", file=sys.stderr)


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m companion.skills", description=__doc__)
    parser.add_argument("name", nargs="?", help="the skill to play")
    parser.add_argument("--list", action="store_true", help="all skills, with title and about")
    parser.add_argument("--language", default="en", help="en (the default), pt-BR, es or fr")
    parser.add_argument("--directory", type=Path, help="a folder of further skills, <language>/<name>.yaml")
    options = parser.parse_args(None if arguments is None else list(arguments))
    if options.language not in LANGUAGES:
        parser.error(f"There is no language {options.language!r} here. Say one of {', '.join(LANGUAGES)}.")
    if not options.list and options.name is None:
        parser.error("Say which skill; --list shows them all.")
    language, skills = cast("Language", options.language), Skills(directory=options.directory)
    if options.list:
        _list(skills, language)
        return 0
    now, seed = clock.now().astimezone().replace(tzinfo=None), random.randrange(1 << 30)  # noqa: S311  a game, no secret
    try:
        player = Player(options.name, language, skills=skills, at=now, seed=seed)
    except NoSuchSkill as error:
        parser.error(f"{error} --list shows them all.")
    try:
        _play(player)
    except SkillFault as fault:
        if fault.__cause__ is not None:
            traceback.print_exception(fault.__cause__)
        print(f"The skill {options.name!r} failed: {fault}. In the chat it is put away here.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
