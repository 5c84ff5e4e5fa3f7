"""Another answer to the same words is another one, or it is said that there is none."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from chatbot.accounts.models import User
from chatbot.chat import engine, selectors, services, talk
from chatbot.chat.models import Message, Turn
from chatbot.chat.turn import turn_run
from chatbot.core.database import in_database
from companion.engines.scripted import ScriptedEngine, Step
from companion.types import Prompt
from tests.chat.house import answered, says
from tests.chat.tab import tab_of

pytestmark = pytest.mark.django_db(transaction=True)


def notes(*lines: str) -> list[Prompt]:
    """An engine that says one line after the other, the last one for ever, and what it was asked with."""
    asked: list[Prompt] = []

    def script(prompt: Prompt) -> Iterable[Step]:
        asked.append(prompt)
        yield lines[min(len(asked), len(lines)) - 1]

    engine.engine_use(ScriptedEngine(script))
    return asked


async def again(person: User, turn: Turn) -> tuple[Turn, str]:
    taken = await talk.turn_repeat(person=person, turn_id=turn.id)
    assert taken.acceptance is not None
    assert await turn_run(taken.acceptance.turn_id)
    found = await Turn.objects.aget(id=taken.acceptance.turn_id)
    return found, await in_database(selectors.reply_of, found.id)


async def shown(turn: Turn) -> list[tuple[str, bool]]:
    """What a page that opens now has of the conversation: each text, and whether another answer is on offer."""

    def read() -> list[tuple[str, bool]]:
        rows = selectors.conversation_messages(Turn.objects.get(id=turn.id).conversation)
        return [(row.text, row.again) for row in rows]

    return await in_database(read)


async def test_the_engine_knows_what_was_said_to_these_words(maya_now: User) -> None:
    asked = notes("One thing.", "Another thing.", "A third thing.")
    first, _ = await answered(maya_now, "hello there")
    second, _ = await again(maya_now, first)
    third, _ = await again(maya_now, second)
    assert [{line.text for line in prompt.passed} for prompt in asked] == [
        set(), {"One thing."}, {"One thing.", "Another thing."}
    ]  # fmt: skip
    assert await shown(third) == [("hello there", True), ("A third thing.", True)]
    await answered(maya_now, "and now?")
    assert asked[-1].passed == ()


async def test_where_it_is_the_same_it_says_so_and_offers_none_any_more(maya_now: User) -> None:
    says("Only this.")
    first, _ = await answered(maya_now, "hello there")
    assert await shown(first) == [("hello there", True), ("Only this.", True)]
    second, said = await again(maya_now, first)
    assert said == "Only this."
    assert await shown(second) == [("hello there", True), ("Only this.", False)]
    with pytest.raises(services.NotPossible):
        await talk.turn_repeat(person=maya_now, turn_id=second.id)
    assert await Message.objects.filter(turn_id=second.id, state="current").acount() == 2


async def test_one_of_those_before_is_none_either(maya_now: User) -> None:
    notes("One thing.", "Another thing.", "One thing.")
    turn, _ = await answered(maya_now, "hello there")
    for offered in (True, False):
        turn, _ = await again(maya_now, turn)
        assert (await shown(turn))[-1][1] is offered


async def test_other_words_may_be_answered_the_same(maya_now: User) -> None:
    asked = notes("Only this.")
    turn, _ = await answered(maya_now, "hello ther")
    taken = await talk.message_correct(person=maya_now, message_id=turn.message_id, text="hello there")
    assert taken.acceptance is not None
    assert await turn_run(taken.acceptance.turn_id)
    corrected = await Turn.objects.aget(id=taken.acceptance.turn_id)
    assert asked[-1].passed == ()
    assert (await shown(corrected))[-1] == ("Only this.", True)
    last, _ = await again(maya_now, corrected)
    assert [line.text for line in asked[-1].passed] == ["Only this."], "of these words, not of those before"
    assert (await shown(last))[-1] == ("Only this.", False)


async def test_the_socket_says_it_with_the_end_of_the_turn(maya_now: User) -> None:
    says("Only this.")
    tab = await tab_of(maya_now)
    await tab.open()
    first = (await tab.say("hello there"))[-1]
    assert first["again"] is True
    await tab.send(type="again", turn=first["turn"])
    second = (await tab.until("done"))[-1]
    assert (second["again"], second["finish"]) == (False, "complete")
    refused = await tab.send_and_get(type="again", turn=second["turn"])
    assert (refused["type"], refused["code"]) == ("error", "not_possible")
    await tab.wire.disconnect()
