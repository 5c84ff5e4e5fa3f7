"""Word chain, twenty questions, debate and roast, in English, with the lines that stand in the house."""

from __future__ import annotations

import itertools
from typing import Any, cast

import pytest

from companion.folding import spelled
from companion.skills.coded.debate import DebateForm
from companion.skills.coded.roast import RoastForm
from companion.skills.coded.twenty_questions import MOST, WRONG_GUESSES, TwentyQuestionsForm, table
from companion.skills.coded.word_chain import WordChainForm
from tests.companion.skills.talking import LONG, Game, keys_of, shipped, shipped_forms, texts


def form_of(name: str) -> Any:
    return shipped_forms()[name]["en"]


# --- word chain -------------------------------------------------------------------------------------------------------


def chain(*words: str) -> Game:
    game = Game(shipped("word_chain"))
    game.begin()
    game.state = {"chain": list(words)}
    return game


def test_a_chain_begins_with_one_of_its_words() -> None:
    game = Game(shipped("word_chain"))
    answer = game.begin("word chain")
    assert game.state is not None
    (first,) = game.state["chain"]
    assert first in {spelled(word) for word in cast(WordChainForm, form_of("word_chain")).words}
    assert first in spelled(texts(answer)).split()


def test_a_word_that_hooks_on_is_answered_with_one_that_hooks_on_to_it() -> None:
    game = chain("acorn")
    assert keys_of(game.say("Nest!")) == ["mine"]
    assert game.state is not None
    assert game.state["chain"][:2] == ["acorn", "nest"]
    assert game.state["chain"][2].startswith("t")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("banana", "wrong_letter"),
        ("acorn", "wrong_letter"),
        ("n", "not_a_word"),
        ("n3st", "not_a_word"),
        ("nest egg", "not_a_word"),
        ("🙂", "not_a_word"),
        ("nnnn", "not_a_word"),
    ],
)
def test_a_word_that_cant_stand_there_is_told_why_and_costs_nothing(text: str, key: str) -> None:
    game = chain("noon", "net", "ton")
    assert keys_of(game.say(text)) == [key]
    assert game.state is not None
    assert game.state["chain"] == ["noon", "net", "ton"]


def test_a_word_that_was_said_is_named_and_costs_nothing() -> None:
    game = chain("noon", "net", "ton")
    answer = game.say("noon")
    assert "noon" in spelled(texts(answer)).split()
    assert keys_of(answer) == [""], "a word of theirs is in it, so it is no written line"
    assert game.state is not None
    assert game.state["chain"] == ["noon", "net", "ton"]


def test_the_letter_that_is_wanted_is_named() -> None:
    assert "n" in spelled(texts(chain("acorn").say("banana"))).split()


def test_a_sentence_is_no_move() -> None:
    assert chain("acorn").say("my cat is asleep again") is None


@pytest.mark.parametrize("text", ["idk", "no", "i give up"])
def test_who_has_no_word_left_ends_the_chain_with_its_length(text: str) -> None:
    game = chain("acorn", "nest", "tower")
    answer = game.say(text)
    assert keys_of(answer) == ["end"]
    assert "3" in texts(answer)
    assert game.state is None


def test_it_loses_where_it_has_no_word_either() -> None:
    words = [spelled(word) for word in cast(WordChainForm, form_of("word_chain")).words]
    game = chain(*(word for word in words if word[0] == "x"), "acorn", "nest")
    answer = game.say("tax")
    assert keys_of(answer) == ["i_lose", "end"]
    assert "x" in spelled(texts(answer)).split()


def test_a_long_chain_is_noticed_and_the_longest_one_remembered() -> None:
    game = chain(*[f"w{n}n" for n in range(9)])
    assert keys_of(game.say("nest")) == ["long", "mine"]
    game.say("idk")
    assert game.kept == {"record": 11}
    shorter = Game(shipped("word_chain"), kept=game.kept)
    shorter.begin()
    assert keys_of(shorter.say("idk")) == ["end"]
    assert shorter.kept == {"record": 11}
    longer = Game(shipped("word_chain"), kept={"record": 2})
    longer.begin()
    longer.state = {"chain": ["acorn", "nest", "tower"]}
    answer = longer.say("idk")
    assert keys_of(answer) == ["end", "record"]
    assert longer.kept == {"record": 3}


def test_it_says_no_word_twice_in_a_chain_and_every_link_holds() -> None:
    game = Game(shipped("word_chain"))
    game.begin()
    for n in range(80):
        assert game.state is not None
        letter = game.state["chain"][-1][-1]
        if game.say(f"{letter}{'bcdfghij'[n // 8 % 8]}{'bcdfghij'[n % 8]}{'aeiorst'[n % 7]}") is None or not game.state:
            break
    said = game.state["chain"] if game.state else []
    assert len(said) > 20
    assert len(said) == len(set(said))
    assert all(one[-1] == after[0] for one, after in itertools.pairwise(said))


