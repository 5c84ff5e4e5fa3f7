"""What the default engine makes of small telling: names, feelings, times, and sentences that only go on."""

from __future__ import annotations

import pytest

from companion.engines.embedded.acts import acts_in
from companion.engines.embedded.engine import EmbeddedEngine
from companion.types import Line, Prompt, Recalled, Told
from companion.words import feeling_of, is_grave, words_of
from tests.companion.engines.test_embedded_talk import Conversation, place

BANK = """
situation: talk
exchanges:
  - id: hello
    act: greeting
    said: [hi, hello there]
    replies: [Hi. Smooth day or bumpy day?]
  - id: own-name
    act: tells_name
    said: []
    replies: ["{name} it is. Hello.", "Nice to have a name for you, {name}."]
  - id: pet-name
    act: tells_pet
    said: []
    replies: ["{pet} is a name with crumbs on it.", "Please greet {pet} from me."]
  - id: dog
    said: [i have a dog, my dog is so cute, walking my dog in the rain]
    replies: ["A dog! What's the name?", Dogs have no shame.]
  - id: test
    said: [nervous about the maths test, scared of my maths test, big maths test coming]
    replies: [Tomorrow throws its shadow., Which chapter is the wobbliest?]
  - id: lost
    said: [we lost the match today, we lost the final, we got beaten badly]
    replies: [Did anybody say something afterwards?]
    then:
      - said: [my coach yelled at us, they blamed me, my coach was mad]
        replies: [That makes it double.]
    otherwise: [That one will be sore for a bit.]
  - id: cousin
    said: [my cousin is visiting, with my cousin, my cousins are here]
    replies: [Cousins come in herds., Loud week ahead.]
  - id: pancakes
    said: [we made pancakes, pancakes for breakfast, the pancakes burned]
    replies: [Who flipped the first one?, Pancakes forgive., Butter or syrup?, Round food is honest.]
  - id: sad
    act: bad_news
    said: [something terrible happened, i feel so sad]
    replies: [That sounds heavy.]
  - id: agreed
    act: agree
    said: ["yes", yeah, sure]
    replies: [Same page then.]
  - id: follows
    act: listening
    said: []
    replies: ["Go on, I'm following.", And after that., Right. Carry on., I see how it was., Okay so far., Mm. More.]
  - id: good
    act: listening
    said: []
    replies: [Lovely to hear., That is a good one.]
  - id: rough
    act: listening
    said: []
    replies: [That would bug anyone., No fun at all.]
  - id: asked
    act: listening
    said: []
    replies: [I would only guess. You try.]
  - id: low
    act: listening
    said: []
    replies:
      - {text: Take your time with it., tone: warm}
      - {text: It can be a lot to carry., tone: warm}
      - {text: Slowly is fine., tone: warm}
  - id: missed
    act: not_understood
    said: []
    replies: [My gears slipped just now.]
  - id: new
    act: change_topic
    said: []
    replies: [We could talk about socks.]
"""
JOKES = """
situation: jokes
exchanges:
  - id: tell
    act: tell_joke
    said: [tell me a joke]
    replies: [Why did the pencil cross the page. It had a point., A snail walks in. Slowly.]
  - id: joke-not-funny
    said: [that was bad, not funny, that was worse]
    replies: [Back to the factory with it., Tough crowd.]
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedEngine:
    root = tmp_path_factory.mktemp("telling-bank")
    (root / "en").mkdir()
    (root / "en" / "talk.yaml").write_text(BANK, encoding="utf-8")
    (root / "en" / "jokes.yaml").write_text(JOKES, encoding="utf-8")
    return EmbeddedEngine(bank_dir=root, letters_only=True)


def after_losing(engine: EmbeddedEngine) -> Conversation:
    return Conversation(engine).heard("Did anybody say something afterwards?", "talk/lost/0")


async def test_a_name_in_the_message_is_said_back_though_memory_has_none(engine: EmbeddedEngine) -> None:
    reply = await Conversation(engine, told=(Told("name", "Sam"),)).say("im sam btw")
    assert place(reply) == "own-name"
    assert "Sam" in reply.chosen[0].text


async def test_a_pets_name_is_said_back_and_never_asked_for(engine: EmbeddedEngine) -> None:
    told = (Told("pet", "Biscuit", "dog"),)
    reply = await Conversation(engine, told=told).say("i have a dog named biscuit")
    assert "Biscuit" in reply.chosen[0].text
    long = "i have a dog named biscuit and walking my dog in the rain is what we do on every single day"
    for _ in range(3):
        assert "name?" not in (await Conversation(engine, told=told).say(long)).chosen[0].text


async def test_a_pet_that_memory_knows_is_not_asked_for_its_name(engine: EmbeddedEngine) -> None:
    pet = Recalled("1", "pet", "", {"name": "Bento"}, 0.9, "2026-11-01")
    knows = await Conversation(engine, memories=(pet,)).say("my dog is so cute")
    assert knows.chosen[0].text == "Dogs have no shame."


@pytest.mark.parametrize(
    ("text", "may_say_tomorrow"),
    [
        ("nervous about the maths test on friday", False),
        ("nervous about the maths test", False),
        ("nervous about the maths test tomorrow", True),
    ],
)
async def test_a_line_about_tomorrow_needs_a_tomorrow(
    engine: EmbeddedEngine, text: str, may_say_tomorrow: bool
) -> None:
    said = set()
    for seed in range(20):
        reply = await engine.reply(Prompt(text=text, language="en", band="13-15", seed=seed))
        said.add(reply.chosen[0].text)
    assert ("Tomorrow throws its shadow." in said) is may_say_tomorrow
    assert "Which chapter is the wobbliest?" in said


async def test_a_kind_answer_is_not_taken_for_the_unkind_one(engine: EmbeddedEngine) -> None:
    nice = await after_losing(engine).say("my coach was actually nice about it")
    assert place(nice) == "good"
    mad = await after_losing(engine).say("my coach was so mad")
    assert mad.chosen[0].line.id == "talk/lost/then0/0"


async def test_a_bare_yes_in_a_heavy_talk_is_listened_to(engine: EmbeddedEngine) -> None:
    talk = Conversation(engine)
    await talk.say("i feel so sad", low=True)
    assert place(await talk.say("yeah")) == "low"
    assert place(await Conversation(engine).say("yeah")) == "agreed"


async def test_what_only_goes_on_with_a_sentence_is_no_new_subject(engine: EmbeddedEngine) -> None:
    talk = Conversation(engine)
    await talk.say("we made pancakes")
    assert place(await talk.say("at home with my cousin")) != "cousin"
    assert place(await Conversation(engine).say("my cousin is visiting")) == "cousin"


async def test_telling_is_listened_to_by_how_it_is_felt(engine: EmbeddedEngine) -> None:
    def talking() -> Conversation:
        return Conversation(engine).heard("Okay.", "talk/agreed/0")

    assert place(await talking().say("the match was great today")) == "good"
    assert place(await talking().say("it was annoying in the rain today")) == "rough"
    assert place(await talking().say("we had maths in the rain")) == "follows"
    assert place(await talking().say("so which is big")) == "asked"


async def test_an_exchange_is_hardly_used_twice_in_a_few_turns(engine: EmbeddedEngine) -> None:
    talk = Conversation(engine)
    assert place(await talk.say("we made pancakes")) == "pancakes"
    assert place(await talk.say("the good pancakes of my dad were so round")) != "pancakes"


async def test_a_verdict_on_a_joke_needs_a_joke(engine: EmbeddedEngine) -> None:
    talk = Conversation(engine)
    await talk.say("we made pancakes")
    assert place(await talk.say("that was worse")) == "rough"
    assert place(await Conversation(engine).heard("A snail walks in. Slowly.", "jokes/tell/1").say("that was bad")) == (
        "joke-not-funny"
    )


async def test_a_death_stays_near_for_some_turns(engine: EmbeddedEngine) -> None:
    talk = Conversation(engine)
    talk.history += [Line("user", "my dog died last night"), Line("companion", "That sounds heavy.", "talk/sad/0")]
    assert place(await talk.say("he was 12")) == "low"
    assert place(await talk.say("we had a walk in the rain")) == "low"


@pytest.mark.parametrize(
    ("text", "feeling", "grave"),
    [
        ("my best friend got the lead", 0, False),
        ("nobody likes me", -1, False),
        ("mum was dying laughing", 0, False),
        ("my grandpa died", -1, True),
    ],
)
def test_how_a_message_is_felt(text: str, feeling: int, grave: bool) -> None:
    words = words_of(text, "en")
    assert feeling_of(words, "en") == feeling
    assert is_grave(words, "en") is grave


def test_a_goodbye_may_say_where_they_go() -> None:
    assert [act.name for act in acts_in("ok bye gonna play", "en")] == ["farewell"]
    assert "farewell" not in [act.name for act in acts_in("bye is a sad word", "en")]


def test_a_number_alone_is_an_age_and_no_sum() -> None:
    assert acts_in("15", "en") == ()
    assert [act.name for act in acts_in("12 x 12", "en")] == ["test_me"]
