"""Skills of kind `scenes`: stories that go where the teen wants, rest, and end on the shelf."""

from __future__ import annotations

from typing import Any

import pytest

from tests.companion.skills.talking import CAVE, LONG, Game, changed, keys_of, scenes


def at_scene(name: str, **state: Any) -> Game:
    game = Game(scenes())
    game.begin()
    game.state = {"story": "mouth", "scene": name, "slots": {}, "path": [], "unsaid": False, **state}
    return game


# --- choices ----------------------------------------------------------------------------------------------------------


def test_it_begins_with_its_first_scene_and_what_can_be_chosen() -> None:
    answer = Game(scenes()).begin()
    assert [say.text for say in answer.says] == ["It's dark in there.", "Lamp or rope?"]
    assert [say.id for say in answer.says] == ["skills/cave/mouth/0", "skills/cave/mouth/1"]
    assert answer.chips == ("the lamp", "the rope")


@pytest.mark.parametrize(
    ("text", "scene"), [("lamp", "name"), ("i take the LIGHT!", "name"), ("the rope", "hall"), ("rope pls", "hall")]
)
def test_a_choice_is_known_by_its_words_and_its_tap(text: str, scene: str) -> None:
    game = Game(scenes())
    game.begin()
    assert keys_of(game.say(text)) == [scene]


def test_a_choice_is_known_in_a_long_message_too() -> None:
    game = Game(scenes())
    game.begin()
    assert keys_of(game.say(f"the rope because {LONG}")) == ["hall"]


@pytest.mark.parametrize("text", ["a banana", "yes", "no", "🙂", ""])
def test_what_fits_no_choice_is_asked_again_with_the_choices(text: str) -> None:
    game = Game(scenes())
    game.begin()
    answer = game.say(text)
    assert keys_of(answer) == ["lost"]
    assert answer is not None
    assert answer.chips == ("the lamp", "the rope")
    assert keys_of(game.say("rope")) == ["hall"], "it is where it was"


def test_who_does_not_know_goes_one_of_the_ways() -> None:
    found = set()
    for seed in range(20):
        game = Game(scenes())
        game.begin()
        found.update(keys_of(game.say("idk", seed=seed)))
    assert found == {"name", "hall"}


def test_a_long_message_about_something_else_is_not_claimed() -> None:
    game = Game(scenes())
    game.begin()
    before = game.state
    assert game.say(LONG) is None
    assert game.state == before


def test_a_scene_for_anything_goes_on_whatever_is_said() -> None:
    for text in ("go on", "wow", "no", LONG):
        assert keys_of(at_scene("lit", slots={"lamp": "Bo"}).say(text)) == ["hall"]


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_what_they_name_is_used_and_is_no_written_line_any_more() -> None:
    answer = at_scene("name").say("Sir Shinealot!")
    assert answer is not None
    assert [(say.text, say.id, say.theirs) for say in answer.says] == [
        ("Sir Shinealot shines.", None, ("Sir Shinealot",))
    ]
    assert answer.chips == ("go on",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "🙂",
        "...",
        "idk",
        "yes",
        "x" * 31,
        "the one that my grandfather had",
        "{lamp}",
        "a{b",
        "Bo\u202eoB",
        "\u200b",
    ],
)
def test_what_cant_be_a_name_gets_one(text: str) -> None:
    assert at_scene("name").said(text) == ["Glow shines."]


def test_a_name_keeps_its_shape() -> None:
    assert at_scene("name").said("  Zoé   d'Or ") == ["Zoé d'Or shines."]


# --- pause, rest, another day -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["rest", "later", "rest here"])
def test_the_second_choice_of_a_pause_lets_it_rest(text: str) -> None:
    game = at_scene("hall")
    answer = game.say(text)
    assert answer is not None
    assert keys_of(answer) == ["end"]
    assert answer.rest is True
    assert answer.made is None
    assert game.state is not None


def test_after_a_rest_the_next_scene_is_told_and_not_the_pause_again() -> None:
    game = at_scene("hall")
    game.say("rest")
    answer = game.resume()
    assert keys_of(answer) == ["out"]
    assert answer.made is not None


