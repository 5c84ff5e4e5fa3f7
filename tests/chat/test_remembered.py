"""The slip that says what was just remembered: for something new, once, in a calm moment, to whoever is there."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from channels.layers import get_channel_layer

from chatbot.accounts import services as people
from chatbot.accounts.models import Role, TimeLimits, User
from chatbot.chat import follow
from chatbot.chat.frames import Notice
from chatbot.chat.models import Message, Turn
from chatbot.chat.remembered import FRESH, lesson_of
from chatbot.core import clock, jobs
from chatbot.core.choices import choice_set
from chatbot.core.database import in_database
from companion.memory.services import memory_forget_all, memory_list
from companion.types import LANGUAGES
from moderation.incidents import services as incidents
from moderation.types import WatchState
from tests.chat.house import DANGERS, NOON, answered, says
from tests.chat.tab import Tab, tab_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]
TOLD = "my dog is called Waffles"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that comes late is found as soon."""
    monkeypatch.setattr(follow, "IDLE_S", 0.2)


def learn_all() -> None:
    """Every job, and what had not been handed over when the page heard of the end."""
    jobs.drain()
    jobs.run_sweep("chat.learn")


async def heard(tab: Tab) -> list[dict[str, Any]]:
    """Everything that comes once the jobs are done."""
    await in_database(learn_all)
    frames = []
    while not await tab.wire.receive_nothing(timeout=1.0, interval=0.05):
        frames.append(await tab.get())
    return frames


async def taught(tab: Tab, text: str) -> dict[str, Any]:
    """The one notice that a message brings."""
    await tab.say(text)
    await in_database(learn_all)
    notice = await tab.get()
    assert (notice["type"], notice["kind"]) == ("notice", "memory")
    assert await heard(tab) == []
    return notice


async def told(tab: Tab, text: str, **more: object) -> list[dict[str, Any]]:
    """What a message brings after its end, where that is to be nothing."""
    await tab.say(text, **more)
    return await heard(tab)


async def open_tab(person: User, *script: object) -> Tab:
    says(*(script or ("Cold pizza is sacred.",)))
    tab = await tab_of(person)
    await tab.open()
    return tab


