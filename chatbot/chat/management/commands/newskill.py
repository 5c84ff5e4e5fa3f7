"""`manage.py newskill NAME`: the first version of a new skill, which can be played at once (docs/skills.md)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from companion.skills.scaffold import KINDS, Kind, ScaffoldError, scaffold


class Command(BaseCommand):
    help = "Write a new skill: a YAML file to edit, or with --kind code a small package. Nothing is overwritten."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="small letters, digits and _: odd_socks")
        parser.add_argument("--kind", choices=KINDS, default="rounds")
        parser.add_argument("--language", default="en", help="en (the default), pt-BR, es or fr")
        parser.add_argument(
            "--directory", type=Path, help="where to (default: skills/ here; with --kind code, the current folder)"
        )

    def handle(self, *args: Any, name: str, kind: Kind, language: str, directory: Path | None, **options: Any) -> None:
        folder = directory or Path("." if kind == "code" else "skills")
        try:
            written = scaffold(name, kind, language, folder)
        except ScaffoldError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Written: {written}. Edit it, then:")
        for line in _next_steps(name, kind, language, folder, written):
            self.stdout.write(f"  {line}")


def _next_steps(name: str, kind: Kind, language: str, folder: Path, written: Path) -> Iterator[str]:
    spoken = "" if language == "en" else f" --language {language}"
    if kind == "code":
        package = shlex.quote(str(written if written.is_absolute() else f"./{written}"))
        yield f"python -m pytest {package}"
        yield f"python -m pip install --no-deps --no-build-isolation {package}"
        yield f"python -m companion.skills {name}{spoken}"
        yield "make run"
        return
    there = shlex.quote(str(folder))
    yield f"python -m companion.skills.lint --directory {there}"
    yield f"python -m companion.skills {name}{spoken} --directory {there}"
    yield f"ABRACO_SKILLS={there} make run"
