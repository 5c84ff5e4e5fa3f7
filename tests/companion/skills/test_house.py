"""Which skill a message is for, and how games are opened, left and put away."""

from __future__ import annotations

import pytest

from companion.skills.api import Playing
from companion.skills.catalogue import Skills
from companion.skills.house import SIGNS, Claim
from companion.types import LANGUAGES, Language
from tests.companion.skills.talking import (
    LONG,
    NONE_OFF,
    TUESDAY,
    Talk,
    claimed,
    heard,
    house,
    keys_of,
    shipped_forms,
    words,
)

# --- what a message says by itself ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_is_known_and_none_is_two_things(skills: Skills, language: Language, sign: str) -> None:
    for phrase in getattr(house(language), sign):
        message = heard(f"{phrase.capitalize()}!", language=language)
        assert skills.heard(message, None, doubted=False).sign == sign, phrase
        assert not words(language).wants_out(phrase), f"{phrase!r} would stop the game"
        assert not words(language).leaves(phrase), f"{phrase!r} would be a goodbye"


@pytest.mark.parametrize("text", ["yes i had pasta", "no school tomorrow", "idk what to wear", ""])
def test_a_sentence_is_no_sign(skills: Skills, text: str) -> None:
    assert skills.heard(heard(text), None, doubted=False).sign is None


# --- stop, bye --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["stop", "Enough!", "i dont want to play anymore", "can we just talk"])
def test_stop_ends_the_game_with_its_own_last_word(skills: Skills, text: str) -> None:
    talk = Talk(skills)
    talk.say("tell me a riddle")
    outcome = talk.say(text)
    assert keys_of(outcome) == ["end"]
    assert talk.open is None
    assert talk.rows["riddles"].state is None
    assert talk.say("flint").says == (), "the riddle is over"


def test_stop_without_a_game_is_for_no_skill(skills: Skills) -> None:
    assert claimed(skills, "stop") is None


def test_a_skill_without_a_last_word_of_its_own_is_left_with_the_houses(skills: Skills) -> None:
    talk = Talk(skills)
    talk.say("mood check")
    talk.rows["mood_checkin"] = talk.rows["mood_checkin"].__class__("mood_checkin", None, active=True)
    assert [say.id.split("/")[1:3] for say in talk.say("stop").says if say.id] == [["house", "left"]]


@pytest.mark.parametrize("text", ["bye", "ok bye", "gtg", "good night"])
def test_a_goodbye_is_no_skills_to_answer_and_puts_the_game_away(skills: Skills, text: str) -> None:
    talk = Talk(skills)
    talk.say("tell me a riddle")
    assert talk.say(text).says == ()
    assert talk.open is None
    assert talk.rows["riddles"].state is None


def test_a_goodbye_puts_a_story_away_where_it_is(skills: Skills) -> None:
    talk = Talk(skills)
    talk.say("tell me a story")
    scene = talk.rows["story"].state
    talk.say("bye")
    assert talk.open is None
    assert talk.rows["story"].state == scene


# --- the menu, switched off, closed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [
        ("en", "riddle", "riddles"), ("en", "a riddle pls", "riddles"), ("en", "would you rather?", "would_you_rather"),
        ("en", "ok so would you rather", "would_you_rather"), ("es", "adivinanza", "riddles"),
        ("es", "qué prefieres", "would_you_rather"), ("fr", "devinette", "riddles"),
        ("fr", "tu préfères", "would_you_rather"), ("pt-BR", "charada", "riddles"),
        ("pt-BR", "isso ou aquilo", "would_you_rather"),
    ],
)  # fmt: skip
def test_the_bare_name_of_a_game_wakes_it(skills: Skills, language: Language, text: str, name: str) -> None:
    assert claimed(skills, text, language=language) == Claim("begin", name)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "would you rather have a tail or wings"), ("en", "which one would you rather"),
        ("pt-BR", "o que você prefere"), ("pt-BR", "isso ou aquilo não me ajuda"),
    ],
)  # fmt: skip
def test_a_question_that_only_begins_like_a_game_does_not(skills: Skills, language: Language, text: str) -> None:
    assert claimed(skills, text, language=language) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_who_wants_to_play_is_offered_no_helper(skills: Skills, language: Language) -> None:
    helpers = {"study_timer", "planner", "calm_down", "mood_checkin"}
    assert {name for name in skills.names() if not skills.skill(name).card.game} == helpers  # type: ignore[union-attr]  # it is among the names
    chips = {skills.chip(name, language) for name in helpers}
    for seed in range(60):
        talk = Talk(skills, language=language)
        assert not chips & set(talk.say(house(language).menu_wakes[0], seed=seed).chips)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_menu_offers_three_skills_by_taps_that_start_them(skills: Skills, language: Language) -> None:
    talk = Talk(skills, language=language)
    outcome = talk.say(house(language).menu_wakes[0])
    assert keys_of(outcome) == ["menu"]
    assert len(set(outcome.chips)) == 3
    for chip in outcome.chips:
        claim = claimed(skills, chip, language=language)
        assert claim is not None
        assert claim.kind == "begin", chip


