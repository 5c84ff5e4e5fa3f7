from __future__ import annotations

import inspect

from companion.personas import mood_next
from companion.types import Line


def said(*texts: str) -> tuple[Line, ...]:
    return tuple(Line("user", text) for text in texts)


def test_it_is_calm_after_something_low_and_at_night() -> None:
    assert mood_next(history=said("haha", "lol"), text="haha", low=True) == "calm"
    assert mood_next(history=(), text="hi", hour=23) == "calm"
    assert mood_next(history=(), text="hi", hour=15) == "sunny"


def test_it_is_silly_with_laughter_and_curious_with_questions() -> None:
    assert mood_next(history=said("hahaha"), text="kkkkk") == "silly"
    assert mood_next(history=said("why?"), text="and what then?") == "curious"


def test_it_drifts_back_to_sunny() -> None:
    assert mood_next(history=said("a", "b", "c", "d"), text="okay", before="silly") == "sunny"
    assert mood_next(history=said("a"), text="okay", before="curious") == "curious"


def test_nobodys_absence_can_make_it_sad() -> None:
    assert not {"absence", "last_seen", "since", "days"} & set(inspect.signature(mood_next).parameters)
