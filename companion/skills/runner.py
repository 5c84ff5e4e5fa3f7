"""Runs a skill's code for at most half a second, and takes from it only what a skill may give."""

from __future__ import annotations

import ctypes
import json
import re
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from companion.skills.api import Answer, Made, Say, State
from companion.types import MOODS

Given = TypeVar("Given")
CUT_OFF_S = 0.5
STATE = 16 * 1024  # bytes of JSON
BUBBLES, BUBBLE = 10, 600  # characters
CHIPS, CHIP = 3, 24
ID = 200
BRACKETS = 500  # of a state: no depth can be reached that a store would stumble over
LONE = re.compile("[\ud800-\udfff]")
MADE = 20_000  # characters


class SkillFault(Exception):
    """A skill raised, took too long, or gave what can't be said. The text is for the operator and holds no words of the
    conversation."""


class _Cut(BaseException):
    """Raised inside a skill that didn't end by itself. No Exception: its own `except Exception` must let it pass."""


def cut_off(work: Callable[[], Given], *, seconds: float = CUT_OFF_S) -> Given:
    """What `work` returns. Raises SkillFault where it raises or isn't done in time.

    DANGER: Python has no way to kill a thread. An endless loop of Python code is broken by an exception from outside; a
    call that waits outside Python (a sleep, a socket) is left to end by itself, and what it gives is thrown away.
    """
    given: list[Given] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            given.append(work())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="skill", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Cut))
        raise SkillFault(f"it was not done after {seconds * 1000:.0f} ms")
    if raised:
        raise SkillFault(f"it raised {type(raised[0]).__name__}")
    return given[0]


def plain_state(state: State | None) -> dict[str, Any] | None:
    """A copy that is JSON and nothing else. Raises SkillFault."""
    if state is None:
        return None
    try:
        text = json.dumps(state, allow_nan=False, ensure_ascii=False)
        size, copy = len(text.encode()), json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise SkillFault(f"its state is no JSON ({type(error).__name__})") from error
    if size > STATE or text.count("{") + text.count("[") > BRACKETS:
        raise SkillFault(f"its state is over {STATE} bytes, or has over {BRACKETS} lists and mappings")
    if not isinstance(copy, dict):
        raise SkillFault("its state is no mapping")
    return copy


def _text(value: object, most: int) -> bool:
    """Something to read, that can be stored: half of a surrogate pair can't."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= most and not LONE.search(value)


def _said(say: object) -> bool:
    """A bubble, and of the teen's words only such as stand in it."""
    if not isinstance(say, Say) or not _text(say.text, BUBBLE) or not (say.id is None or _text(say.id, ID)):
        return False
    return isinstance(say.theirs, tuple) and all(isinstance(words, str) and words in say.text for words in say.theirs)


def _made(made: object) -> bool:
    if not isinstance(made, Made):
        return False
    parts = (made.kind, made.title, made.text)
    return all(_text(part, MADE) for part in parts) and len(parts[1]) + len(parts[2]) <= MADE


def checked(answer: Answer | None) -> Answer | None:
    """The answer, if it can be said. Raises SkillFault."""
    if answer is None:
        return None
    if not isinstance(answer, Answer):
        raise SkillFault(f"it gave {type(answer).__name__} and no Answer")
    if not isinstance(answer.says, tuple) or not 1 <= len(answer.says) <= BUBBLES:
        raise SkillFault(f"it gave no tuple of 1 to {BUBBLES} bubbles")
    for say in answer.says:
        if not _said(say):
            raise SkillFault(f"a bubble is no Say, is empty, is over {BUBBLE} characters, or quotes what isn't in it")
    if not isinstance(answer.chips, tuple) or len(answer.chips) > CHIPS:
        raise SkillFault(f"it gave no tuple of at most {CHIPS} chips")
    if not all(_text(chip, CHIP) for chip in answer.chips):
        raise SkillFault(f"a chip is empty or over {CHIP} characters")
    if answer.made is not None and not _made(answer.made):
        raise SkillFault(f"what was made is no Made, or over {MADE} characters")
    if answer.mood not in (None, *MOODS) or not isinstance(answer.drawing, str):
        raise SkillFault("its mood or its drawing is none that there is")
    plain_state(answer.state)
    plain_state(answer.kept)
    return answer
