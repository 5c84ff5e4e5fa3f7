"""Turns that a skill answers, through the real safety layer: games begin, go on, are put away, and never come first."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from chatbot.accounts.models import TimeLimits, User
from chatbot.chat import answering, playing, services, talk
from chatbot.chat.models import Finish, Turn
from chatbot.chat.terminal import turn_answer
from chatbot.chat.turn import turn_run
from chatbot.core import clock
from chatbot.core.database import in_database
from companion.personas.drawings import drawings
from companion.play import services as play
from companion.play.models import Play
from companion.play.services import play_read, shelf_of
from companion.skills.api import Answer, Card, Heard, Introduction, Playing, Say, Skill, State
from companion.skills.catalogue import Skills
from tests.chat.house import DANGERS, NOON, answered, says, take

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]


_shipped = playing.skills


@pytest.fixture(autouse=True)
def _own_skills() -> Iterator[None]:
    """Each test has skills that no other one tired out."""
    _shipped.cache_clear()
    yield
    _shipped.cache_clear()


async def skill_of(turn: Turn) -> Any:
    return (await in_database(turn_answer, turn.id))["skill"]


async def chips_of(turn: Turn) -> list[str]:
    return list(await in_database(lambda: (Turn.objects.get(id=turn.id).trace or {}).get("chips", [])))


async def games(person: User) -> dict[str, Any]:
    rows = await in_database(lambda: list(Play.objects.filter(owner_id=person.id)))
    return dict(await in_database(lambda: rows[0].skills)) if rows else {}


async def test_a_riddle_is_asked_and_its_answer_is_heard_in_the_next_turn(maya_now: User) -> None:
    says("The engine was asked.")
    turn, asked = await answered(maya_now, "tell me a riddle")
    assert (turn.engine, turn.finish, await skill_of(turn)) == ("skill", Finish.COMPLETE, "riddles")
    assert await chips_of(turn)
    turn, reply = await answered(maya_now, "idk")
    assert turn.engine == "skill"
    assert reply != asked
    assert "engine" not in reply


@pytest.mark.parametrize("text", ["send me a selfie", "show me what you look like"])
async def test_a_phrase_that_the_house_offers_is_nobody_s_guess(maya_now: User, text: str) -> None:
    says("The engine was asked.")
    turn, _reply = await answered(maya_now, text)
    assert (turn.engine, await skill_of(turn)) == ("skill", "selfie")
    trace = await in_database(lambda: Turn.objects.get(id=turn.id).trace or {})
    assert trace["decision"]["action"] == "allow"
    assert trace["drawing"] in drawings()


async def test_giving_up_a_riddle_is_a_move_and_no_sign_of_danger(maya_now: User) -> None:
    says("The engine was asked.")
    await answered(maya_now, "tell me a riddle")
    turn, _reply = await answered(maya_now, "i give up")
    assert await skill_of(turn) == "riddles"


async def test_a_goodbye_is_the_companion_s_and_puts_the_game_away(maya_now: User) -> None:
    says("See you!")
    await answered(maya_now, "tell me a riddle")
    turn, reply = await answered(maya_now, "gtg")
    assert (turn.engine, reply) == ("scripted", "See you!")
    assert not (await games(maya_now))["riddles"]["active"]


@pytest.mark.parametrize("text", ["my grandma died yesterday", "my dog died this morning and i cant stop crying"])
async def test_something_grave_ends_the_game_whatever_it_waits_for(maya_now: User, text: str) -> None:
    says("I'm sorry.")
    await answered(maya_now, "roast my excuse")
    turn, reply = await answered(maya_now, text)
    assert (turn.engine, reply) == ("scripted", "I'm sorry.")
    turn, _reply = await answered(maya_now, "the bus was late")
    assert turn.engine == "scripted"


@pytest.mark.parametrize("level", ["L2", "L3", "abuse"])
async def test_danger_in_the_middle_of_a_game_gets_the_written_flow_and_the_game_is_over(
    maya_now: User, level: str
) -> None:
    says("The engine was asked.")
    await answered(maya_now, "tell me a story")
    turn, _reply = await answered(maya_now, DANGERS[level])
    assert turn.engine == "written"
    assert not (await games(maya_now))["story"]["active"]


async def test_a_story_is_saved_at_the_limit_and_goes_on_the_next_day(maya_now: User) -> None:
    says("The engine was asked.")
    await answered(maya_now, "tell me a story")
    await answered(maya_now, "Pip")
    state = (await games(maya_now))["story"]["state"]
    clock.move_to(NOON + timedelta(days=1))
    turn, _reply = await answered(maya_now, "hello again")
    assert turn.engine == "scripted"
    turn, reply = await answered(maya_now, "tell me a story")
    assert await skill_of(turn) == "story"
    after = (await games(maya_now))["story"]["state"]
    assert (after["scene"], after["slots"]) == (state["scene"], state["slots"])
    assert reply.count("\n") >= 1  # the house says that it goes on, then the scene


async def test_a_name_that_may_not_be_said_leaves_the_story_where_it_was(maya_now: User) -> None:
    says("The engine was asked.")
    await answered(maya_now, "tell me a story")
    before = (await games(maya_now))["story"]["state"]["scene"]
    turn, reply = await answered(maya_now, "send nudes")
    assert turn.engine != "skill" or turn.finish == Finish.WITHHELD
    assert "nudes" not in reply
    assert (await games(maya_now))["story"]["state"]["scene"] == before


async def kept_word(person: User, meaning: str) -> None:
    """A dictionary with one word in it, as it may stand there from a time when the safety layer knew less."""
    turn, _reply = await answered(person, "hello")
    words = {"words": [{"word": "flurbish", "meaning": meaning, "used": ""}]}
    await in_database(
        lambda: play.play_keep(
            owner_id=person.id, conversation_id=turn.conversation_id, turn_id=turn.id,
            rows=[Playing("teach_word", kept=words)], made=None, now=clock.now(), remembers=True,
        )
    )  # fmt: skip


@pytest.mark.parametrize("meaning", ["a backpack that is heavier than you", "the hunger games", "11"])
async def test_what_they_taught_is_said_back(maya_now: User, meaning: str) -> None:
    says("Hi.")
    await kept_word(maya_now, meaning)
    turn, reply = await answered(maya_now, "show my dictionary")
    assert (turn.engine, turn.finish) == ("skill", Finish.COMPLETE)
    assert f"flurbish: {meaning}" in reply


@pytest.mark.parametrize(
    "meaning",
    [
        "not wanting to be alive anymore",  # a crisis, to the classifier
        "girls who are too stupid for math",  # refused
        "i hate myself",  # let pass as a low moment, by rules
        "my number is 415 555 0142",  # nobody's to say, by the rules of replies
    ],
)
async def test_their_words_that_would_be_acted_on_as_a_message_are_not_said_back(maya_now: User, meaning: str) -> None:
    says("Hi.")
    await kept_word(maya_now, meaning)
    turn, reply = await answered(maya_now, "show my dictionary")
    assert (turn.engine, turn.finish) == ("skill", Finish.WITHHELD)
    assert meaning not in reply


async def test_what_was_made_stands_on_the_shelf_once(maya_now: User) -> None:
    says("The engine was asked.")
    turn, _reply = await answered(maya_now, "tell me a story")
    for _ in range(30):
        chips = await chips_of(turn)
        turn, _reply = await answered(maya_now, chips[0] if chips else "Pip")
        if not (await games(maya_now))["story"]["active"]:
            break
    shelf = await in_database(shelf_of, maya_now.id)
    assert [thing.kind for thing in shelf] == ["story"]
    assert "Pip" in shelf[0].text


async def test_a_crash_before_the_first_word_asks_the_same_again_and_moves_the_game_once(maya_now: User) -> None:
    says("The engine was asked.")
    await answered(maya_now, "play twenty questions")
    taken = await take(maya_now, "yes")
    assert taken.acceptance is not None
    turn = await in_database(answering.turn_claim, taken.acceptance.turn_id, now=clock.now())
    assert turn is not None
    before = await games(maya_now)
    rows = await in_database(
        lambda: play_read(
            owner_id=maya_now.id, conversation_id=turn.conversation_id, turn_id=turn.id, now=clock.now(), remembers=True
        )
    )
    moved = [replace(rows["twenty_questions"], state={"answers": {"alive": 0.0}, "wrong": [], "asked": "animal"})]
    await in_database(
        lambda: play.play_keep(
            owner_id=maya_now.id, conversation_id=turn.conversation_id, turn_id=turn.id, rows=moved, made=None,
            now=clock.now(), remembers=True,
        )
    )  # fmt: skip
    await in_database(answering.turn_release, turn.id, turn.fence)
    assert await turn_run(turn.id)
    asked = before["twenty_questions"]["state"]["asked"]
    assert (await games(maya_now))["twenty_questions"]["state"]["answers"] == {asked: 1.0}


async def test_without_memory_a_game_is_played_and_nothing_of_it_stays(maya_now: User) -> None:
    says("Bye then!")
    await TimeLimits.objects.acreate(person=maya_now, memory_off=True)
    await answered(maya_now, "teach you a word")
    await answered(maya_now, "flurbish")
    turn, reply = await answered(maya_now, "a backpack that is heavier than you")
    assert "flurbish" in reply
    assert await skill_of(turn) == "teach_word"
    await answered(maya_now, "gtg")
    assert await games(maya_now) == {}
    assert await in_database(shelf_of, maya_now.id) == []


async def test_a_word_that_was_taught_comes_up_on_another_day(maya_now: User) -> None:
    says("Mhm.")
    for text in ("teach you a word", "flurbish", "a backpack that is heavier than you", "no"):
        await answered(maya_now, text)
    turn, _reply = await answered(maya_now, "my flurbish is back")
    assert turn.engine == "scripted", "on the day itself it would only parrot"
    clock.move_to(NOON + timedelta(days=1))
    turn, reply = await answered(maya_now, "my flurbish is back")
    assert await skill_of(turn) == "teach_word"
    assert "flurbish" in reply
    turn, _reply = await answered(maya_now, "flurbish again")
    assert turn.engine == "scripted", "once a day"


async def test_forget_everything_forgets_what_games_kept(maya_now: User) -> None:
    says("Mhm.")
    for text in ("teach you a word", "flurbish", "a backpack that is heavier than you", "no"):
        await answered(maya_now, text)
    assert await in_database(play.kept_of, maya_now.id)
    await answered(maya_now, "forget everything about me")
    assert await in_database(play.kept_of, maya_now.id) == {}


async def test_what_somebody_switched_off_says_so_and_is_not_offered(maya_now: User, settings: Settings) -> None:
    says("The engine was asked.")
    await TimeLimits.objects.acreate(person=maya_now, skills_off=["riddles"])
    turn, reply = await answered(maya_now, "tell me a riddle")
    assert turn.engine == "skill"
    assert "Riddles" in reply
    assert await games(maya_now) == {}
    settings.SKILLS_OFF = frozenset(playing.skills().names()) - {"jokes"}
    turn, _reply = await answered(maya_now, "what games do you have")
    assert await chips_of(turn) == [playing.skills()._skills["jokes"].card.languages["en"].chip]


class Broken(Skill):
    """Hangs, raises or says too much, as asked."""

    card = Card("broken", {"en": Introduction("Broken", "It breaks.", ("play the broken game",), "broken")})

    def begin(self, heard: Heard, kept: State) -> Answer:
        return Answer((Say("It begins."),), {})

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        if heard.text == "hang":
            while True:
                time.sleep(0)
        if heard.text == "raise":
            raise ValueError(heard.text)
        return Answer((Say("You don't need your friends, you have me.", id="skills/riddles/start/0"),), {})


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Skills(packages=False)
    made._skills["broken"] = Broken()
    for words in made._words.values():
        words._wakes["play the broken game"] = "broken"
    monkeypatch.setattr(playing, "skills", lambda: made)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("fault", ["hang", "raise"])
async def test_a_skill_that_hangs_or_raises_is_put_away_and_the_companion_goes_on(maya_now: User, fault: str) -> None:
    says("Here.")
    await answered(maya_now, "play the broken game")
    turn, reply = await answered(maya_now, fault)
    assert (turn.engine, turn.finish) == ("skill", Finish.COMPLETE)
    assert reply
    assert fault not in reply
    turn, reply = await answered(maya_now, "are you still there")
    assert reply == "Here."


@pytest.mark.usefixtures("broken")
async def test_what_a_foreign_skill_says_passes_the_safety_layer_like_any_reply(maya_now: User) -> None:
    says("Here.")
    await answered(maya_now, "play the broken game")
    turn, reply = await answered(maya_now, "say it")
    assert turn.finish == Finish.WITHHELD
    assert "friends" not in reply


async def test_another_conversation_doesn_t_go_on_with_a_game_by_itself(maya_now: User) -> None:
    says("The engine was asked.", "Again.")
    await answered(maya_now, "tell me a riddle")
    other = await in_database(lambda: services.conversation_start(person=maya_now))
    taken = await talk.message_take(
        person=maya_now, conversation_id=other.id, client_id=uuid.uuid4(), text="is it a shadow"
    )
    assert taken.acceptance is not None
    assert await turn_run(taken.acceptance.turn_id)
    assert (await Turn.objects.aget(id=taken.acceptance.turn_id)).engine == "scripted"