def test_the_menu_offers_nothing_that_is_off_or_not_for_plain_mode(more: Skills) -> None:
    off = frozenset(more.names()) - {"cave", "pebbles"}
    assert set(Talk(more, off=off).say("games").chips) == {"into the cave", "a pebble"}
    assert Talk(more, off=off).say("games", plain=True).chips == ("into the cave",)


def test_the_menu_puts_the_open_game_away(skills: Skills) -> None:
    talk = Talk(skills)
    talk.say("tell me a riddle")
    talk.say("what games do you have")
    assert talk.open is None


def test_a_skill_that_is_off_says_so_by_its_title_and_does_not_begin(skills: Skills) -> None:
    talk = Talk(skills, off=frozenset({"jokes"}))
    outcome = talk.say("tell me a joke")
    assert keys_of(outcome) == ["off"]
    assert skills.title("jokes", "en") in outcome.says[0].text
    assert outcome.rows == ()


def test_an_open_game_that_is_switched_off_hears_nothing_more(skills: Skills) -> None:
    talk = Talk(skills)
    talk.say("tell me a riddle")
    talk.off = frozenset({"riddles"})
    assert talk.say("idk").says == ()
    assert talk.say("idk").says == ()
    assert talk.open is None


def test_a_low_message_opens_only_what_is_for_low_moments(skills: Skills) -> None:
    assert claimed(skills, "tell me a joke", low=True) is None
    assert claimed(skills, "what games do you have", low=True) is None
    assert claimed(skills, "help me calm down", low=True) == Claim("begin", "calm_down")
    assert claimed(skills, "mood check", low=True) == Claim("begin", "mood_checkin")


def test_a_low_message_is_not_for_the_open_game_and_puts_it_away(skills: Skills) -> None:
    talk = Talk(skills)
    talk.say("tell me a riddle")
    assert talk.say("idk", low=True).says == ()
    assert talk.open is None


def test_giving_up_in_a_game_is_a_move_where_the_safety_layer_only_doubts(skills: Skills) -> None:
    talk = Talk(skills)
    talk.say("tell me a riddle")
    assert keys_of(talk.say("i give up", low=True, doubted=True))[-1] == "another"
    talk.say("another one")
    assert talk.say("i give up", low=True).says == (), "a message that weighs more is no move"


def test_doubt_opens_no_game_and_a_sentence_in_doubt_is_no_move(skills: Skills) -> None:
    talk = Talk(skills)
    assert talk.say("tell me a joke", low=True, doubted=True).says == ()
    talk.say("tell me a riddle")
    assert talk.say("i want to give up on everything", low=True, doubted=True).says == ()
    assert talk.open is None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "my grandma died yesterday"),
        ("pt-BR", "minha avó morreu ontem"),
        ("es", "mi abuela murió ayer"),
        ("fr", "ma grand-mère est morte hier"),
    ],
)
def test_no_game_talks_over_a_death_whatever_it_waits_for(skills: Skills, language: Language, text: str) -> None:
    talk = Talk(skills, language=language)
    talk.say(shipped_forms()["riddles"][language].wakes[0])
    assert talk.open is not None
    assert talk.say(text).says == ()
    assert talk.open is None


