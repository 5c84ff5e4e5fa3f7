"""Skills of kind `rounds`: a question, a try, a hint, the answer, another one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.companion.skills.talking import LONG, PEBBLES, Game, keys_of, rounds

FLINT, CHALK = PEBBLES["rounds"]
JOKE = {"id": "slate", "ask": "Why was the slate clean?", "reveal": "It had nothing to say."}
EITHER: dict[str, Any] = {
    "id": "sand-or-clay",
    "ask": "Sand or clay?",
    "options": [
        {"said": ["sand", "the sand"], "chip": "sand", "reply": "It gets everywhere."},
        {"said": ["clay"], "chip": "clay please", "reply": "It remembers your hands."},
    ],
    "otherwise": "Mud, then.",
}


def only(one: dict[str, Any], **fields: Any) -> Game:
    """A game whose first round is that one: the other is for nobody of 14."""
    return Game(rounds(rounds=[one, {**CHALK, "band": ["18+"]}], **fields))


# --- with an answer to find -------------------------------------------------------------------------------------------


def test_it_begins_with_a_line_and_a_question_that_can_be_given_up() -> None:
    answer = only(FLINT).begin()
    assert [say.text for say in answer.says] == ["Stones ahead.", "Which one sparks?"]
    assert [say.id for say in answer.says] == ["skills/pebbles/start/0", "skills/pebbles/flint/ask"]
    assert answer.chips == ("idk",)


def test_without_a_line_to_begin_with_it_just_asks() -> None:
    assert [say.text for say in only(FLINT, start=[]).begin().says] == ["Which one sparks?"]


@pytest.mark.parametrize("text", ["flint", "FLINT!!", "is it flint?", "i think its a flint stone", "flint i guess"])
def test_the_right_answer_is_known_inside_a_sentence(text: str) -> None:
    game = only(FLINT)
    game.begin()
    answer = game.say(text)
    assert answer is not None
    assert [say.text for say in answer.says] == ["Found. Flint.", "Another?"]
    assert answer.chips == ("next stone",)


def test_a_wrong_try_gets_the_hint_and_the_second_one_the_answer() -> None:
    game = only(FLINT)
    game.begin()
    assert game.said("granite") == ["Not that stone. Think of fire."]
    assert game.said("marble") == ["Turned over. Flint.", "Another?"]


def test_the_right_answer_after_the_hint_is_right() -> None:
    game = only(FLINT)
    game.begin()
    game.say("granite")
    assert game.said("flint")[0] == "Found. Flint."


def test_without_a_hint_a_wrong_try_is_just_wrong() -> None:
    game = only({key: value for key, value in FLINT.items() if key != "hint"})
    game.begin()
    assert game.said("granite") == ["Not that stone."]


@pytest.mark.parametrize("text", ["idk", "no idea", "tell me", "nope", "next"])
def test_who_gives_up_is_told(text: str) -> None:
    game = only(FLINT)
    game.begin()
    assert game.said(text) == ["Turned over. Flint.", "Another?"]


def test_a_yes_that_is_no_answer_is_a_wrong_try() -> None:
    game = only(FLINT)
    game.begin()
    assert game.said("yes") == ["Not that stone. Think of fire."]


def test_a_very_short_answer_counts_only_by_itself() -> None:
    game = only({**FLINT, "answers": ["a"]})
    game.begin()
    assert game.said("is it a stone") == ["Not that stone. Think of fire."]
    assert game.said("a!")[0] == "Found. Flint."


@pytest.mark.parametrize("answer", ["l'oignon", "l’oignon", "l oignon", "loignon"])
def test_an_apostrophe_is_no_obstacle(answer: str) -> None:
    game = only({**FLINT, "answers": [answer]})
    game.begin()
    assert game.said("c'est l'oignon ?")[0] == "Found. Flint."


def test_accents_and_drawn_out_letters_are_no_obstacle() -> None:
    game = only({**FLINT, "answers": ["café"]})
    game.begin()
    assert game.said("CAFEEEEE")[0] == "Found. Flint."


# --- with options, and with a punchline -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("sand", "It gets everywhere."),
        ("the sand i think", "It gets everywhere."),
        ("clay please", "It remembers your hands."),
        ("both", "Mud, then."),
        ("idk", "Mud, then."),
        ("🙂", "Mud, then."),
    ],
)
def test_an_option_is_known_by_its_words_and_its_tap(text: str, reply: str) -> None:
    game = only(EITHER)
    assert game.begin().chips == ("sand", "clay please")
    assert game.said(text) == [reply, "Another?"]


def test_an_option_is_known_in_a_long_message_too() -> None:
    game = only(EITHER)
    game.begin()
    assert game.said(f"sand because {LONG}")[0] == "It gets everywhere."


@pytest.mark.parametrize("text", ["why", "idk", "no", "it was new?"])
def test_whatever_is_said_to_a_joke_gets_the_punchline(text: str) -> None:
    game = only(JOKE)
    game.begin()
    assert game.said(text) == ["It had nothing to say.", "Another?"]


# --- on to the next ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["yes", "another", "next stone", "ok next stone then"])
def test_another_one_is_another_round(text: str) -> None:
    game = Game(rounds())
    game.begin()
    first = game.state and game.state["round"]
    game.say("idk")
    answer = game.say(text)
    assert answer is not None
    assert keys_of(answer) in (["flint"], ["chalk"]), "the question alone: it has begun long ago"
    assert game.state is not None
    assert game.state["round"] != first


def test_a_no_to_another_one_ends_it() -> None:
    game = Game(rounds())
    game.begin()
    game.say("idk")
    assert game.said("nah") == ["Stones away."]
    assert game.state is None


def test_between_two_rounds_talk_is_not_claimed() -> None:
    game = Game(rounds())
    game.begin()
    game.say("idk")
    assert game.say("my cat is asleep") is None


@pytest.mark.parametrize("one", [FLINT, EITHER, JOKE], ids=["answer", "options", "punchline"])
def test_a_long_message_about_something_else_is_not_claimed(one: dict[str, Any]) -> None:
    game = only(one)
    game.begin()
    before = game.state
    assert game.say(LONG) is None
    assert game.state == before


def test_a_long_message_with_the_answer_in_it_is_right() -> None:
    game = only(FLINT)
    game.begin()
    assert game.said(f"flint, and {LONG}")[0] == "Found. Flint."


def test_the_last_word_is_its_own() -> None:
    game = Game(rounds())
    game.begin()
    said = game.skill.leave(game._heard("stop", {}), game.state or {})
    assert said is not None
    assert (said.text, said.id) == ("Stones away.", "skills/pebbles/end/0")


# --- what was played --------------------------------------------------------------------------------------------------

MANY = [{**FLINT, "id": f"stone-{n}", "ask": f"Which one, {n}?"} for n in range(8)]


def _asked(game: Game, times: int) -> list[str]:
    asked = []
    for _ in range(times):
        game.begin()
        assert game.state is not None
        asked.append(game.state["round"])
        game.state = None
    return asked


def test_nothing_is_asked_twice_before_all_was_asked_and_then_it_says_so() -> None:
    game = Game(rounds(rounds=MANY))
    assert len(set(_asked(game, 8))) == 8
    answer = game.begin()
    assert [say.text for say in answer.says][:2] == ["Stones ahead.", "No stone left."]
    assert len(game.kept["played"]) == 1, "the pile was shuffled"


def test_after_the_shuffle_the_last_one_does_not_come_again_at_once() -> None:
    for seed in range(20):
        game = Game(rounds(rounds=MANY[:3]))
        game.begin(seed=seed)
        for n in range(6):
            last = game.state and game.state["round"]
            game.say("idk", seed=seed)
            game.say("another", seed=seed + n)
            assert game.state is not None
            assert game.state["round"] != last


def test_who_is_remembered_nothing_of_is_still_asked_something() -> None:
    game = Game(rounds(rounds=MANY), kept={"played": ["gone-since", 7, None]})
    assert _asked(game, 1)[0].startswith("stone-")


def test_a_round_for_one_band_is_asked_nobody_else() -> None:
    game_of = {band: Game(rounds(rounds=[{**FLINT, "band": ["16-17", "18+"]}, CHALK]), band=band) for band in BANDS}
    assert set(_asked(game_of["13-15"], 6)) == {"chalk"}
    assert set(_asked(game_of["16-17"], 6)) == {"chalk", "flint"}


BANDS = ("13-15", "16-17", "18+")


def test_every_choice_follows_the_seed() -> None:
    first, second = (Game(rounds(rounds=MANY)) for _ in range(2))
    assert [first.begin(seed=n).says for n in range(5)] == [second.begin(seed=n).says for n in range(5)]


# --- gone on with -----------------------------------------------------------------------------------------------------


def test_asked_for_again_in_the_middle_another_one_comes_without_the_words_at_the_door() -> None:
    game = Game(rounds())
    game.begin()
    first = game.state and game.state["round"]
    answer = game.resume()
    assert len(answer.says) == 1
    assert game.state
    assert game.state["round"] != first


def test_after_an_answer_the_next_question_comes() -> None:
    game = Game(rounds())
    game.begin()
    first = game.state and game.state["round"]
    game.say("idk")
    game.resume()
    assert game.state is not None
    assert game.state["round"] != first
    assert game.state["open"] is True


def test_a_file_that_changed_since_asks_something_that_is_still_there() -> None:
    game = Game(rounds())
    game.begin()
    for reached in (game.say, game.resume):
        game.state = {"round": "removed", "tries": 1, "open": True}
        answer = reached("flint")
        assert keys_of(answer) in (["flint"], ["chalk"], ["empty", "flint"], ["empty", "chalk"])