def test_words_without_end_break_no_chain() -> None:
    game = Game(shipped("word_chain"))
    game.begin()
    for n in range(6):
        assert game.state is not None
        game.say(game.state["chain"][-1][-1] + "abcdefghij" * 399 + "rstlne"[n])
    assert game.state is not None


def test_a_very_long_word_said_twice_is_no_very_long_answer() -> None:
    word = "n" + "abcdefghij" * 80 + "n"
    chain(word, "net", "ton").say(word)


# --- twenty questions: it guesses -------------------------------------------------------------------------------------


def asked(game: Game) -> str:
    assert game.state is not None
    return str(game.state["asked"])


def honest(game: Game, thing: str) -> list[str]:
    """Plays to the end with what the table says. Returns what was asked and guessed."""
    game.begin()
    said = []
    while game.state is not None and not game.state.get("lost"):
        said.append(asked(game))
        game.say("yes" if said[-1] == thing or said[-1] in table()[thing] else "no")
    return said


def test_by_honest_answers_it_finds_nearly_everything_within_twenty() -> None:
    found = 0
    for n, thing in enumerate(table()):
        game = Game(shipped("twenty_questions"), seed=n)
        said = honest(game, thing)
        found += said[-1] == thing
        assert len(said) <= MOST, thing
        assert len(said) == len(set(said)), f"{thing}: asked twice"
    assert found >= 80


@pytest.mark.parametrize("answers", [["idk"], ["no"], ["yes"], ["kind of"], ["yes", "no", "kind of", "idk", "no"]])
def test_whatever_is_answered_it_asks_nothing_twice_and_ends(answers: list[str]) -> None:
    for seed in range(10):
        game, said = Game(shipped("twenty_questions"), seed=seed), []
        game.begin()
        while game.state is not None and not game.state.get("lost"):
            said.append(asked(game))
            game.say(answers[len(said) % len(answers)] if said[-1] not in table() else "no")
        assert len(said) == len(set(said)), "a question or a wrong guess came twice"
        assert len(said) <= MOST
        assert sum(one in table() for one in said) <= WRONG_GUESSES


def test_a_wrong_answer_rules_nothing_out_for_good() -> None:
    """One answer in a game is not what the table says, and it is still found."""
    found = 0
    for n, thing in enumerate(table()):
        game = Game(shipped("twenty_questions"), seed=n)
        game.begin()
        count = 0
        while game.state is not None and not game.state.get("lost"):
            count += 1
            true = asked(game) == thing or asked(game) in table()[thing]
            game.say("yes" if true is (count != 2 or asked(game) in table()) else "no")
        found += game.state is None
    assert found >= 40


def test_what_it_could_not_guess_it_is_told_and_takes_no_row_from_one_person() -> None:
    game = Game(shipped("twenty_questions"))
    game.begin()
    while game.state is not None and not game.state.get("lost"):
        game.say("no")
    answer = game.say("a stapler!")
    assert keys_of(answer) == [""]
    assert "a stapler" in texts(answer)
    assert game.state is None
    assert "stapler" not in str(game.kept)


def test_it_asks_for_a_yes_or_no_once_and_then_lets_it_be() -> None:
    game = Game(shipped("twenty_questions"))
    game.begin()
    assert keys_of(game.say("hmm what about it")) == ["repeat"]
    assert game.say("hmm what about it") is None
    assert game.say(LONG) is None
    assert keys_of(game.say("yes"))[0] in cast(TwentyQuestionsForm, form_of("twenty_questions")).properties
    assert keys_of(game.say("hmm what about it")) == ["repeat"]


# --- twenty questions: they guess -------------------------------------------------------------------------------------


def thinks_of(thing: str) -> Game:
    game = Game(shipped("twenty_questions"))
    game.begin("you think of something and ill guess")
    assert game.state is not None
    assert "mine" in game.state
    game.state["mine"] = thing
    return game


@pytest.mark.parametrize("thing", ["dog", "sun", "guitar", "dragon", "popcorn"])
def test_its_own_questions_are_answered_by_the_table(thing: str) -> None:
    for name, given in cast(TwentyQuestionsForm, form_of("twenty_questions")).properties.items():
        key = "yes" if name in table()[thing] else "no"
        assert keys_of(thinks_of(thing).say(given.ask)) == [key], given.ask


def test_the_thing_is_found_by_its_name_and_the_count_is_told() -> None:
    game = thinks_of("dog")
    game.say("is it alive?")
    game.say("does it fly?")
    answer = game.say("is it a puppy?")
    assert keys_of(answer) == ["right_guess"]
    assert "3" in texts(answer)
    assert game.state is None


def test_a_wrong_guess_is_named_and_a_question_with_a_thing_in_it_is_no_guess() -> None:
    assert keys_of(thinks_of("dog").say("is it a cat?")) == ["wrong_guess"]
    assert keys_of(thinks_of("horse").say("is it bigger than a dog?")) == ["yes"]


