"""How the default engine keeps a talk together: what beats what, over several turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from companion.engines.base import EngineUnavailable
from companion.engines.embedded.__main__ import digests, is_fresh
from companion.engines.embedded.engine import EmbeddedEngine
from companion.engines.embedded.replying import Reply
from companion.types import Line, Prompt, Recalled
from companion.words import spoken

BANK = """
situation: talk
exchanges:
  - id: hello
    act: greeting
    said: [hi, hello there]
    replies: ["Hi. Smooth day or bumpy day?", "Good to meet you, {name}. Take any chair."]
    then:
      - said: [smooth, a good day]
        replies: [A smooth one suits you.]
      - said: ["yes", okay, sure]
        replies: [A yes is a start.]
    otherwise: [Noted in the margin.]
  - id: invites
    said: [can i show you my drawing, i made a drawing]
    replies: [Describe it to me in three words.]
    then:
      - said: [a sleepy dragon, red angry dragon]
        replies: [I can nearly see that dragon.]
    otherwise: [Three good words.]
  - id: exam
    said: [nervous about the test on friday, scared of my maths test, big test this week]
    replies: [Which chapter is the wobbliest?, Friday comes anyway. What is the first page?]
  - id: joke
    act: tell_joke
    said: [tell me a joke about the test]
    replies: [Why did the pencil cross the page? It had a point.]
  - id: likes
    act: what_about_you
    said: [what about you, do you like birds]
    replies: ["I like round birds, by description only.", "Only words for me, and owls are good words."]
  - id: pancakes
    said: [we made pancakes with my sister]
    replies: [Pancakes and a sister. Who burnt the first one?]
  - id: leaves
    act: farewell
    said: [bye, see you later]
    replies: [Go well., Until another day.]
  - id: sad
    act: bad_news
    said: [something terrible happened, i feel so sad]
    replies: [That sounds heavy.]
  - id: follows
    act: listening
    said: []
    replies: ["Go on, I'm following.", And after that?, Right. Who else was there?]
  - id: low
    act: listening
    said: []
    replies:
      - text: Take your time with it.
        tone: warm
      - text: It can be a lot to carry.
        tone: warm
  - id: lost
    act: not_understood
    said: []
    replies: ["You lost me at “{quote}”.", My gears slipped just now.]
  - id: new
    act: change_topic
    said: []
    replies: [New drawer. Clouds or soup?, We could talk about socks.]
"""

GAME = """
situation: riddles
exchanges:
  - id: glass
    said: [give me a small puzzle, puzzle me please, a puzzle from you]
    replies: ["What hates being turned upside down?", "It is full and it is afraid of elbows. What is it?"]
    then:
      - said: [a glass, a full glass, glass of milk]
        replies: [A full glass it was.]
    otherwise: [It was a full glass., The answer was a glass.]
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedEngine:
    root = tmp_path_factory.mktemp("talk-bank")
    (root / "en").mkdir()
    (root / "en" / "talk.yaml").write_text(BANK, encoding="utf-8")
    (root / "en" / "riddles.yaml").write_text(GAME, encoding="utf-8")
    return EmbeddedEngine(bank_dir=root, letters_only=True)


class Conversation:
    """Says things one after another and keeps what was said, as the house does: a sentence a line."""

    def __init__(self, engine: EmbeddedEngine, **more: object) -> None:
        self.engine, self.more = engine, more
        self.history: list[Line] = []

    async def say(self, text: str, *, low: bool = False) -> Reply:
        prompt = Prompt(
            text=text, language="en", band="13-15", history=tuple(self.history), seed=len(self.history), low=low,
            **self.more,  # type: ignore[arg-type]
        )  # fmt: skip
        reply = await self.engine.reply(prompt)
        self.history.append(Line("user", text))
        for chosen in reply.chosen:
            self.history += [Line("companion", piece, chosen.line.id) for piece in spoken(chosen.text)]
        return reply

    def heard(self, text: str, line_id: str) -> Conversation:
        self.history.append(Line("companion", text, line_id))
        return self


def place(reply: Reply) -> str:
    return reply.chosen[-1].line.id.split("/")[1]


def asked(engine: EmbeddedEngine) -> Conversation:
    """Just after "Smooth day or bumpy day?"."""
    return Conversation(engine).heard("Hi. Smooth day or bumpy day?", "talk/hello/0")


@pytest.mark.parametrize("text", ["bye?? i never said bye", "no im not leaving", "why bye"])
async def test_a_no_to_a_goodbye_is_no_goodbye(engine: EmbeddedEngine, text: str) -> None:
    talk = Conversation(engine, leaves=True)
    assert place(await talk.say("see you later")) == "leaves"
    assert place(await talk.say(text)) != "leaves"


async def test_a_goodbye_that_asks_for_something_first_is_answered(engine: EmbeddedEngine) -> None:
    reply = await Conversation(engine, leaves=True).say("what about you before i go to bed")
    assert place(reply) != "leaves"


async def test_nothing_light_is_said_where_a_death_was_told(engine: EmbeddedEngine) -> None:
    talk = Conversation(engine)
    for text in ("my hamster died this morning", "she was so small", "my sister made her pancakes"):
        reply = await talk.say(text)
        assert (place(reply) in ("sad", "low"), reply.mood) == (True, "calm"), text


async def test_a_short_answer_goes_to_what_was_asked(engine: EmbeddedEngine) -> None:
    reply = await asked(engine).say("smooth")
    assert reply.chosen[0].line.id == "talk/hello/then0/0"


