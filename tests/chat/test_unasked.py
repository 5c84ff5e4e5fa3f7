"""What memory comes up with by itself: when it fits, once, in one turn of four at most; and what it answers when asked
about last time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chatbot.accounts import services as people
from chatbot.accounts.models import User
from chatbot.chat import engine, unasked
from chatbot.chat.models import Finish, Turn
from chatbot.chat.summing import talks_sum_waiting
from chatbot.core import clock, jobs
from chatbot.core.choices import choice_set
from chatbot.core.database import in_database
from companion.engines.embedded.engine import EmbeddedEngine
from companion.memory import services as memory
from companion.memory.lexicon import lexicon
from companion.memory.models import Memory, Summary
from companion.memory.threads import moment_in
from companion.types import LANGUAGES, Language, Prompt
from moderation import screen
from moderation.incidents import services as incidents
from moderation.types import WatchState
from tests.chat.house import NOON, answered, says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]
KITTEN = "the kitten slept inside my left trombone"
MATCH = "i have a match on saturday"  # NOON is a Tuesday
SUNDAY = datetime(2026, 11, 29, 14, tzinfo=UTC)
HELLO: dict[Language, str] = {"en": "hey", "pt-BR": "oi", "es": "hola", "fr": "coucou"}


async def lived(person: User, *texts: str) -> None:
    """A talk, learned from."""
    for text in texts:
        await answered(person, text)
    await in_database(jobs.drain)


async def said(person: User, text: str, **flags: bool) -> tuple[str, bool]:
    """The reply, and whether memory came up by itself in it."""
    turn, reply = await answered(person, text, **flags)
    await in_database(jobs.drain)
    return reply, turn.unasked


# --- last time --------------------------------------------------------------------------------------------------------


async def test_at_the_return_on_another_day_something_of_last_time_is_come_back_to_once(maya_now: User) -> None:
    says("Okay.")
    await lived(maya_now, "hi", KITTEN)
    clock.move_to(NOON + timedelta(hours=3))
    assert await said(maya_now, "hey") == ("Okay.", False)  # the same day
    clock.move_to(NOON + timedelta(days=1))
    turn, reply = await answered(maya_now, "hey")
    assert (turn.engine, turn.unasked) == ("memory", True)
    assert KITTEN in reply
    assert reply.count("?") == 1
    assert not any(word in reply.lower() for word in ("miss", "waited", "long time"))
    for _ in range(5):
        assert await said(maya_now, "hey") == ("Okay.", False)


async def test_a_message_that_tells_something_is_answered_and_not_talked_over(maya_now: User) -> None:
    says("Okay.")
    await lived(maya_now, KITTEN)
    clock.move_to(NOON + timedelta(days=1))
    assert await said(maya_now, "guess what the new bus driver did") == ("Okay.", False)
    reply, recalled = await said(maya_now, "idk")
    assert KITTEN in reply
    assert recalled


@pytest.mark.parametrize(
    "text",
    [
        "i am so angry at the trombone and its case",  # it sounds bad
        "the kitten gets a new bowl tomorrow from us",  # its day is over
        "the kitten " + "very " * 16 + "quietly slept in the case",  # too long to be said back
    ],
)
async def test_only_something_light_and_short_that_no_day_made_old_is_said_back(maya_now: User, text: str) -> None:
    says("Okay.")
    await lived(maya_now, text)
    clock.move_to(NOON + timedelta(days=1))
    assert await said(maya_now, "hey") == ("Okay.", False)


@pytest.mark.parametrize(
    ("language", "told", "question", "when"),
    [
        ("en", KITTEN, "what did we talk about last time?", "Yesterday"),
        ("pt-BR", "meu gato dormiu dentro do violão da minha tia", "do que a gente falou da última vez?", "Ontem"),
        ("es", "mi gata durmió dentro de la guitarra de mi tía", "¿de qué hablamos la última vez?", "Ayer"),
        ("fr", "mon chat a dormi dans la guitare de ma tante", "on a parlé de quoi la dernière fois ?", "Hier"),
    ],
)
async def test_asked_about_last_time_it_answers_with_when_in_their_own_words(
    maya_now: User, language: Language, told: str, question: str, when: str
) -> None:
    maya_now.language = language
    await in_database(maya_now.save)
    says("Ok.")
    await lived(maya_now, told)
    clock.move_to(NOON + timedelta(days=1))
    for _ in range(3):
        reply, recalled = await said(maya_now, question)
        assert told in reply
        assert when in reply or when.lower() in reply or "24" in reply
        assert not recalled  # it was asked for


async def test_where_nothing_is_kept_it_says_so_and_that_hard_things_are_left_out(maya_now: User) -> None:
    says("Okay.")
    reply, _ = await said(maya_now, "what did we talk about last time?")
    assert "on purpose" in reply
    await answered(maya_now, "im going to kill myself")
    clock.move_to(NOON + timedelta(days=3))
    reply, _ = await said(maya_now, "what did we talk about last time?")
    assert "on purpose" in reply


async def test_what_is_off_limits_by_now_is_not_said_back(maya_now: User) -> None:
    says("Okay.")
    await lived(maya_now, KITTEN)
    clock.move_to(NOON + timedelta(days=1))
    await lived(maya_now, "can we not talk about the trombone")
    assert await said(maya_now, "hey") == ("Okay.", False)
    reply, _ = await said(maya_now, "what did we talk about last time?")
    assert KITTEN not in reply


async def test_a_line_with_a_quote_is_checked_like_any_reply_and_the_engine_answers_where_it_may_not_be_said(
    maya_now: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    says("Okay.")
    await lived(maya_now, KITTEN)
    clock.move_to(NOON + timedelta(days=1))
    check = screen.check_reply

    def strict(sentence: str, **given: object) -> object:
        if KITTEN in sentence:
            return screen.check_danger("im going to kill myself", language="en", watch=WatchState())
        return check(sentence, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(screen, "check_reply", strict)
    reply, _ = await said(maya_now, "hey")
    assert KITTEN not in reply


# Kept when the safety layer knew less, let's say. No rule about replies is against any of them.
ACTED_ON = [
    "people from there should all be thrown out of our country",
    "everyone would be better off without me",
    "girls who are too stupid for math",
]


@pytest.mark.parametrize("harm", ACTED_ON)
async def test_a_quote_that_would_be_acted_on_as_a_message_is_never_said_back(maya_now: User, harm: str) -> None:
    says("Okay.")
    await lived(maya_now, KITTEN)
    clock.move_to(NOON + timedelta(days=1))
    await in_database(talks_sum_waiting, maya_now.id, "en")
    row = await Summary.objects.aget()
    row.said = [{**one, "text": harm} for one in row.said]
    await in_database(row.save)
    assert await said(maya_now, "hey") == ("Okay.", False)
    turn, reply = await answered(maya_now, "what did we talk about last time?")
    assert turn.finish == Finish.WITHHELD
    assert harm not in reply


@pytest.mark.parametrize("harm", ACTED_ON)
async def test_a_plan_that_would_be_acted_on_as_a_message_is_not_asked_about(maya_now: User, harm: str) -> None:
    says("Okay.")
    await lived(maya_now, MATCH)
    row = await Memory.objects.aget()
    row.fact = {**row.fact, "value": harm}
    await in_database(row.save)
    clock.move_to(SUNDAY)
    assert await said(maya_now, "hey") == ("Okay.", False)


# --- a plan that is over ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "plan", "what"),
    [
        ("en", MATCH, "match"),
        ("pt-BR", "tenho um jogo no sábado", "jogo"),
        ("es", "tengo un partido el sábado", "partido"),
        ("fr", "j'ai un match samedi", "match"),
    ],
)
async def test_how_a_plan_went_is_asked_once_when_its_day_has_passed(
    maya_now: User, language: Language, plan: str, what: str
) -> None:
    maya_now.language = language
    await in_database(maya_now.save)
    says("Ok.")
    await lived(maya_now, plan)
    for day in (26, 28):  # not before, and not on the day
        clock.move_to(datetime(2026, 11, day, 14, tzinfo=UTC))
        assert what not in (await said(maya_now, HELLO[language]))[0]
    clock.move_to(SUNDAY)
    reply, recalled = await said(maya_now, HELLO[language])
    assert what in reply
    assert recalled
    for day in range(1, 20):
        clock.move_to(SUNDAY + timedelta(days=day))
        assert what not in (await said(maya_now, HELLO[language]))[0]


async def test_the_answer_is_learned_as_usual(maya_now: User) -> None:
    says("Okay.")
    await lived(maya_now, MATCH)
    clock.move_to(SUNDAY)
    await said(maya_now, "hey")
    await lived(maya_now, "we won the match")
    views = await in_database(memory.memory_list, owner_id=maya_now.id, language="en")
    assert "won the match" in {view.value for view in views if view.kind == "win"}


async def test_forget_that_after_it_was_asked_forgets_the_plan_and_nothing_else(maya_now: User) -> None:
    says("Okay.")
    await lived(maya_now, MATCH)
    clock.move_to(SUNDAY)
    await in_database(
        memory.memory_learn, owner_id=maya_now.id, text="i love kiwis", language="en", said_at=SUNDAY, source=None
    )
    assert "match" in (await said(maya_now, "hey"))[0]
    reply, _ = await said(maya_now, "forget that")
    assert reply in lexicon("en").words.answers["forgot"]
    views = await in_database(memory.memory_list, owner_id=maya_now.id, language="en")
    assert [view.value for view in views] == ["kiwis"]


async def test_forget_that_after_a_callback_long_ago_is_not_about_it(maya_now: User) -> None:
    says("Okay.")
    await lived(maya_now, MATCH)
    clock.move_to(SUNDAY)
    assert "match" in (await said(maya_now, "hey"))[0]
    clock.move_to(SUNDAY + timedelta(hours=2))
    reply, _ = await said(maya_now, "forget that")
    assert reply in lexicon("en").words.answers["nothing_to_forget"]
    assert await Memory.objects.acount() == 1


@pytest.mark.parametrize("text", ["hey", "what did we talk about last time?"])
async def test_forget_that_after_last_time_was_said_back_forgets_what_was_said_then(maya_now: User, text: str) -> None:
    says("Okay.")
    await lived(maya_now, "i love the kites over our old mill")
    clock.move_to(NOON + timedelta(days=1))
    assert "kites" in (await said(maya_now, text))[0]
    reply, _ = await said(maya_now, "forget that")
    assert reply in lexicon("en").words.answers["forgot"]
    assert (await Memory.objects.acount(), await Summary.objects.acount()) == (0, 0)


async def test_forget_that_after_a_question_was_answered_forgets_the_answer(maya_now: User) -> None:
    says("Okay.")
    await lived(maya_now, "my dog is called Rex", "i love kiwis")
    assert "Rex" in (await said(maya_now, "what's my dog called?"))[0]
    await said(maya_now, "forget that")
    views = await in_database(memory.memory_list, owner_id=maya_now.id, language="en")
    assert [view.value for view in views] == ["kiwis"]


async def test_behind_a_reply_that_asks_nothing_it_is_asked_and_behind_a_question_not(maya_now: User) -> None:
    says("Which one?")
    await lived(maya_now, MATCH)
    clock.move_to(SUNDAY)
    assert await said(maya_now, "there was soup at school") == ("Which one?", False)
    says("Soup is a warm drink with ambitions.")
    clock.move_to(SUNDAY + timedelta(hours=1))
    reply, recalled = await said(maya_now, "there was soup at school")
    assert reply.startswith("Soup is a warm drink with ambitions. ")
    assert "match" in reply
    assert recalled


@pytest.mark.parametrize(
    "told", ["the match was great", "we lost the match 3-0", "match went ok i guess", "won the match!!"]
)
async def test_who_told_the_end_already_is_not_asked(maya_now: User, told: str) -> None:
    says("Okay.")
    await lived(maya_now, MATCH)
    clock.move_to(datetime(2026, 11, 28, 19, tzinfo=UTC))  # on the day, in the evening
    await lived(maya_now, told)
    clock.move_to(SUNDAY)
    assert "how" not in (await said(maya_now, "hey"))[0].lower()
    (row,) = await in_database(lambda: [row for row in Memory.objects.all() if row.fact["kind"] == "plan"])
    assert await in_database(lambda: "asked" in row.fact)


async def test_who_just_told_how_something_went_is_not_asked_how_it_went(maya_now: User) -> None:
    says("Nice?")
    await lived(maya_now, MATCH)
    clock.move_to(SUNDAY)
    await said(maya_now, "3-1!! we won and i scored with my head")
    says("Okay.")
    assert await said(maya_now, "nothing else") == ("Okay.", False)


@pytest.mark.parametrize("asked", [True, False])
async def test_a_plan_that_is_over_is_no_plan_for_the_next_week(maya_now: User, *, asked: bool) -> None:
    says("Okay.")
    await lived(maya_now, MATCH)
    clock.move_to(SUNDAY)
    if asked:
        assert "match" in (await said(maya_now, "hey"))[0]
    await lived(maya_now, "the match on saturday was great")
    clock.move_to(SUNDAY + timedelta(days=7))
    for _ in range(4):
        assert "match" not in (await said(maya_now, "hey"))[0]


async def test_on_the_day_itself_what_is_still_to_come_closes_nothing(maya_now: User) -> None:
    says("Okay.")
    await lived(maya_now, MATCH)
    clock.move_to(datetime(2026, 11, 28, 9, tzinfo=UTC))
    await lived(maya_now, "match today, so excited")
    clock.move_to(SUNDAY)
    assert "match" in (await said(maya_now, "hey"))[0]


async def test_fifteen_days_later_nobody_asks(maya_now: User) -> None:
    says("Okay.")
    await lived(maya_now, MATCH)
    clock.move_to(SUNDAY + timedelta(days=14))
    assert await said(maya_now, "hey") == ("Okay.", False)


@pytest.mark.parametrize("moment", ["low", "heavy", "watched", "bye", "off_record", "paused", "plain", "question"])
async def test_not_in_a_hard_moment_nor_where_it_does_not_fit(maya_now: User, moment: str) -> None:
    says("Okay.")
    await lived(maya_now, MATCH)
    clock.move_to(SUNDAY)
    text, flags = "hey", {}
    match moment:
        case "low":
            text = "i feel so empty and tired of everything"
        case "heavy":
            await said(maya_now, "my grandpa died")
        case "watched":
            watch = WatchState(level="L1", signal_at=clock.now() - timedelta(hours=4))
            before = await in_database(incidents.watch_load, maya_now.id)
            await in_database(incidents.watch_store, maya_now.id, watch, before=before)
        case "bye":
            text = "ok bye"
        case "off_record":
            flags = {"off_record": True}
        case "paused":
            await in_database(people.memory_pause, maya_now, paused=True)
        case "plain":
            await in_database(choice_set, "regions", {"*": "plain_mode"})
        case "question":
            text = "are cats liquid?"
    reply, recalled = await said(maya_now, text, **flags)
    assert "match" not in reply
    assert not recalled
    assert await in_database(lambda: not any("asked" in row.fact for row in Memory.objects.all()))


@pytest.mark.parametrize("gone", ["forgotten", "off limits", "called off", "moved", "grave", "half"])
async def test_never_about_what_is_gone_off_limits_or_hurts(maya_now: User, gone: str) -> None:
    says("Okay.")
    plan = {"grave": "i have a funeral concert on saturday", "half": "i have to run a stall at on saturday"}
    await lived(maya_now, plan.get(gone, MATCH))
    match gone:
        case "forgotten":
            await said(maya_now, "forget everything about the match")
        case "off limits":
            await lived(maya_now, "please don't ask about the match")
        case "called off":
            await lived(maya_now, "the match got cancelled")
        case "moved":
            await lived(maya_now, "the match got moved to monday")
    clock.move_to(SUNDAY)
    reply, _ = await said(maya_now, "hey")
    assert not any(word in reply for word in ("match", "funeral", "stall")), reply


async def test_a_crash_between_marking_and_saying_asks_nothing_twice(
    maya_now: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    says("Okay.")
    await lived(maya_now, MATCH)
    clock.move_to(SUNDAY)

    async def crash(*_: object, **__: object) -> bool:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(unasked, "say_checked", crash)
        with pytest.raises(AssertionError):
            await said(maya_now, "hey")
    turn = await Turn.objects.alatest("id")
    from chatbot.chat.turn import turn_run

    assert await turn_run(turn.id)
    for _ in range(4):
        assert await said(maya_now, "hey") == ("Okay.", False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_greetings_and_idle_messages_are_told_from_those_that_say_something(language: Language) -> None:
    told = {
        "en": "hi i have news",
        "pt-BR": "oi tenho novidade",
        "es": "hola tengo noticias",
        "fr": "salut j'ai un truc",
    }
    idle = {"en": "idk", "pt-BR": "sei lá", "es": "no sé", "fr": "je sais pas"}
    assert [moment_in(one[language], language) for one in (HELLO, idle, told)] == ["hello", "idle", "after"]
    assert moment_in(HELLO[language] + "?", language) == "after"
    assert moment_in("a" * 4000, language) == moment_in("👋", language) == moment_in("", language) == "after"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_may_be_said_asks_once_at_most_and_says_what_it_is_about(language: Language) -> None:
    answers = lexicon(language).words.answers
    names = [name for name in answers if name.startswith(("thread", "last_"))]
    assert len(names) == 7
    for name in names:
        assert len(answers[name]) >= 2
        for line in answers[name]:
            words = {"what": "piano", "said": "“kites”", "when": "x", "When": "X", "day": "1"}
            told = line.format(**words)
            check = screen.check_reply(told, band="13-15", language=language, watch=WatchState(), written=True)
            assert check.action == "allow", told
            assert told.count("?") <= 1, told
            assert len(told) <= 240, told
            assert name == "last_said_none" or "piano" in told or "kites" in told, told


# --- the counter ------------------------------------------------------------------------------------------------------


async def test_the_bank_says_no_name_by_itself_while_it_is_not_its_turn() -> None:
    bank = EmbeddedEngine(cache_dir=None, letters_only=True)

    async def heard(text: str, *, recalls: bool) -> str:
        prompts = [Prompt(text, "en", "13-15", person="Robin", recalls=recalls, seed=seed) for seed in range(80)]
        return " ".join([chosen.text for prompt in prompts for chosen in (await bank.reply(prompt)).chosen])

    assert "Robin" in await heard("hey", recalls=True)
    assert "Robin" not in await heard("hey", recalls=False)


async def test_in_sixty_turns_memory_comes_up_by_itself_in_one_of_four_at_most(maya_now: User) -> None:
    """With the bank's lines, which know name, pet and like; plans that end; and talks on days one after the other."""
    engine.engine_use(EmbeddedEngine(cache_dir=None, letters_only=True))
    facts = "my name is robin. my dog is called bento. i love kites"
    await in_database(memory.memory_learn, owner_id=maya_now.id, text=facts, language="en", said_at=NOON, source=None)
    texts = ("hey", "hi", "im home", "idk", "thanks", "my dog is asleep", "we had soup at school", "im so bored",
             "what's my dog called", "nothing much", "the rain was loud", "i have a quiz tomorrow")  # fmt: skip
    used = []
    for number in range(60):
        clock.move_to(NOON + timedelta(days=number // 5, minutes=number % 5))
        turn, _ = await answered(maya_now, texts[number * 7 % len(texts)])
        await in_database(jobs.drain)
        used.append(turn.unasked)
    assert all(sum(used[at : at + 4]) <= 1 for at in range(57))
    assert sum(used) >= 5
    assert await Summary.objects.aexists()