async def test_something_new_is_said_once_in_the_words_of_the_page_with_a_way_to_undo_it(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    notice = await taught(tab, TOLD)
    message = await Message.objects.aget(author="user")
    assert notice == {
        "type": "notice", "kind": "memory", "title": "I'll remember:", "body": "Your dog is called Waffles.",
        "actions": [{"kind": "undo", "label": "Undo", "value": str(message.id)}], "data": None,
    }  # fmt: skip
    assert await told(tab, TOLD) == []  # strengthened
    assert await told(tab, "what do you think of rain") == []


async def test_two_things_are_named_and_the_others_counted(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    notice = await taught(tab, "my name is Maya. i love surfing. my dog is called Waffles. i play chess")
    kept = await in_database(memory_list, owner_id=maya_now.id, language="en")
    *named, more = notice["body"].splitlines()
    assert len(named) == 2
    assert set(named) < {one.text for one in kept}
    assert more == f"And {len(kept) - 2} more things."


@pytest.mark.parametrize("language", LANGUAGES)
async def test_in_the_person_s_language(maya_now: User, language: str) -> None:
    maya_now.language = language
    await maya_now.asave()
    tab = await open_tab(maya_now)
    said = {
        "en": ("i love surfing", "I'll remember:", "Undo"), "pt-BR": ("eu amo surfe", "Vou lembrar:", "Desfazer"),
        "es": ("me encanta el surf", "Me acordaré de esto:", "Deshacer"),
        "fr": ("j'adore le surf", "Je m'en souviendrai :", "Annuler"),
    }  # fmt: skip
    text, title, undo = said[language]
    notice = await taught(tab, text)
    assert (notice["title"], notice["actions"][0]["label"]) == (title, undo)


async def test_nothing_after_danger(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    await tab.say(DANGERS["L1"])
    assert await heard(tab) == []
    assert [one for one in await told(tab, TOLD) if one["kind"] == "memory"] == []


@pytest.mark.parametrize(
    ("watch", "said"),
    [
        (WatchState(), True),
        (WatchState(low_at=NOON - timedelta(hours=1)), False),
        (WatchState(low_at=NOON - timedelta(hours=4)), True),
        (WatchState(signal_at=NOON - timedelta(hours=4)), False),
        (WatchState(signal_at=NOON - timedelta(hours=30)), True),
    ],
)
async def test_nothing_in_the_hours_after_something_low_or_a_danger(
    maya_now: User, watch: WatchState, *, said: bool
) -> None:
    await in_database(incidents.watch_store, maya_now.id, watch)
    tab = await open_tab(maya_now)
    if said:
        await taught(tab, TOLD)
    else:
        assert await told(tab, TOLD) == []
    assert await Message.objects.filter(learned=True).aexists()  # it is remembered all the same


@pytest.mark.parametrize(
    ("of_turn", "of_message"),
    [
        ({"engine": "written"}, {}),
        ({"finish": "withheld"}, {}),
        ({"finish": "crisis"}, {}),
        ({"finish": "failed"}, {}),
        ({"state": "answering"}, {}),
        ({"trace": {"decision": {"categories": ["T05"]}}}, {}),
        ({}, {"decision": "support"}),
        ({}, {"off_record": True}),
        ({}, {"learned": False}),
    ],
)
async def test_nothing_of_a_turn_that_was_written_withheld_flagged_or_kept_off(
    maya_now: User, of_turn: dict[str, Any], of_message: dict[str, Any]
) -> None:
    says("Cold pizza is sacred.")
    turn, _ = await answered(maya_now, TOLD)
    await in_database(learn_all)
    assert isinstance(await in_database(lesson_of, turn.id), Notice)
    await in_database(_changed, turn.id, of_turn, of_message)
    assert await in_database(lesson_of, turn.id) is None


def _changed(turn_id: uuid.UUID, of_turn: dict[str, Any], of_message: dict[str, Any]) -> None:
    turn = Turn.objects.select_related("message").get(id=turn_id)
    for row, values in ((turn, of_turn), (turn.message, of_message)):
        for name, value in values.items():
            setattr(row, name, value)
        row.save()


async def test_nothing_in_a_turn_that_weighs_nor_in_the_ones_after_it(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    assert await told(tab, "my grandma died and my dog is called Waffles") == []
    assert await told(tab, "i love surfing") == []
    known = await in_database(memory_list, owner_id=maya_now.id, language="en")
    assert "surfing" in [one.value for one in known]


async def test_nothing_off_the_record_with_memory_off_or_in_plain_mode(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    assert await told(tab, TOLD, off_record=True) == []
    await in_database(people.memory_pause, maya_now, paused=True)
    assert await told(tab, "i love surfing") == []
    await in_database(people.memory_pause, maya_now, paused=False)
    await in_database(choice_set, "regions", {"*": "plain_mode"})
    assert await told(tab, "i love chess") == []


async def test_nothing_where_the_house_remembers_nothing_as_in_a_widget(maya_now: User) -> None:
    await TimeLimits.objects.acreate(person=maya_now, memory_off=True, set_by=Role.OPERATOR)
    tab = await open_tab(maya_now)
    assert await told(tab, TOLD) == []


async def test_switched_off_between_learning_and_telling_nothing_is_said(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    await tab.say(TOLD)
    await in_database(people.memory_pause, maya_now, paused=True)
    assert await heard(tab) == []


async def test_what_was_forgotten_before_it_is_told_is_not_told(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    await tab.say(TOLD)
    await in_database(_learn_and_forget, maya_now)
    assert await heard(tab) == []


def _learn_and_forget(person: User) -> None:
    learn_all()
    memory_forget_all(owner_id=person.id)


async def test_a_socket_that_was_closed_meanwhile_is_told_nothing_and_nothing_is_lost(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    frames = await tab.say(TOLD)
    await tab.wire.disconnect()
    await in_database(learn_all)
    again = await tab_of(maya_now)
    await again.wire.connect()
    await again.send(type="hello", seen={"turn": frames[0]["turn"], "seq": 1})
    assert [frame["type"] for frame in await heard(again)] == ["ready", "done"]
    assert [one.value for one in await in_database(memory_list, owner_id=maya_now.id, language="en")] == ["Waffles"]


async def test_what_was_learned_after_the_next_message_is_not_told_any_more(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    await tab.say(TOLD)
    await tab.say("what do you think of rain")
    assert await heard(tab) == []


async def test_a_correction_tells_what_it_taught(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    first = await taught(tab, "i love surfing")
    await tab.send(type="edit", message=first["actions"][0]["value"], text="i love chess")
    await tab.until("done")
    await in_database(learn_all)
    second = await tab.get()
    assert "chess" in second["body"]


async def test_both_tabs_of_a_chat_are_told(maya_now: User) -> None:
    one, two = await open_tab(maya_now), await open_tab(maya_now)
    mine = await taught(one, TOLD)
    assert (await two.until("notice"))[-1] == mine


async def test_of_a_turn_that_is_gone_nothing_is_said(db: None) -> None:
    assert await in_database(lesson_of, uuid.uuid4()) is None


async def test_feelings_and_what_is_off_limits_are_kept_and_not_named(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    assert await told(tab, "please don't talk about my math test") == []
    known = await in_database(memory_list, owner_id=maya_now.id, language="en")
    assert [one.kind for one in known] == ["boundary"]


async def test_no_event_carries_a_word_of_it(maya_now: User, monkeypatch: pytest.MonkeyPatch) -> None:
    layer: Any = get_channel_layer()
    sent: list[str] = []
    group_send = type(layer).group_send

    async def overheard(self: Any, group: str, message: dict[str, Any]) -> None:
        sent.append(str(message))
        await group_send(self, group, message)

    monkeypatch.setattr(type(layer), "group_send", overheard)
    tab = await open_tab(maya_now)
    notice = await taught(tab, TOLD)
    assert "Waffles" in notice["body"]
    assert sent
    assert "Waffles" not in "".join(sent)


async def test_a_job_that_comes_late_is_told_by_the_idle_look(maya_now: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "LEARN_S", 0.0)
    tab = await open_tab(maya_now)
    await tab.say(TOLD)
    await asyncio.sleep(0.5)
    await in_database(learn_all)
    assert (await tab.get())["kind"] == "memory"


async def test_what_is_learned_long_after_the_reply_is_not_told(maya_now: User) -> None:
    tab = await open_tab(maya_now)
    await tab.say(TOLD)
    clock.move_to(NOON + FRESH + timedelta(seconds=1))
    assert await heard(tab) == []
    assert await Message.objects.filter(learned=True).aexists()
