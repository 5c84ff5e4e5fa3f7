"""Two changes of one watch at once: nothing that either saw is lost, and nothing is lowered by the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from moderation.types import Decision, Mark, Sequence, WatchState
from moderation.watch import advance, lift_home_danger
from moderation.watch_together import together

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=5)
EMPTY = WatchState()
DANGER = Decision("crisis", 4, "L3", ("T01",), "suicide_L3", incident=True, about="self", low=True)
IN_DANGER = advance(EMPTY, DANGER, NOW)


def test_where_only_one_changed_something_that_one_stands() -> None:
    low = WatchState(lows=1, low_at=NOW)
    assert together(EMPTY, low, EMPTY, NOW) == low
    assert together(EMPTY, EMPTY, low, NOW) == low
    assert together(low, low, low, NOW) == low


@pytest.mark.parametrize("late", ["mine", "theirs"])
def test_danger_stands_whoever_writes_last(late: str) -> None:
    low = WatchState(lows=1, low_at=NOW, marks=(Mark("eating", NOW),))
    states = (low, IN_DANGER) if late == "theirs" else (IN_DANGER, low)
    found = together(EMPTY, *states, NOW)
    assert (found.level, found.signal_at, found.sequence) == ("L3", NOW, Sequence("suicide_L3"))
    assert [mark.kind for mark in found.marks] == ["eating"]
    assert found.rises == (NOW,)


def test_of_two_written_talks_the_graver_goes_on_and_a_joke_is_none() -> None:
    other = replace(EMPTY, level="L1", signal_at=NOW, sequence=Sequence("bullying", step=2))
    joke = replace(EMPTY, joked_at=NOW, sequence=Sequence("joking_check"))
    for one in (other, joke):
        assert together(EMPTY, one, IN_DANGER, NOW).sequence == Sequence("suicide_L3")
        assert together(EMPTY, IN_DANGER, one, NOW).sequence == Sequence("suicide_L3")
    ended = replace(IN_DANGER, sequence=None)
    again = replace(IN_DANGER, sequence=Sequence("suicide_L3", step=1, changes=1))
    assert together(IN_DANGER, ended, again, NOW).sequence == Sequence("suicide_L3", step=1, changes=1)


def test_in_one_written_talk_steps_go_on_and_safe_is_only_what_both_heard() -> None:
    one = replace(IN_DANGER, sequence=Sequence("suicide_L3", step=2, changes=1, safe=True))
    two = replace(IN_DANGER, sequence=Sequence("suicide_L3", step=1))
    assert together(IN_DANGER, one, two, NOW).sequence == Sequence("suicide_L3", step=2)


def test_what_was_counted_is_counted_together() -> None:
    before = WatchState(cards=3, lows=1, low_streak=1, low_at=EARLIER, said=("a", "b"))
    mine = replace(before, cards=4, lows=2, low_streak=2, low_at=NOW, said=("b", "a", "c"))
    theirs = replace(before, cards=5, lows=3, low_streak=2, said=("a", "b", "d"))
    found = together(before, mine, theirs, NOW)
    assert (found.cards, found.lows, found.low_streak, found.low_at) == (6, 4, 3, NOW)
    assert set(found.said) <= {"a", "b", "c", "d"}
    assert {"c", "d"} <= set(found.said)


def test_a_talk_that_ended_does_not_take_the_other_ones_low_day() -> None:
    before = WatchState(lows=1, low_streak=1, low_at=EARLIER)
    ended = replace(before, lows=0, low_streak=0, low_at=None)
    lower = replace(before, lows=2, low_streak=2, low_at=NOW)
    found = together(before, ended, lower, NOW)
    assert (found.lows, found.low_streak, found.low_at) == (2, 2, NOW)


def test_home_is_safe_again_once_somebody_said_so_and_unsafe_once_somebody_did() -> None:
    unsafe = WatchState(home_danger=True)
    assert not together(unsafe, lift_home_danger(unsafe), replace(unsafe, lows=1, low_at=NOW), NOW).home_danger
    assert together(EMPTY, replace(EMPTY, lows=1, low_at=NOW), unsafe, NOW).home_danger


def test_marks_that_one_took_away_stay_away_and_new_ones_come_in_order() -> None:
    before = WatchState(marks=(Mark("pii:school", EARLIER), Mark("eating", EARLIER)))
    mine = replace(before, marks=(Mark("eating", EARLIER), Mark("grooming", NOW)))
    theirs = replace(before, marks=(*before.marks, Mark("romance", NOW - timedelta(minutes=1))))
    found = together(before, mine, theirs, NOW)
    assert [mark.kind for mark in found.marks] == ["eating", "romance", "grooming"]


def test_time_passes_for_all_of_them() -> None:
    old = replace(IN_DANGER, signal_at=NOW - timedelta(hours=25))
    found = together(old, replace(old, lows=1, low_at=NOW), replace(old, cards=1), NOW)
    assert (found.level, found.lows, found.cards, found.sequence) == ("L2", 1, 1, None)
