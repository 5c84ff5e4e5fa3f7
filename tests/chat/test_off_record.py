"""Off the record: nothing of a message is remembered, ever, and it is still checked for danger exactly as always."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from chatbot.accounts import services as people
from chatbot.accounts.models import TimeLimits, User
from chatbot.chat import answering, playing, services, talk
from chatbot.chat.jobs import learn
from chatbot.chat.models import Message, Turn
from chatbot.chat.terminal import BadLine, Newcomer, Terminal
from chatbot.chat.turn import turn_run
from chatbot.core import clock, jobs
from chatbot.core.choices import choice_set
from chatbot.core.database import in_database
from companion.memory.services import memory_list
from companion.play.models import Play
from companion.play.services import shelf_of
from companion.skills.api import Answer, Card, Heard, Introduction, Say, Skill, State
from companion.skills.catalogue import Skills
from moderation import screen
from moderation.incidents.models import Incident
from moderation.types import Screening
from tests.chat.house import DANGERS, NOON, answered, says, take
from tests.chat.tab import tab_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]
FACTS = "my name is Maya and i love surfing"
_shipped = playing.skills


@pytest.fixture(autouse=True)
def _own_skills() -> Iterator[None]:
    _shipped.cache_clear()
    yield
    _shipped.cache_clear()


async def known(person: User) -> set[str]:
    """After every job and every sweep."""
    await in_database(jobs.drain)
    await in_database(jobs.run_sweeps)
    views = await in_database(memory_list, owner_id=person.id, language="en")
    return {view.value for view in views}


async def message_of(turn: Turn) -> Message:
    return await Message.objects.aget(id=turn.message_id)


# --- nothing is learned -----------------------------------------------------------------------------------------------


async def test_nothing_is_learned_by_the_turn_by_a_job_that_is_late_or_by_a_sweep(maya_now: User) -> None:
    says("Hi!")
    turn, _ = await answered(maya_now, FACTS, off_record=True)
    assert await known(maya_now) == set()
    await in_database(learn, str(turn.message_id))
    clock.move_to(NOON + timedelta(days=2))
    assert await known(maya_now) == set()
    await answered(maya_now, FACTS)
    assert await known(maya_now) == {"Maya", "surfing"}


async def test_the_flag_alone_holds_whatever_else_the_row_says(maya_now: User) -> None:
    says("Hi!")
    turn, _ = await answered(maya_now, FACTS, off_record=True)
    # As a restore, a migration or a fault could leave it: allowed, and not learned from yet.
    await Message.objects.filter(id=turn.message_id).aupdate(decision="allow", remembered_at=None)
    await in_database(learn, str(turn.message_id))
    assert await known(maya_now) == set()


async def test_what_is_over_or_not_true_any_more_changes_nothing_that_is_known(maya_now: User) -> None:
    says("Okay.")
    await answered(maya_now, "i do judo. i love surfing")
    before = await known(maya_now)
    for text in ("i quit judo", "that's not true anymore", "i hate surfing now"):
        await answered(maya_now, text, off_record=True)
    assert await known(maya_now) == before


async def test_forget_that_means_what_was_just_said_and_a_plain_wish_to_forget_is_done(maya_now: User) -> None:
    says("Okay.")
    await answered(maya_now, "i love surfing")
    assert await known(maya_now) == {"surfing"}
    await answered(maya_now, "i love chess", off_record=True)
    turn, _ = await answered(maya_now, "forget that", off_record=True)
    assert turn.engine == "memory"
    assert await known(maya_now) == {"surfing"}
    _, reply = await answered(maya_now, "what do you know about me", off_record=True)
    assert "surfing" in reply
    await answered(maya_now, "forget everything about surfing", off_record=True)
    assert await known(maya_now) == set()
    _, reply = await answered(maya_now, "what is my dog called", off_record=True)
    assert "remember" not in reply


# --- it is checked as always ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("danger", sorted(DANGERS))
async def test_danger_gets_the_same_words_card_and_incident(maya_now: User, leo_now: User, danger: str) -> None:
    asked = says("This must never be said.")
    on, _ = await answered(leo_now, DANGERS[danger])
    incidents = await Incident.objects.acount()
    off, reply = await answered(maya_now, DANGERS[danger], off_record=True)
    assert (off.finish, off.engine) == (on.finish, on.engine)
    traces = [await in_database(lambda turn=turn: Turn.objects.get(id=turn.id).trace) for turn in (on, off)]
    same = ("action", "severity", "level", "categories", "playbook", "reason")
    assert [traces[0]["decision"][key] for key in same] == [traces[1]["decision"][key] for key in same]
    assert traces[0]["card"]["emergency"] == traces[1]["card"]["emergency"]
    assert reply
    assert await Incident.objects.acount() == 2 * incidents
    assert not asked.asked
    assert await known(maya_now) == set()


async def test_the_safety_layer_reads_all_that_was_said_before_on_and_off_the_record(
    maya_now: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    says("Mhm.")
    seen: list[list[str]] = []
    check = screen.check_message

    def spied(text: str, **given: Any) -> Screening:
        seen.append([one.text for one in given["history"]])
        return check(text, **given)

    monkeypatch.setattr(screen, "check_message", spied)
    await answered(maya_now, "first on the record")
    await answered(maya_now, "then off the record", off_record=True)
    await answered(maya_now, "and on it again")
    assert seen[-1] == ["first on the record", "Mhm.", "then off the record", "Mhm."]


# --- the companion has it while it lasts, and never after -------------------------------------------------------------


async def test_the_companion_follows_the_talk_off_the_record_and_has_none_of_it_afterwards(maya_now: User) -> None:
    engine = says("Mhm.")
    for text, off in (("one", False), ("two", True), ("three", True), ("four", False), ("five", True)):
        await answered(maya_now, f"message {text}", off_record=off)
    seen = [[line.text.split()[-1] for line in prompt.history if line.who == "user"] for prompt in engine.asked]
    assert seen == [[], ["one"], ["one", "two"], ["one"], ["one", "four"]]
    answers = [sum(line.who == "companion" for line in prompt.history) for prompt in engine.asked]
    assert answers == [0, 1, 2, 1, 2]


async def test_what_is_known_already_may_still_be_used(maya_now: User) -> None:
    engine = says("Mhm.")
    await answered(maya_now, FACTS)
    await known(maya_now)
    await answered(maya_now, "thinking about surfing again", off_record=True)
    assert engine.asked[-1].person == "Maya"
    assert any("surfing" in one.text for one in engine.asked[-1].memories)


# --- the flag travels with the message --------------------------------------------------------------------------------


async def test_it_is_said_kept_and_shown_over_a_double_send_and_a_reconnect(maya_now: User) -> None:
    says("Mhm.")
    tab = await tab_of(maya_now)
    ready = await tab.open()
    assert ready["limits"]["memory"] is True
    client_id = uuid.uuid4()
    accepted = (await tab.say("just between the lines", client_id, off_record=True))[0]
    assert accepted["off_record"] is True
    # Sent again by a page that lost the answer, or by another one that knows nothing of it: the first one counts.
    again = await tab.send_and_get(type="say", client_id=client_id, text="just between the lines")
    assert (again["message"], again["off_record"]) == (accepted["message"], True)
    await tab.say("and this is not")
    await tab.wire.disconnect()
    ready = await (await tab_of(maya_now)).open()
    assert [(one["author"], one["off_record"]) for one in ready["messages"]] == [
        ("user", True), ("companion", True), ("user", False), ("companion", False),
    ]  # fmt: skip
    assert await known(maya_now) == set()


async def test_a_turn_that_another_process_takes_up_stays_off_the_record(maya_now: User) -> None:
    says("Mhm.")
    taken = await take(maya_now, FACTS, off_record=True)
    assert taken.acceptance is not None
    # The first process had it, and is gone: nothing but the row says what was wanted.
    await in_database(answering.turn_claim, taken.acceptance.turn_id, now=clock.now())
    clock.move_to(NOON + timedelta(seconds=16))
    assert await turn_run(taken.acceptance.turn_id)
    replies = Message.objects.filter(turn_id=taken.acceptance.turn_id, author="companion")
    assert [one.off_record async for one in replies] == [True]
    assert await known(maya_now) == set()


async def test_another_answer_and_a_correction_stay_off_the_record(maya_now: User) -> None:
    says("Mhm.")
    turn, _ = await answered(maya_now, FACTS, off_record=True)
    again = await talk.turn_repeat(person=maya_now, turn_id=turn.id)
    assert again.acceptance is not None
    assert again.acceptance.off_record
    assert await turn_run(again.acceptance.turn_id)
    taken = await talk.message_correct(person=maya_now, message_id=turn.message_id, text=FACTS + " a lot")
    assert taken.acceptance is not None
    assert taken.acceptance.off_record
    assert await turn_run(taken.acceptance.turn_id)
    assert await known(maya_now) == set()


async def test_a_message_that_goes_off_the_record_with_its_correction_is_forgotten(maya_now: User) -> None:
    says("Mhm.")
    await answered(maya_now, "i love chess")
    turn, _ = await answered(maya_now, FACTS)
    assert await known(maya_now) == {"Maya", "surfing", "chess"}
    taken = await talk.message_correct(person=maya_now, message_id=turn.message_id, text=FACTS, off_record=True)
    assert taken.acceptance is not None
    assert await turn_run(taken.acceptance.turn_id)
    assert await known(maya_now) == {"chess"}
    assert (await message_of(turn)).off_record


async def test_the_terminal_has_it_too(maya_now: User) -> None:
    says("Mhm.")
    terminal = Terminal(Newcomer(), maya_now)
    for given in ({"text": "i love chess", "off_record": True}, {"text": "i love kiwis"}):
        await terminal.line(str(given).replace("'", '"').replace("True", "true"))
    assert await known(maya_now) == {"kiwis"}
    with pytest.raises(BadLine, match="true or false"):
        await terminal.line('{"text": "hi", "off_record": "yes"}')


# --- where there is none ----------------------------------------------------------------------------------------------


def off(person: User) -> None:
    TimeLimits.objects.create(person=person, memory_off=True)


def paused(person: User) -> None:
    people.memory_pause(person, paused=True)


def plain(person: User) -> None:
    choice_set("regions", {"*": "plain_mode"})


@pytest.mark.parametrize("freeze", [off, paused, plain])
async def test_where_nothing_is_remembered_it_is_not_offered_and_asking_for_it_is_harmless(
    maya_now: User, freeze: Callable[[User], None]
) -> None:
    says("Mhm.")
    await in_database(freeze, maya_now)
    tab = await tab_of(maya_now)
    assert (await tab.open())["limits"]["memory"] is False
    frames = await tab.say(FACTS, off_record=True)
    assert frames[0]["off_record"] is False
    assert frames[-1]["finish"] == "complete"
    assert [one.off_record async for one in Message.objects.all()] == [False, False]


async def test_what_asked_for_it_is_not_learned_when_memory_comes_back_a_moment_later(maya_now: User) -> None:
    says("Mhm.")
    await in_database(people.memory_pause, maya_now, paused=True)
    taken = await take(maya_now, FACTS, off_record=True)
    assert taken.acceptance is not None
    await in_database(people.memory_pause, maya_now, paused=False)
    assert await turn_run(taken.acceptance.turn_id)
    assert await known(maya_now) == set()


# --- games ------------------------------------------------------------------------------------------------------------


async def games(person: User) -> dict[str, Any]:
    rows = await in_database(lambda: [row.skills for row in Play.objects.filter(owner_id=person.id)])
    return rows[0] if rows else {}


async def skill_of(turn: Turn) -> str | None:
    return await in_database(lambda: (Turn.objects.get(id=turn.id).trace or {}).get("skill"))


async def test_a_game_off_the_record_goes_on_there_and_leaves_nothing(maya_now: User) -> None:
    says("The engine was asked.")
    for text in ("teach you a word", "flurbish"):
        turn, _ = await answered(maya_now, text, off_record=True)
        assert await skill_of(turn) == "teach_word"
    # Asked in between, memory answers; the game is where it was.
    await answered(maya_now, "what do you know about me", off_record=True)
    turn, reply = await answered(maya_now, "a backpack that is heavier than you", off_record=True)
    assert await skill_of(turn) == "teach_word"
    assert "flurbish" in reply
    assert await games(maya_now) == {}
    assert await in_database(shelf_of, maya_now.id) == []
    turn, _ = await answered(maya_now, "my flurbish is heavy today")
    assert turn.engine == "scripted"
    turn, _ = await answered(maya_now, "and so is yours", off_record=True)
    assert turn.engine == "scripted", "with the first message on the record the game was over"


async def test_a_game_on_the_record_waits_where_it_was(maya_now: User) -> None:
    says("The engine was asked.")
    await answered(maya_now, "tell me a story")
    before = await games(maya_now)
    turn, _ = await answered(maya_now, "Pip", off_record=True)
    assert turn.engine == "scripted"
    turn, _ = await answered(maya_now, "tell me a riddle", off_record=True)
    assert await skill_of(turn) == "riddles"
    assert await games(maya_now) == before
    turn, _ = await answered(maya_now, "Pip")
    assert await skill_of(turn) == "story"


async def test_danger_ends_a_game_off_the_record(maya_now: User) -> None:
    says("The engine was asked.")
    await answered(maya_now, "tell me a riddle", off_record=True)
    turn, _ = await answered(maya_now, DANGERS["L2"], off_record=True)
    assert turn.engine == "written"
    turn, _ = await answered(maya_now, "idk", off_record=True)
    assert turn.engine != "skill"


class Counts(Skill):
    """Counts its turns, and says too much when asked to."""

    card = Card("counts", {"en": Introduction("Counts", "It counts.", ("play the counting game",), "count")})

    def begin(self, heard: Heard, kept: State) -> Answer:
        return Answer((Say("Number 0."),), {"number": 1})

    def go_on(self, heard: Heard, state: State, kept: State) -> Answer | None:
        said = "You don't need your friends, you have me." if heard.text == "say it" else f"Number {state['number']}."
        return Answer((Say(said),), {"number": state["number"] + 1})


async def test_what_may_not_be_said_did_not_happen_in_a_game_off_the_record_either(
    maya_now: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Skills(packages=False)
    made._skills["counts"] = Counts()
    for words in made._words.values():
        words._wakes["play the counting game"] = "counts"
    monkeypatch.setattr(playing, "skills", lambda: made)
    said = [(await answered(maya_now, text, off_record=True))[1] for text in ("play the counting game", "on", "say it")]
    assert said[:2] == ["Number 0.", "Number 1."]
    assert "friends" not in said[2]
    assert (await answered(maya_now, "on", off_record=True))[1] == "Number 2."
    assert await games(maya_now) == {}


# --- at the same moment -----------------------------------------------------------------------------------------------


def test_the_row_has_it_from_the_first_moment(maya_at_noon: User) -> None:
    conversation = services.conversation_start(person=maya_at_noon)
    taken = talk._take(maya_at_noon, conversation.id, uuid.uuid4(), FACTS, danger=None, paced=False, off_record=True)
    assert taken.acceptance is not None
    row = Message.objects.get(id=taken.acceptance.message_id)
    assert row.off_record
    assert row.remembered_at is not None