@pytest.mark.parametrize("text", ["yes", "next", "go on"])
def test_a_yes_to_a_pause_goes_on(text: str) -> None:
    assert keys_of(at_scene("hall").say(text)) == ["out"]


def test_a_scene_that_was_left_is_shown_again_with_what_was_kept() -> None:
    game = at_scene("name")
    game.say("Bo")
    answer = game.resume()
    assert [say.text for say in answer.says] == ["Bo shines."]
    assert keys_of(game.say("ok")) == ["hall"]


def test_a_story_can_be_left_and_gone_on_with() -> None:
    assert scenes().saves is True
    game = at_scene("hall")
    said = game.skill.leave(game._heard("stop", {}), game.state or {})
    assert said is not None
    assert said.text == "The cave waits."


# --- endings and the shelf --------------------------------------------------------------------------------------------


def test_the_shelf_gets_what_was_told_and_chosen_in_order() -> None:
    game = Game(scenes())
    game.begin()
    for text in ("lamp", "Bo", "ok", "go on"):
        answer = game.say(text)
    assert game.state is None
    assert answer is not None
    assert answer.made is not None
    assert (answer.made.kind, answer.made.title) == ("story", "The humming cave")
    assert answer.made.text.split("\n\n") == [
        "It's dark in there.",
        "Lamp or rope?",
        "- the lamp",
        "What is the lamp called?",
        "Bo shines.",
        "A hall. Go on, or rest here?",
        "- go on",
        "Daylight.",
        "The way out",
    ]


def test_a_scene_shown_again_stands_on_the_shelf_once() -> None:
    game = Game(scenes())
    game.begin()
    game.say("rope")
    game.resume()
    game.say("a banana")
    answer = game.say("go on")
    assert answer is not None
    assert answer.made is not None
    assert answer.made.text.count("A hall.") == 1


def test_without_a_shelf_nothing_is_made_and_no_path_is_kept() -> None:
    game = Game(scenes(shelf=None))
    game.begin()
    game.say("rope")
    assert game.state is not None
    assert game.state["path"] == []
    answer = game.say("go on")
    assert answer is not None
    assert answer.made is None
    assert game.state is None


TWO = changed(
    CAVE,
    start=["mouth", "shore"],
    scenes={**CAVE["scenes"], "shore": {"title": "The shore", "say": "Waves. Anything?", "any": "out"}},
)


def test_the_next_opening_is_one_that_was_not_played_to_its_end() -> None:
    game = Game(scenes(TWO))
    assert keys_of(game.begin())[0] == "mouth"
    game.state = None
    assert keys_of(game.begin())[0] == "mouth", "left in the middle is not played"
    game.say("rope")
    game.say("go on")
    assert game.kept["played"] == ["mouth"]
    assert keys_of(game.begin())[0] == "shore"
    game.say("a shell")
    assert game.kept["played"] == [], "all were played, so all are open again"


# --- a file that changed since ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("unsaid", [False, True])
def test_a_scene_that_is_gone_begins_anew(unsaid: bool) -> None:
    assert keys_of(at_scene("removed", unsaid=unsaid).say("go on"))[0] == "mouth"
    assert keys_of(at_scene("removed", unsaid=unsaid).resume())[0] == "mouth"


def test_an_opening_that_is_gone_can_still_be_played_to_its_end() -> None:
    game = at_scene("hall", story="removed")
    answer = game.say("go on")
    assert keys_of(answer) == ["out"]
    assert game.kept["played"] == [] or set(game.kept["played"]) <= {"mouth"}


def test_a_slot_that_a_newer_file_asks_for_is_not_there_and_nothing_breaks() -> None:
    """The file got a {lamp} since: in a story that never named it, there is nothing to fill it with."""
    for reached in (at_scene("lit", slots={}).resume(), at_scene("lit", slots={}, unsaid=True).say("go on")):
        assert reached is not None
        assert not any("{" in say.text for say in reached.says)