@pytest.mark.parametrize("move", ["a teapot?", "is it alive", "the roof of a very old house i guess", "pancakes"])
async def test_in_a_game_any_move_is_answered_in_the_game(engine: EmbeddedEngine, move: str) -> None:
    game = Conversation(engine).heard("What hates being turned upside down?", "riddles/glass/0")
    reply = await game.say(move)
    assert (reply.step, reply.chosen[0].line.id.rpartition("/")[0]) == ("played", "riddles/glass/otherwise")


async def test_in_a_game_the_right_answer_is_heard_and_what_is_something_else_too(engine: EmbeddedEngine) -> None:
    def game() -> Conversation:
        return Conversation(engine).heard("What hates being turned upside down?", "riddles/glass/0")

    assert (await game().say("a full glass?")).chosen[0].line.id == "riddles/glass/then0/0"
    assert place(await game().say("something terrible happened")) == "sad"
    assert place(await game().say("we made pancakes with my sister")) == "pancakes"
    assert (await game().say("a glass", low=True)).step != "played"


async def test_an_unclear_answer_gets_what_fits_any(engine: EmbeddedEngine) -> None:
    assert (await asked(engine).say("both, sort of")).step == "otherwise"


async def test_a_bare_yes_is_only_ever_taken_as_one(engine: EmbeddedEngine) -> None:
    assert (await asked(engine).say("ok")).chosen[0].line.id == "talk/hello/then1/0"
    drawing = Conversation(engine).heard("Describe it to me in three words.", "talk/invites/0")
    assert (await drawing.say("ok")).chosen[0].line.id != "talk/invites/then0/0"


async def test_a_clear_new_subject_beats_what_fits_any_answer(engine: EmbeddedEngine) -> None:
    assert place(await asked(engine).say("im kinda nervous about the maths test on friday")) == "exam"


async def test_a_question_to_the_companion_is_no_answer(engine: EmbeddedEngine) -> None:
    reply = await asked(engine).say("do u like penguins")
    assert place(reply) == "likes"


async def test_a_line_that_only_invites_takes_a_close_answer_and_no_other(engine: EmbeddedEngine) -> None:
    def invited() -> Conversation:
        return Conversation(engine).heard("Describe it to me in three words.", "talk/invites/0")

    assert (await invited().say("a sleepy dragon")).chosen[0].line.id == "talk/invites/then0/0"
    assert (await invited().say("we made pancakes with my sister")).step == "retrieved"
    assert (await invited().say("it was for all of them")).step != "otherwise"


async def test_small_telling_is_listened_to_for_some_turns(engine: EmbeddedEngine) -> None:
    talk = Conversation(engine)
    told = ("it was red and sleepy", "the day was red like birds", "then the birds made the test sleepy")
    assert [place(await talk.say(text)) for text in told] == ["follows"] * 3


async def test_words_that_nobody_knows_are_not_listened_to(engine: EmbeddedEngine) -> None:
    assert place(await Conversation(engine).say("florb wizzle granzo plimp")) == "lost"


async def test_a_joke_that_nobody_asked_for_is_not_told(engine: EmbeddedEngine) -> None:
    assert place(await Conversation(engine).say("the test is on friday")) == "exam"
    assert place(await Conversation(engine).say("tell me a joke")) == "joke"


async def test_low_telling_gets_only_what_was_written_for_it(engine: EmbeddedEngine) -> None:
    talk = Conversation(engine)
    assert place(await talk.say("i feel so sad", low=True)) == "sad"
    assert place(await talk.say("it was red and sleepy", low=True)) == "low"
    assert place(await talk.say("the day was red like birds")) == "low"


async def test_a_name_is_greeted(engine: EmbeddedEngine) -> None:
    reply = await Conversation(engine, person="Sam").say("my name is Sam")
    assert reply.chosen[0].text == "Good to meet you, Sam. Take any chair."


async def test_a_name_does_not_come_again_within_three_turns(engine: EmbeddedEngine) -> None:
    said = Line("companion", "Well, Sam, that was soup.")
    talk = Conversation(engine, person="Sam")
    talk.history = [Line("user", "soup"), said, Line("user", "hm")]
    assert "Sam" not in (await talk.say("hi")).chosen[0].text
    remembered = Recalled("1", "pet", "", {"pet": "Bento"}, 0.9, "2026-11-01")
    assert (await Conversation(engine, memories=(remembered,)).say("hi")).chosen


async def test_a_language_whose_files_are_broken_takes_no_other_with_it(tmp_path: Path) -> None:
    for language, content in (("en", BANK), ("es", "situation: [")):
        (tmp_path / language).mkdir()
        (tmp_path / language / "talk.yaml").write_text(content, encoding="utf-8")
    engine = EmbeddedEngine(bank_dir=tmp_path, letters_only=True)
    with pytest.raises(EngineUnavailable, match=r"es/talk\.yaml"):
        await engine.ready()
    assert (await Conversation(engine).say("hi")).chosen
    with pytest.raises(EngineUnavailable, match=r"es/talk\.yaml"):
        await engine.reply(Prompt(text="hola", language="es", band="13-15"))


async def test_a_broken_file_is_left_out_named_and_takes_no_other_with_it(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "talk.yaml").write_text(BANK, encoding="utf-8")
    (tmp_path / "en" / "broken.yaml").write_text("situation: broken", encoding="utf-8")
    engine = EmbeddedEngine(bank_dir=tmp_path, letters_only=True)
    with pytest.raises(EngineUnavailable, match=r"en/broken\.yaml"):
        await engine.ready()
    assert (await Conversation(engine).say("hi")).chosen


def test_a_cache_is_fresh_only_for_the_bank_and_weights_it_was_made_of(tmp_path: Path) -> None:
    wanted = digests()
    assert not is_fresh(tmp_path, wanted)
    (tmp_path / "bank.json").write_text("{ half", encoding="ascii")
    assert not is_fresh(tmp_path, wanted)
