"""The default engine on a small bank of its own, by letters alone, so that each rule shows by itself."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from companion.bank import bank_load
from companion.engines.base import EngineUnavailable
from companion.engines.embedded.engine import EmbeddedEngine
from companion.engines.embedded.replying import Reply
from companion.engines.embedded.state import talk_of
from companion.types import Limits, Line, Persona, Prompt, Recalled, Sliders

EXAM = "big test tomorrow and i know nothing"


@pytest.fixture
def engine(small_bank: Path) -> EmbeddedEngine:
    return EmbeddedEngine(bank_dir=small_bank, letters_only=True)


def prompt(text: str, **given: object) -> Prompt:
    values: dict[str, object] = {"language": "en", "band": "13-15", "seed": 1, **given}
    return Prompt(text=text, **values)  # type: ignore[arg-type]  # a test's shorthand


def ids(reply: Reply) -> list[str]:
    return [chosen.line.id for chosen in reply.chosen]


def place(reply: Reply) -> str:
    return ids(reply)[-1].split("/")[1]


async def test_a_message_is_answered_from_its_exchange(engine: EmbeddedEngine) -> None:
    assert place(await engine.reply(prompt("i have a big test tomorrow"))) == "exam"
    assert place(await engine.reply(prompt("my dog is so funny look"))) == "dog"


async def test_every_line_is_one_that_a_person_wrote(engine: EmbeddedEngine, small_bank: Path) -> None:
    written = {line.text for line in bank_load("en", small_bank).lines.values()}
    for seed in range(30):
        reply = await engine.reply(prompt(EXAM, seed=seed))
        assert all(chosen.text in written for chosen in reply.chosen)


async def test_the_same_seed_says_the_same_and_others_differ(engine: EmbeddedEngine) -> None:
    same = {tuple(ids(await engine.reply(prompt(EXAM, seed=4)))) for _ in range(3)}
    assert len(same) == 1
    assert len({tuple(ids(await engine.reply(prompt(EXAM, seed=seed)))) for seed in range(30)}) > 1


async def test_sentences_come_one_by_one_and_the_last_one_brings_mood_and_chips(engine: EmbeddedEngine) -> None:
    tapped = set()
    for seed in range(12):
        pieces = [piece async for piece in engine.stream(prompt("hi", seed=seed), Limits())]
        assert [piece.mood for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
        assert pieces[-1].mood is not None
        assert all(piece.line_id and piece.line_id.startswith("small/hello/") for piece in pieces)
        tapped.add((pieces[-1].line_id, pieces[-1].chips))
    # Those of the very line that was said.
    assert ("small/hello/0", ("smooth", "bumpy")) in tapped
    assert all(chips == () for line_id, chips in tapped if line_id != "small/hello/0")


async def test_an_answer_goes_where_the_question_led(engine: EmbeddedEngine) -> None:
    history = (Line("user", "hi"), Line("companion", "Hello, you. Smooth day or bumpy day?", "small/hello/0"))
    assert "then1" in ids(await engine.reply(prompt("kinda bumpy", history=history)))[0]
    assert "then0" in ids(await engine.reply(prompt("fine", history=history)))[0]
    assert "otherwise" in ids(await engine.reply(prompt("purple mostly", history=history)))[0]


async def test_a_clear_new_topic_wins_over_what_fits_any_answer(engine: EmbeddedEngine) -> None:
    history = (Line("companion", "Hello, you. Smooth day or bumpy day?", "small/hello/0"),)
    assert place(await engine.reply(prompt("look what my dog did", history=history))) == "dog"


async def test_asked_if_it_is_real_it_says_what_it_is_whatever_else_goes_on(engine: EmbeddedEngine) -> None:
    history = (Line("companion", "Hello, you. Smooth day or bumpy day?", "small/hello/0"),)
    for text in (
        "are you real?",
        "smooth. but are u human or a bot",
        "do you have feelings",
        "big test tomorrow, are you real",
    ):
        assert place(await engine.reply(prompt(text, history=history))) == "real"


async def test_it_says_so_again_when_all_its_ways_to_say_it_were_used(engine: EmbeddedEngine) -> None:
    history = tuple(
        Line("companion", text, f"small/real/{n}") for n, text in enumerate(("I'm a program, all of me.", "An AI."))
    )
    assert place(await engine.reply(prompt("are you real?", history=history))) == "real"


async def all_answers(engine: EmbeddedEngine, text: str) -> list[Reply]:
    """Another answer, until one comes that was there."""
    found: list[Reply] = []
    passed: tuple[Line, ...] = ()
    while len(found) < 40:
        reply = await engine.reply(prompt(text, seed=len(found) * 77, passed=passed))
        if reply.chosen in [one.chosen for one in found]:
            return found
        found.append(reply)
        passed += tuple(Line("companion", chosen.text, chosen.line.id) for chosen in reply.chosen)
    raise AssertionError("it never came to an end")


async def test_another_answer_is_another_line_until_none_is_left(engine: EmbeddedEngine) -> None:
    """Of this exchange: one line names the evening, one is for grown-ups, one needs a name."""
    assert sorted(ids(one)[0] for one in await all_answers(engine, EXAM)) == ["small/exam/0", "small/exam/1"]


async def test_no_other_answer_stands_in_for_what_was_sure(engine: EmbeddedEngine) -> None:
    """What it is, a goodbye, a topic that it knows: the truth comes twice before something else comes."""
    for text, where in (("are you real?", "real"), ("ok gtg bye!", "bye"), ("i have a big test tomorrow", "exam")):
        assert {place(one) for one in await all_answers(engine, text)} == {where}, text


async def test_a_goodbye_is_one_only_if_it_is_nothing_else(engine: EmbeddedEngine) -> None:
    assert place(await engine.reply(prompt("ok gtg bye!"))) == "bye"
    assert place(await engine.reply(prompt("good night"))) == "night"
    assert place(await engine.reply(prompt("i have to go to an exam in two hours"))) == "exam"


async def test_no_line_comes_twice_in_thirty(engine: EmbeddedEngine) -> None:
    history: tuple[Line, ...] = ()
    said: list[str] = []
    for seed in range(12):
        reply = await engine.reply(prompt(f"florb the gnark number {'abcdefghijkl'[seed]}", seed=seed, history=history))
        said += ids(reply)
        for chosen in reply.chosen:
            history += (Line("user", "x"), Line("companion", chosen.text, chosen.line.id))
    fresh = said[:7]
    assert len(set(fresh)) == len(fresh)


async def test_two_questions_in_a_row_are_not_followed_by_a_third(engine: EmbeddedEngine) -> None:
    asked = tuple(Line(who, f"Is it {n}?") for n in range(2) for who in ("user", "companion"))  # type: ignore[arg-type]
    for seed in range(20):
        reply = await engine.reply(prompt(EXAM, seed=seed, history=asked))
        assert not any("?" in chosen.text for chosen in reply.chosen)
    assert any([("?" in (await engine.reply(prompt(EXAM, seed=seed))).chosen[-1].text) for seed in range(20)])


async def test_no_two_openings_alike_in_ten_turns(engine: EmbeddedEngine) -> None:
    history = (Line("companion", "Which chapter was it again?"),)
    for seed in range(20):
        assert "Which chapter" not in (await engine.reply(prompt(EXAM, seed=seed, history=history))).chosen[-1].text


async def test_after_something_low_only_plain_and_warm_lines_are_said(engine: EmbeddedEngine) -> None:
    for seed in range(30):
        reply = await engine.reply(prompt(EXAM, seed=seed, low=True))
        assert {chosen.line.tone for chosen in reply.chosen} <= {"plain", "warm"}
        assert reply.mood == "calm"
    tones = {(await engine.reply(prompt(EXAM, seed=seed))).chosen[-1].line.tone for seed in range(30)}
    assert "joke" in tones


async def test_a_line_for_another_band_is_not_said(engine: EmbeddedEngine) -> None:
    young = {ids(await engine.reply(prompt(EXAM, seed=seed)))[-1] for seed in range(60)}
    grown = {ids(await engine.reply(prompt(EXAM, seed=seed, band="18+")))[-1] for seed in range(60)}
    assert "small/exam/3" not in young
    assert "small/exam/3" in grown


async def test_slots_are_filled_or_the_line_is_left_out(engine: EmbeddedEngine) -> None:
    pet = Recalled("1", "pet", "has a dog called Biscuit", {"pet": "Biscuit"}, 0.9, "2026-11-01")
    with_pet = [
        (await engine.reply(prompt("look what my dog did", seed=seed, memories=(pet,)))).chosen[-1].text
        for seed in range(40)
    ]
    without = [(await engine.reply(prompt("look what my dog did", seed=seed))).chosen[-1].text for seed in range(40)]
    assert "Was it Biscuit again? Of course it was Biscuit." in with_pet
    assert not any("{" in text or "Biscuit" in text for text in without)
    named = [(await engine.reply(prompt(EXAM, seed=seed, person="Maya"))).chosen[-1].text for seed in range(40)]
    assert any(text.startswith("Maya, breathe") for text in named)


async def test_the_sliders_decide_how_silly_it_is(engine: EmbeddedEngine) -> None:
    async def jokes(playful: float) -> int:
        persona = Persona(sliders=Sliders(playful=playful))
        replies = [await engine.reply(prompt(EXAM, seed=seed, persona=persona)) for seed in range(80)]
        return sum(reply.chosen[-1].line.tone == "joke" for reply in replies)

    assert await jokes(1.0) > await jokes(0.0) + 8


async def test_what_it_does_not_understand_it_says_in_a_fresh_way_each_time(engine: EmbeddedEngine) -> None:
    history: tuple[Line, ...] = ()
    places = []
    for seed, text in enumerate(("florb the gnark", "zib zab quonk", "mirfle danto")):
        reply = await engine.reply(prompt(text, seed=seed, history=history))
        places.append(place(reply))
        history += (Line("user", text), Line("companion", reply.chosen[-1].text, ids(reply)[-1]))
    assert places == ["lost", "lost-again", "elsewhere"]


async def test_a_quote_holds_few_words_and_nothing_private(engine: EmbeddedEngine) -> None:
    texts = [
        (await engine.reply(prompt("florb gnark call 0612345678 now", seed=seed))).chosen[-1].text for seed in range(30)
    ]
    assert any("“" in text for text in texts)
    assert not any("0612" in text for text in texts)


async def test_an_answer_leans_on_what_was_said_before(engine: EmbeddedEngine) -> None:
    history = (Line("user", "my dog did something funny"), Line("companion", "Oh."))
    assert place(await engine.reply(prompt("look what he did", history=history))) == "dog"


async def test_a_greeting_with_something_to_say_is_answered_for_what_it_says(engine: EmbeddedEngine) -> None:
    reply = await engine.reply(prompt("hey! big test tomorrow and i know nothing"))
    assert place(reply) == "exam"
    assert len(reply.chosen) == 1


async def test_another_language_never_lends_its_lines(engine: EmbeddedEngine) -> None:
    for text in ("hola", "blorp", "my dog did something funny", "eres real?"):
        reply = await engine.reply(prompt(text, language="es"))
        assert reply.chosen[-1].text in {"Hola. ¿Día liso o con baches?", "Aquí estoy."}
    with pytest.raises(EngineUnavailable, match="fr"):
        await engine.reply(prompt("salut", language="fr"))


async def test_an_empty_bank_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="empty"):
        await EmbeddedEngine(bank_dir=tmp_path, letters_only=True).ready()


async def test_mood_words_stay_out_of_plain_mode(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "s.yaml").write_text(
        "situation: s\nexchanges:\n  - id: a\n    said: [what a long day, the day was long, such a day]\n"
        "    replies: [How do you feel about it?, Long days have long shadows.]\n"
    )
    engine = EmbeddedEngine(bank_dir=tmp_path, letters_only=True)
    plain = {
        (await engine.reply(prompt("what a long day", seed=seed, plain=True))).chosen[-1].text for seed in range(20)
    }
    usual = {(await engine.reply(prompt("what a long day", seed=seed))).chosen[-1].text for seed in range(20)}
    assert plain == {"Long days have long shadows."}
    assert len(usual) == 2


def test_state_is_read_from_the_history_alone(small_bank: Path) -> None:
    bank = bank_load("en", small_bank)
    history = (
        Line("companion", "What's new?", "small/hello/1"),
        Line("user", "nothing"),
        Line("companion", "Noted.", "small/hello/otherwise/0"),
    )
    assert talk_of(history[:1], bank).pending is not None
    talk = talk_of(history, bank)
    assert talk.pending is None
    assert (talk.asked, talk.turns, talk.situation) == (0, 2, "small")
    assert talk_of((), bank).turns == 0


def test_the_engine_takes_only_what_its_prompt_holds() -> None:
    assert list(inspect.signature(EmbeddedEngine.reply).parameters) == ["self", "prompt"]


async def test_a_hello_with_a_few_words_that_nothing_fits_is_answered_as_a_hello(engine: EmbeddedEngine) -> None:
    reply = await engine.reply(prompt("hi zorbl quux"))
    assert (reply.step, reply.chosen[-1].line.id.split("/")[1]) == ("greeted", "hello")
    later = await engine.reply(
        prompt("hi zorbl quux", history=(Line("user", "hello"), Line("companion", "Hello, you.")))
    )
    assert later.step != "greeted"
