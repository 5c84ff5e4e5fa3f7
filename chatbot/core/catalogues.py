"""The pages' translations: .po files in chatbot/locale, compiled on the machine that serves them.

Compiling needs no GNU gettext (a fresh machine may lack it); comparing with the sources does (`xgettext`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polib

SLOTS = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def catalogues(folder: Path) -> list[Path]:
    """The .po files below a locale folder, in order of language."""
    return sorted(folder.glob("*/LC_MESSAGES/django.po"))


def _stale(path: Path) -> bool:
    compiled = path.with_suffix(".mo")
    return not compiled.exists() or compiled.stat().st_mtime < path.stat().st_mtime


def stale(folder: Path) -> list[str]:
    """The languages whose .mo is missing or older than its .po, by their folders' names."""
    return [path.parent.parent.name for path in catalogues(folder) if _stale(path)]


def compile_all(folder: Path) -> int:
    """Write each .mo that is missing or older than its .po. Number written. Raises OSError for a broken .po."""
    written = 0
    for path in catalogues(folder):
        if not _stale(path):
            continue
        compiled = path.with_suffix(".mo")
        # Beside it and then in its place: a server that starts meanwhile never reads half a file.
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".mo", delete=False) as half:
            half.write(polib.pofile(str(path)).to_binary())
        Path(half.name).replace(compiled)
        compiled.chmod(0o644)
        written += 1
    return written


def faults(path: Path) -> Iterator[str]:
    """What is missing or broken in one catalogue, a sentence each."""
    name = path.parts[-3]
    for entry in polib.pofile(str(path)):
        if entry.obsolete:
            yield f"{name}: not used any more: {entry.msgid!r}"
            continue
        given = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if entry.fuzzy or not all(given):
            yield f"{name}: not translated: {entry.msgid!r}"
            continue
        allowed = set(SLOTS.findall(entry.msgid)) | set(SLOTS.findall(entry.msgid_plural or ""))
        needed = allowed if not entry.msgid_plural else set()
        for text in given:
            slots = set(SLOTS.findall(text))
            if slots - allowed or needed - slots:
                yield f"{name}: other slots than in {entry.msgid!r}"


def sources_differ(root: Path, folder: Path) -> Iterator[str]:
    """Strings of the sources that a catalogue lacks. Raises FileNotFoundError without GNU gettext."""
    if shutil.which("xgettext") is None:
        raise FileNotFoundError("xgettext is not installed (Debian's package gettext)")
    with tempfile.TemporaryDirectory(prefix="abraco-") as copy:
        # DANGER: run in a whole copy, settings included: makemessages writes into the LOCALE_PATHS of its settings.
        for package in ("chatbot", "companion", "moderation", "templates"):
            shutil.copytree(root / package, Path(copy) / package, ignore=shutil.ignore_patterns("*.mo", "__pycache__"))
        shutil.copy(root / "manage.py", copy)
        languages = [path.parts[-3] for path in catalogues(folder)]
        chosen = [part for language in languages for part in ("--locale", language)]
        subprocess.run(  # noqa: S603  our own command, over our own copy
            [sys.executable, "manage.py", "makemessages", *chosen, "--no-location", "--no-wrap", "-v", "0"],
            cwd=copy,
            env={**os.environ, "ABRACO_VAR": f"{copy}/var", "SECRET_KEY": "catalogues", "DEBUG": "1"},
            check=True,
        )
        for path in catalogues(folder):
            known = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(path)) if not entry.obsolete}
            made = Path(copy) / path.relative_to(root)
            for entry in polib.pofile(str(made)):
                if not entry.obsolete and (entry.msgctxt, entry.msgid) not in known:
                    yield f"{path.parts[-3]}: not in the catalogue: {entry.msgid!r}"