def test_what_it_cant_judge_costs_no_question() -> None:
    game = thinks_of("dog")
    assert keys_of(game.say("does it vote?")) == ["unknown_question"]
    assert game.state is not None
    assert game.state["count"] == 0
    assert game.say(LONG) is None


def test_after_twenty_questions_it_tells() -> None:
    game = thinks_of("dog")
    for _ in range(MOST - 1):
        assert keys_of(game.say("does it fly?")) == ["no"]
    assert "a dog" in texts(game.say("does it fly?"))
    assert game.state is None


@pytest.mark.parametrize("text", ["idk", "i give up", "tell me"])
def test_who_gives_up_is_told_what_it_was(text: str) -> None:
    game = thinks_of("dog")
    answer = game.say(text)
    assert keys_of(answer) == ["reveal"]
    assert "a dog" in texts(answer)


def test_they_take_turns_and_it_thinks_of_something_else_each_time() -> None:
    game = Game(shipped("twenty_questions"))
    thought = []
    for n in range(40):
        game.begin()
        assert game.state is not None
        assert ("mine" in game.state) is (n % 2 == 1), "in turns"
        thought.extend([game.state["mine"]] if n % 2 else [])
        game.state = None
    assert len(set(thought)) == len(thought)


# --- debate -----------------------------------------------------------------------------------------------------------


def test_a_debate_argues_the_other_side_and_closes_with_what_they_have_right() -> None:
    for motion in cast(DebateForm, form_of("debate")).motions:
        for side in motion.sides:
            game = Game(shipped("debate"))
            game.begin()
            game.state = {"motion": motion.id}
            said = game.said(side.chip)
            assert said == [side.against[0]]
            for n in range(1, len(side.against)):
                assert game.said("but that is not a good reason")[0].endswith(side.against[n])
            answer = game.say("i still think so")
            assert answer is not None
            assert answer.says[0].text == side.close
            assert keys_of(answer)[1] == "end"
            assert game.state is None


def test_a_debate_needs_a_side_and_offers_both() -> None:
    game = Game(shipped("debate"))
    began = game.begin()
    answer = game.say("hmmm")
    assert keys_of(answer) == ["pick"]
    assert answer is not None
    assert answer.chips == began.chips
    assert len(answer.chips) == 2


@pytest.mark.parametrize("text", ["idk", "no"])
def test_who_has_no_more_to_say_in_a_debate_gets_the_last_word_conceded(text: str) -> None:
    game = Game(shipped("debate"))
    chips = game.begin().chips
    game.say(chips[0])
    assert keys_of(game.say(text))[-1] == "end"
    assert game.state is None


def test_no_motion_comes_twice_before_all_have_come() -> None:
    game = Game(shipped("debate"))
    motions = len(cast(DebateForm, form_of("debate")).motions)
    for _ in range(motions):
        game.begin()
        game.state = None
    assert len(set(game.kept["played"])) == motions
    game.begin()
    assert len(game.kept["played"]) == 1


def test_a_debate_of_a_motion_that_is_gone_begins_anew() -> None:
    for state in ({"motion": "removed"}, {"motion": "removed", "side": 1, "argued": 2}):
        game = Game(shipped("debate"))
        game.begin()
        game.state = dict(state)
        assert keys_of(game.say("yes"))[0] == "start"


# --- roast ------------------------------------------------------------------------------------------------------------


def test_an_excuse_gets_a_roast_of_its_own_and_none_twice_while_fresh_ones_are_left() -> None:
    for excuse in cast(RoastForm, form_of("roast")).excuses:
        game = Game(shipped("roast"))
        game.begin()
        roasts = [game.said(excuse.said[0])[0] for _ in excuse.roasts]
        assert sorted(roasts) == sorted(excuse.roasts), excuse.id
        assert keys_of(game.say(excuse.said[0]))[0] == "any", "its own are used up"


def test_an_excuse_that_nobody_knows_is_roasted_too_and_no_line_comes_twice() -> None:
    game = Game(shipped("roast"))
    game.begin()
    lines = cast(RoastForm, form_of("roast")).lines["any"]
    assert len({game.said(f"a goose sat on it, number {n}")[0] for n in range(len(lines))}) == len(lines)


def test_every_second_excuse_gets_a_better_one() -> None:
    game = Game(shipped("roast"))
    game.begin()
    keys = [keys_of(game.say("a goose sat on it"))[1] for _ in range(4)]
    assert keys == ["another", "better", "another", "better"]


def test_a_roast_ends_with_a_no_and_is_not_for_a_whole_story() -> None:
    game = Game(shipped("roast"))
    game.begin()
    assert game.say(f"{LONG} {LONG} {LONG}") is None
    assert keys_of(game.say("another")) == ["start"]
    assert keys_of(game.say("no")) == ["end"]
    assert game.state is None