def test_something_calm_goes_on_through_low_messages(skills: Skills) -> None:
    talk = Talk(skills, low=True)
    talk.say("help me calm down")
    assert talk.say("breathe").says != ()
    assert talk.open is not None


def test_plain_mode_opens_no_game_that_is_not_for_it(more: Skills) -> None:
    assert claimed(more, "tell me a pebble", plain=True) is None
    assert claimed(more, "tell me a pebble") == Claim("begin", "pebbles")


# --- one game after the other -----------------------------------------------------------------------------------------


def test_what_wakes_another_skill_puts_the_open_game_away(skills: Skills) -> None:
    talk = Talk(skills)
    talk.say("tell me a riddle")
    talk.say("tell me a joke")
    assert [row.skill for row in talk.rows.values() if row.active] == ["jokes"]
    assert talk.rows["riddles"].state is None


def test_a_story_that_was_put_away_for_another_game_is_gone_on_with(skills: Skills) -> None:
    talk = Talk(skills)
    began = talk.say("tell me a story")
    talk.say("tell me a joke")
    again = talk.say("tell me a story")
    assert keys_of(again)[0] == "again"
    assert skills.title("story", "en") in again.says[0].text
    assert again.says[1:] == began.says, "the scene where it rested"
    assert talk.open is not None
    assert talk.open.skill == "story"


def test_asking_again_for_the_open_story_shows_its_scene_without_a_welcome_back(skills: Skills) -> None:
    talk = Talk(skills)
    began = talk.say("tell me a story")
    assert talk.say("tell me a story").says == began.says


def test_one_missed_message_keeps_a_game_and_two_put_it_away(skills: Skills) -> None:
    talk = Talk(skills)
    talk.say("tell me a riddle")
    assert talk.say(LONG).says == ()
    assert talk.open is not None
    assert talk.open.missed == 1
    assert talk.say(LONG).says == ()
    assert talk.open is None


def test_a_message_for_the_game_forgives_the_one_that_was_not(skills: Skills) -> None:
    talk = Talk(skills)
    talk.say("tell me a riddle")
    for text in (LONG, "idk", LONG):
        talk.say(text)
        assert talk.open is not None, text
    assert talk.open is not None
    assert talk.open.missed == 1


def test_a_patient_skill_stays_while_other_things_are_talked_about(skills: Skills) -> None:
    talk = Talk(skills)
    talk.say("set a study timer for 25 minutes", at=TUESDAY)
    for _ in range(5):
        assert talk.say(LONG, at=TUESDAY).says == ()
    assert talk.open is not None
    assert keys_of(talk.say("how long", at=TUESDAY)) == ["left"]


def test_a_game_of_a_skill_that_is_gone_is_closed_and_nothing_breaks(more: Skills, skills: Skills) -> None:
    talk = Talk(more)
    talk.say("tell me a pebble")
    talk.skills = skills
    assert talk.say("flint").says == ()
    talk.say("tell me a joke")
    assert [row.skill for row in talk.rows.values() if row.active] == ["jokes"]


def test_the_same_message_with_the_same_seed_gets_the_same_answer(skills: Skills) -> None:
    for text in ("tell me a joke", "what games do you have", "word chain"):
        assert Talk(skills).say(text) == Talk(skills).say(text)


# --- what it is -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_asked_what_it_is_no_game_answers_in_its_place(skills: Skills, language: Language) -> None:
    for phrase in house(language).honest:
        message = heard(f"{phrase.capitalize()}?", language=language)
        for name in skills.names():
            open_one = Playing(name, state={}, active=True, language=language)
            assert skills.claim(message, open_one, off=NONE_OFF) is None, (name, phrase)


@pytest.mark.parametrize("text", ["ok but are you human?", "haha nice. are you a real person?", "so r u a bot"])
def test_and_with_a_word_before_it_neither(skills: Skills, text: str) -> None:
    talk = Talk(skills)
    talk.say("a story together")
    assert talk.say(text).says == ()
    assert talk.open is not None, "the game waits"


@pytest.mark.parametrize("text", ["stop the story", "quit the game"])
def test_a_story_is_stopped_by_its_name(skills: Skills, text: str) -> None:
    talk = Talk(skills)
    talk.say("a story together")
    talk.say(text)
    assert talk.open is None
