"""Study timer and planner, in English: skills that know what time it is."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.companion.skills.talking import LONG, TUESDAY, Game, game_of, keys_of, later, shipped, texts

# --- study timer ------------------------------------------------------------------------------------------------------


def running(minutes: int = 25) -> Game:
    game = game_of("study_timer")
    game.begin("study timer")
    assert keys_of(game.say(str(minutes))) == ["begin"]
    return game


def test_the_timer_asks_for_minutes_unless_they_were_said() -> None:
    game = game_of("study_timer")
    assert keys_of(game.begin("study timer")) == ["ask"]
    answer = game_of("study_timer").begin("set a study timer for 40 minutes")
    assert keys_of(answer) == ["begin"]
    assert "40" in texts(answer)


@pytest.mark.parametrize(
    ("text", "minutes"), [("25", 25), ("25 min pls", 25), ("1", 1), ("120", 120), ("like 10 or 15", 10), ("111", 111)]
)
def test_the_first_number_that_can_be_minutes_counts(text: str, minutes: int) -> None:
    game = game_of("study_timer")
    game.begin("study timer")
    game.say(text)
    assert game.state is not None
    assert game.state["until"] == later(minutes=minutes).isoformat()


@pytest.mark.parametrize("text", ["0", "121", "9999999", "1000", "a while", "²", "twenty"])
def test_no_number_of_minutes_is_asked_for_once_more(text: str) -> None:
    game = game_of("study_timer")
    game.begin("study timer")
    assert keys_of(game.say(text)) == ["unclear"]
    assert game.say(text) is None
    assert keys_of(game.say("25")) == ["begin"]


@pytest.mark.parametrize(("minutes", "told"), [(0, "25"), (10, "15"), (24, "1")])
def test_before_the_end_it_says_what_is_left(minutes: int, told: str) -> None:
    game = running()
    answer = game.say("how long is it still", at=later(minutes=minutes))
    assert keys_of(answer) == ["left"]
    assert told in texts(answer).replace(".", " ").split()
    assert game.state is not None


def test_seconds_before_the_end_there_is_a_minute_left() -> None:
    assert "1" in texts(running().say("time left?", at=later(minutes=24, seconds=58))).split()


@pytest.mark.parametrize(
    ("away", "key"),
    [
        ({"minutes": 25}, "over"),
        ({"minutes": 60}, "over"),
        ({"minutes": 70, "seconds": 1}, "over_long"),
        ({"days": 3}, "over_long"),
    ],
)
def test_at_the_end_and_after_it_it_is_over(away: dict[str, int], key: str) -> None:
    game = running()
    assert keys_of(game.say("im back", at=later(**away))) == [key]
    assert game.state is None


def test_a_no_in_the_middle_stops_the_timer() -> None:
    game = running()
    assert keys_of(game.say("no", at=later(minutes=3))) == ["stopped"]
    assert game.state is None


def test_talk_in_the_middle_is_not_for_the_timer() -> None:
    assert running().say("what is a cosine even good for", at=later(minutes=3)) is None


def test_asked_for_again_it_says_how_it_stands() -> None:
    assert keys_of(running().resume("study timer", at=later(minutes=5))) == ["left"]
    assert keys_of(running().resume("study timer", at=later(minutes=30))) == ["over"]


def test_without_a_clock_it_wishes_well_and_keeps_nothing() -> None:
    game = Game(shipped("study_timer"))
    game.begin("study timer")
    assert keys_of(game.say("25")) == ["begin"]
    assert game.state is None


# --- planner ----------------------------------------------------------------------------------------------------------


def planned(*tasks: tuple[str, str], at: datetime = TUESDAY) -> Game:
    game = game_of("planner", at=at)
    game.begin("homework planner")
    for task, day in tasks:
        game.say(task)
        game.say(day)
    return game


def test_a_task_is_asked_for_its_day_and_kept_with_the_date() -> None:
    game = game_of("planner")
    assert keys_of(game.begin("homework planner")) == ["start"]
    answer = game.say("Chem test!")
    assert "Chem test" in texts(answer)
    assert answer is not None
    assert answer.chips == ("tomorrow", "Friday", "next week")
    assert keys_of(game.say("friday")) == ["", "more"]
    assert game.kept == {"tasks": [{"task": "Chem test", "day": "2026-11-27"}]}


def test_tasks_that_are_listed_are_named_as_their_words() -> None:
    game = planned(("chem test", "friday"), ("poster", "tomorrow"))
    assert [say.theirs for say in game.begin("homework planner").says] == [(), ("poster", "chem test"), ()]


def test_no_word_is_no_task() -> None:
    game = game_of("planner")
    game.begin("homework planner")
    assert keys_of(game.say("...")) == ["start"]
    assert game.kept == {}


@pytest.mark.parametrize(
    ("day", "date"),
    [
        ("today", "2026-11-24"),
        ("tomorrow", "2026-11-25"),
        ("wed", "2026-11-25"),
        ("on monday", "2026-11-30"),
        ("tuesday", "2026-12-01"),
        ("next week", "2026-12-01"),
    ],
)
def test_a_day_is_the_next_one_of_its_name(day: str, date: str) -> None:
    assert planned(("essay", day)).kept["tasks"] == [{"task": "essay", "day": date}]


@pytest.mark.parametrize(
    ("text", "task"),
    [("chem test friday", "chem test"), ("essay for friday", "essay"), ("math p. 12 due on friday", "math p. 12")],
)
def test_a_task_and_its_day_may_come_in_one_message(text: str, task: str) -> None:
    game = game_of("planner")
    game.begin("homework planner")
    assert keys_of(game.say(text)) == ["", "more"]
    assert game.kept == {"tasks": [{"task": task, "day": "2026-11-27"}]}


def test_what_is_due_first_comes_first() -> None:
    game = planned(("essay", "friday"), ("vocab", "tomorrow"), ("poster", "next week"))
    listed = game.begin("homework planner")
    assert keys_of(listed) == ["list", "", "more"]
    assert listed.says[1].text == "vocab (tomorrow), essay (Friday), poster (next week)"
    assert "vocab" in texts(game.say("nope"))
    assert game.state is None


def test_with_nothing_to_do_there_is_nothing_to_begin_with() -> None:
    game = game_of("planner")
    game.begin("homework planner")
    assert keys_of(game.say("no")) == ["end"]


def test_what_is_done_is_crossed_out() -> None:
    game = planned(("essay", "friday"), ("vocab", "tomorrow"))
    assert "vocab" in texts(game.say("done with vocab"))
    assert [one["task"] for one in game.kept["tasks"]] == ["essay"]
    answer = game.say("finished!")
    assert keys_of(answer) == ["", "empty"], "the only one left need not be named"
    assert game.kept["tasks"] == []
    assert game.state is None


def test_last_weeks_tasks_go_by_themselves() -> None:
    kept = planned(("essay", "today"), ("vocab", "tomorrow")).kept
    week = game_of("planner", kept=kept, at=later(days=7))
    assert week.begin("homework planner").says[1].text == "essay (today), vocab (today)"
    eight = game_of("planner", kept=kept, at=later(days=8))
    assert "essay" not in texts(eight.begin("homework planner"))
    nine = game_of("planner", kept=kept, at=later(days=9))
    assert keys_of(nine.begin("homework planner")) == ["start"]


def test_twenty_tasks_are_kept_and_six_shown() -> None:
    game = planned(*[(f"sheet {n}", "friday") for n in range(25)])
    assert len(game.kept["tasks"]) == 20
    assert texts(game.begin("homework planner")).count("sheet") == 6


@pytest.mark.parametrize("letters", ["e", "é", "😀"])
def test_long_tasks_never_outgrow_what_may_be_kept(letters: str) -> None:
    game = planned(*[(letters * 57 + str(n), "friday") for n in range(25)])
    assert len(game.kept["tasks"]) == 20


def test_an_unclear_day_is_asked_for_once_more() -> None:
    game = game_of("planner")
    game.begin("homework planner")
    game.say("essay")
    assert keys_of(game.say("when the moon is full")) == ["unclear"]
    assert game.say("when the moon is full") is None
    assert keys_of(game.say("friday")) == ["", "more"]


def test_a_long_message_is_no_task() -> None:
    game = game_of("planner")
    game.begin("homework planner")
    assert game.say(LONG) is None


def test_without_a_clock_a_plan_is_made_all_the_same() -> None:
    game = Game(shipped("planner"))
    game.begin("homework planner")
    game.say("essay")
    assert keys_of(game.say("friday")) == ["", "more"]
    game.state = None
    assert "essay" in texts(game.begin("homework planner"))
