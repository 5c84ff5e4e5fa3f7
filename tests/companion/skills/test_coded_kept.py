"""Teach me a word and mood check, in English: what they keep from one day to another."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from companion.skills.catalogue import Skills
from companion.skills.coded.mood_checkin import MoodCheckinForm
from companion.types import Language
from tests.companion.skills.talking import (
    LONG,
    TUESDAY,
    Game,
    Talk,
    game_of,
    heard,
    keys_of,
    later,
    shipped,
    shipped_forms,
    texts,
)

# --- teach me a word --------------------------------------------------------------------------------------------------


def taught(*words: tuple[str, str], at: datetime = TUESDAY) -> Game:
    game = game_of("teach_word", at=at)
    for word, meaning in words:
        game.begin("teach you a word")
        game.say(word)
        game.say(meaning)
        game.state = None
    return game


def test_a_word_is_taught_in_three_steps_and_stays_in_the_dictionary() -> None:
    game = game_of("teach_word")
    assert keys_of(game.begin("teach you a word")) == ["start"]
    assert "snorfle" in texts(game.say(" Snorfle! ")).casefold()
    answer = game.say("to laugh with milk in your nose.")
    assert answer is not None
    assert answer.made is None, "the page reads the dictionary itself"
    assert keys_of(answer) == ["", "example"]
    assert keys_of(game.say("i snorfled at lunch")) == ["end"]
    assert game.state is None
    assert game.kept == {
        "words": [{"word": "Snorfle", "meaning": "to laugh with milk in your nose", "used": "2026-11-24"}]
    }


def test_no_line_with_a_word_of_theirs_calls_itself_written() -> None:
    game = game_of("teach_word")
    game.begin("teach you a word")
    for text in ("snorfle", "to laugh with milk in your nose"):
        answer = game.say(text)
        assert answer is not None
        assert [say.id for say in answer.says if "snorfle" in say.text] == [None]


def test_their_words_are_named_beside_each_line_that_says_them() -> None:
    game = game_of("teach_word")
    game.begin("teach you a word")
    asked, learnt = game.say("snorfle"), game.say("to laugh")
    assert asked is not None
    assert learnt is not None
    assert [say.theirs for say in asked.says] == [("snorfle",)]
    assert [say.theirs for say in learnt.says] == [("snorfle", "to laugh"), ()]
    assert [say.theirs for say in game.begin("show my dictionary").says] == [(), ("snorfle", "to laugh")]


def test_the_dictionary_is_listed() -> None:
    game = taught(("snorfle", "to laugh"), ("blip", "a small thing"))
    answer = game.begin("show my dictionary")
    assert keys_of(answer) == ["list", "", ""]
    assert [say.text for say in answer.says[1:]] == ["snorfle: to laugh", "blip: a small thing"]
    assert keys_of(game_of("teach_word").begin("show my dictionary")) == ["none"]


def test_a_full_dictionary_shows_its_last_pages_and_stays_within_bounds() -> None:
    game = taught(*[(f"word{n}", "a meaning") for n in range(70)])
    assert len(game.kept["words"]) == 60
    assert game.kept["words"][-1]["word"] == "word69"
    assert len(game.begin("show my dictionary").says) == 7


@pytest.mark.parametrize("letters", ["e", "é", "ж", "😀"])
def test_a_dictionary_of_long_meanings_never_outgrows_what_may_be_kept(letters: str) -> None:
    game = taught(*[(f"w{letters * 26}{n}", f"x{letters * 138}") for n in range(70)])
    assert game.kept["words"][-1]["word"] == f"w{letters * 26}69"


def test_a_word_that_is_known_is_told_with_its_meaning() -> None:
    game = taught(("snorfle", "to laugh"))
    game.begin("teach you a word")
    answer = game.say("SNORFLE")
    assert "to laugh" in texts(answer)
    assert game.state is None
    assert len(game.kept["words"]) == 1


def test_a_word_is_forgotten_when_asked() -> None:
    game = taught(("snorfle", "to laugh"), ("blip", "a small thing"))
    answer = game.begin("please forget the word snorfle")
    assert "snorfle" in texts(answer)
    assert [one["word"] for one in game.kept["words"]] == ["blip"]
    assert keys_of(game.begin("please forget the word zonk")) == ["start"], "one that it does not have"


def test_a_word_comes_up_on_another_day_once_a_day() -> None:
    skill = shipped("teach_word")
    kept: dict[str, Any] = taught(("snorfle", "to laugh"), ("a", "a letter")).kept
    assert skill.overhears(heard("haha i snorfle", at=later(hours=3)), kept) is None, "not on the day it was taught"
    assert skill.overhears(heard("haha i snorfle", at=later(days=1), low=True), kept) is None
    assert skill.overhears(heard("haha i snorfled", at=later(days=1)), kept) is None, "another word"
    answer = skill.overhears(heard("haha i SNORFLE", at=later(days=1)), kept)
    assert "snorfle" in texts(answer)
    assert answer is not None
    assert answer.kept is not None
    assert skill.overhears(heard("snorfle again", at=later(days=1)), answer.kept) is None
    assert skill.overhears(heard("snorfle again", at=later(days=2)), answer.kept) is not None


def test_a_word_is_heard_in_the_house_while_nothing_is_played(skills: Skills) -> None:
    talk = Talk(skills, at=TUESDAY)
    for text in ("teach you a word", "snorfle", "to laugh with milk in your nose", "i snorfled at lunch"):
        talk.say(text)
    assert talk.open is None
    assert talk.say("haha i snorfle", at=later(days=1), low=True).says == ()
    assert "snorfle" in talk.said("haha i snorfle", at=later(days=1))
    assert talk.say("haha i snorfle", at=later(days=1)).says == ()
    talk.off = frozenset({"teach_word"})
    assert talk.say("haha i snorfle", at=later(days=2)).says == ()


@pytest.mark.parametrize("word", ["{word}", "{meaning}", "{", "}{"])
def test_a_word_that_looks_like_a_slot_stays_as_it_is(word: str) -> None:
    game = game_of("teach_word")
    game.begin("teach you a word")
    if (answer := game.say(word)) is not None:
        assert word in texts(answer)
        assert f"{word}x" in texts(game.say(f"{word}x"))


@pytest.mark.parametrize("text", [LONG, "x" * 31, "🙂", "one two three four"])
def test_what_is_no_word_is_not_claimed(text: str) -> None:
    game = game_of("teach_word")
    game.begin("teach you a word")
    assert game.say(text) is None


@pytest.mark.parametrize("text", ["x" * 141, "🙂", "..."])
def test_what_is_no_meaning_is_not_taken(text: str) -> None:
    game = game_of("teach_word")
    game.begin("teach you a word")
    game.say("snorfle")
    assert keys_of(game.say(text)) == ["cant"]
    assert "words" not in game.kept


# --- mood check -------------------------------------------------------------------------------------------------------


def checked_in(*moods: str, each: timedelta = timedelta(days=1), **fields: Any) -> tuple[Game, Any]:
    game, at, answer = game_of("mood_checkin"), TUESDAY, None
    for mood in moods:
        game.begin("mood check", at=at)
        answer = game.say(mood, at=at, **fields)
        at += each
    return game, answer


def test_every_mood_has_its_reply_and_its_face_in_the_row() -> None:
    for mood in cast(MoodCheckinForm, shipped_forms()["mood_checkin"]["en"]).moods:
        for text in (*mood.said, mood.emoji):
            game, answer = checked_in(text)
            assert answer.says[0].text in mood.replies, text
            assert keys_of(answer) == [mood.id, "short_chart"]
            assert answer.says[1].text.endswith(f" {mood.emoji}")
            assert game.state is None


def test_the_row_has_the_last_seven_days_oldest_first() -> None:
    game, answer = checked_in(*["sad", "good"] * 5)
    assert keys_of(answer) == ["good", "chart"]
    assert answer.says[1].text.split()[-7:] == ["🙂", "😢", "🙂", "😢", "🙂", "😢", "🙂"]
    assert [one["mood"] for one in game.kept["days"]] == ["sad", "good"] * 5


def test_a_day_has_one_mood_and_it_is_the_last_one() -> None:
    game, answer = checked_in("sad", "good", "tired", each=timedelta(hours=2))
    assert game.kept == {"days": [{"day": "2026-11-24", "mood": "tired"}]}
    assert keys_of(answer) == ["tired", "short_chart"]


def test_two_months_of_days_are_kept_and_no_more() -> None:
    game, _ = checked_in(*["okay"] * 70)
    assert len(game.kept["days"]) == 60


@pytest.mark.parametrize("fields", [{"low": True}, {"plain": True}])
def test_after_a_low_moment_and_in_plain_mode_there_is_no_row(fields: dict[str, Any]) -> None:
    game, answer = checked_in("sad", "sad", **fields)
    assert keys_of(answer) == ["sad"]
    assert len(game.kept["days"]) == 2


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "not good"),
        ("en", "not so good"),
        ("en", "not great tbh"),
        ("en", "im not okay"),
        ("en", "not happy"),
        ("en", "i dont feel good"),
        ("en", "not fine at all"),
        ("pt-BR", "não muito bem"),
        ("pt-BR", "não tô bem"),
        ("pt-BR", "não tô feliz"),
        ("pt-BR", "nada bem"),
        ("es", "no muy bien"),
        ("es", "no estoy bien"),
        ("es", "no estoy feliz"),
        ("fr", "pas bien"),
        ("fr", "pas très bien"),
        ("fr", "ça va pas trop"),
        ("fr", "je suis pas bien"),
    ],
)
def test_not_good_is_not_good(language: Language, text: str) -> None:
    moods = {mood.id for mood in cast(MoodCheckinForm, shipped_forms()["mood_checkin"][language]).moods}
    game = game_of("mood_checkin", language=language)
    game.begin("mood check")
    keys = keys_of(game.say(text))
    assert not {"great", "good", "okay"} & moods & set(keys), keys


def test_what_tells_no_mood_is_asked_once_more() -> None:
    game = game_of("mood_checkin")
    chips = game.begin("mood check").chips
    answer = game.say("like a purple staircase")
    assert keys_of(answer) == ["unclear"]
    assert answer is not None
    assert answer.chips == chips
    assert game.say("like a purple staircase") is None
    assert game_of("mood_checkin").begin("mood check").chips == chips


def test_a_long_message_is_no_mood() -> None:
    game = game_of("mood_checkin")
    game.begin("mood check")
    assert game.say(LONG) is None


@pytest.mark.parametrize("text", ["no", "idk", "rather not"])
def test_nobody_has_to_say_how_it_is(text: str) -> None:
    game = game_of("mood_checkin")
    game.begin("mood check")
    assert keys_of(game.say(text)) == ["end"]
    assert game.kept == {}
