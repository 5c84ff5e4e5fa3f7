"""Every line that a built-in skill may say passes the safety layer's rules where it stands, as written lines must."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

import pytest

from companion.skills.form import ScenesForm
from companion.skills.lint import texts_of
from companion.skills.load import SKILLS_DIR, file_read, files_in
from companion.types import Language
from moderation import screen
from moderation.types import WatchState

FILES = [pytest.param(language, path, id=f"{language}-{path.stem}") for language, path in files_in(SKILLS_DIR)]
# What may stand in a slot; nothing that rules look for.
VALUES = {"count": "12", "minutes": "25", "letter": "m", "day": "Friday"}


def refused(text: str, language: Language, *, so_far: str = "") -> str:
    """Why it may not be said, in plain mode, which is the stricter one."""
    verdict = screen.check_reply(
        text, so_far=so_far, band="13-15", language=language, watch=WatchState(), plain=True, written=True
    )
    return "" if verdict.action == "allow" else f"{verdict.categories}: {text}"


def filled(text: str, slots: Set[str]) -> str:
    for slot in slots:
        text = text.replace(f"{{{slot}}}", VALUES.get(slot, "Milo"))
    return text


@pytest.mark.parametrize(("language", "path"), FILES)
def test_every_line_of_a_skill_may_be_said(language: Language, path: Path) -> None:
    form, wrong = file_read(path), []
    for where, text, slots in texts_of(form):
        if where == "about":  # told on pages, never in a chat
            continue
        why = refused(filled(text, slots), language)
        wrong += [f"{where} {why}"] if why else []
    if isinstance(form, ScenesForm):  # bubbles of one scene are one reply
        for name, scene in form.scenes.items():
            for at in range(1, len(scene.say)):
                why = refused(scene.say[at], language, so_far=" ".join(scene.say[:at]))
                wrong += [f"{name}/{at} {why}"] if why else []
    assert not wrong, "\n".join(wrong)
