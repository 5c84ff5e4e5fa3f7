from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from chatbot.core.ids import new_id
from companion.memory import services
from companion.memory.answers import memory_reply
from companion.memory.extract import facts_in
from companion.types import LANGUAGES, Language

THEN = datetime(2026, 11, 24, 12, tzinfo=UTC)


def said(text: str, language: Language = "en") -> list[tuple[str, str, str]]:
    return [(fact.kind, fact.who, fact.value) for fact in facts_in(text, language)]


@pytest.mark.parametrize(
    ("language", "text", "facts"),
    [
        ("en", "hi! my name is Sam and i love skateboarding", [("name", "", "Sam"), ("like", "", "skateboarding")]),
        ("en", "my dog is called bento lol", [("pet", "dog", "Bento")]),
        ("en", "i hate mushrooms because they squeak", [("dislike", "", "mushrooms")]),
        ("en", "my little sister is called Ines", [("person", "little sister", "Ines")]),
        ("en", "i have a maths test on friday", [("plan", "", "maths test")]),
        ("pt-BR", "me chamo Júlia e adoro vôlei", [("name", "", "Júlia"), ("like", "", "vôlei")]),
        ("pt-BR", "meu cachorro se chama Pipoca", [("pet", "cachorro", "Pipoca")]),
        ("es", "me llamo Mateo y me encanta dibujar", [("name", "", "Mateo"), ("like", "", "dibujar")]),
        ("es", "mi gata se llama Luna", [("pet", "gata", "Luna")]),
        ("fr", "je m'appelle Zoé et j'adore le hand", [("name", "", "Zoé"), ("like", "", "le hand")]),
        ("fr", "mon chien s'appelle Moka", [("pet", "chien", "Moka")]),
    ],
)
def test_what_is_said_plainly_is_understood(language: Language, text: str, facts: list[tuple[str, str, str]]) -> None:
    assert sorted(said(text, language)) == sorted(facts)


@pytest.mark.parametrize(
    "text",
    [
        "i love you",
        "i like it here",
        "do you know if my name is Sam?",
        "if my name is Sam then what",
        "in my story my name is Dragon",
        "i like girls",
        "i like a boy in my class",
        "i love going to church",
        "i hate my meds",
        "i love vaping",
        "i hate when people shout",
        "she said my name is mud",
        "i like my therapist",
        "i love 12345678",
        "call me at sam@example.org",
    ],
)
def test_what_is_doubtful_or_private_is_not_kept(text: str) -> None:
    assert said(text) == []


@pytest.mark.django_db
class TestServices:
    @pytest.fixture
    def owner(self) -> uuid.UUID:
        return new_id()

    def learn(self, owner: uuid.UUID, text: str, language: Language = "en") -> list[services.MemoryView]:
        return services.memory_learn(owner_id=owner, text=text, language=language, said_at=THEN, source=None)

    def ask(self, owner: uuid.UUID, text: str, language: Language = "en") -> str:
        reply = memory_reply(owner_id=owner, text=text, language=language, seed=1, at=THEN)
        assert reply is not None
        return reply.text

    def test_a_summary_knows_both_facts(self, owner: uuid.UUID) -> None:
        self.learn(owner, "hi! my name is Sam and i love skateboarding")
        reply = self.ask(owner, "what do you know about me?")
        assert "Sam" in reply
        assert "skateboarding" in reply

    def test_saying_it_twice_keeps_it_once_and_a_new_name_closes_the_old(self, owner: uuid.UUID) -> None:
        self.learn(owner, "my name is Sam")
        assert self.learn(owner, "My name is SAM") == []
        self.learn(owner, "call me Sky")
        states = {view.value: view.state for view in services.memory_list(owner_id=owner, language="en")}
        assert states == {"Sam": "closed", "Sky": "current"}
        assert services.memory_name(owner_id=owner) == "Sky"

    def test_a_change_of_mind_closes_the_opposite(self, owner: uuid.UUID) -> None:
        self.learn(owner, "i love olives")
        self.learn(owner, "i hate olives")
        current = [v.kind for v in services.memory_list(owner_id=owner, language="en") if v.state == "current"]
        assert current == ["dislike"]

    @pytest.mark.parametrize(
        ("language", "tell", "question"),
        [
            ("en", "my cat is called Miso", "what's my cat called?"),
            ("pt-BR", "meu gato se chama Miso", "como se chama meu gato?"),
            ("es", "mi gato se llama Miso", "¿cómo se llama mi gato?"),
            ("fr", "mon chat s'appelle Miso", "comment s'appelle mon chat ?"),
        ],
    )
    def test_a_direct_question_is_answered(
        self, owner: uuid.UUID, language: Language, tell: str, question: str
    ) -> None:
        self.learn(owner, tell, language)
        assert "Miso" in self.ask(owner, question, language)

    @pytest.mark.parametrize(
        ("language", "question"),
        [
            ("en", "what's my name?"),
            ("pt-BR", "qual é o meu nome?"),
            ("es", "¿cómo me llamo?"),
            ("fr", "comment je m'appelle ?"),
        ],
    )  # fmt: skip
    def test_what_is_not_known_is_admitted(self, owner: uuid.UUID, language: Language, question: str) -> None:
        assert len(self.ask(owner, question, language)) > 10

    def test_ordinary_messages_are_not_questions_to_memory(self, owner: uuid.UUID) -> None:
        for text in ("hi", "forget it, not important to the story we tell", "i like my name", "who are you"):
            assert memory_reply(owner_id=owner, text=text, language="en", seed=1) is None

    def test_forget_that_deletes_the_last_thing_and_what_it_replaced(self, owner: uuid.UUID) -> None:
        self.learn(owner, "my name is Sam")
        self.learn(owner, "call me Sky")
        self.ask(owner, "forget that")
        assert services.memory_list(owner_id=owner, language="en") == []

    def test_forget_about_something_deletes_just_that(self, owner: uuid.UUID) -> None:
        self.learn(owner, "my name is Sam and i love skateboarding")
        self.ask(owner, "forget about skateboarding")
        assert [view.value for view in services.memory_list(owner_id=owner, language="en")] == ["Sam"]
        self.ask(owner, "forget everything about me")
        assert services.memory_list(owner_id=owner, language="en") == []

    def test_nobody_corrects_or_forgets_for_somebody_else(self, owner: uuid.UUID) -> None:
        view = self.learn(owner, "my name is Sam")[0]
        other = new_id()
        with pytest.raises(services.MemoryNotFound):
            services.memory_correct(owner_id=other, memory_id=view.id, value="Mud")
        with pytest.raises(services.MemoryNotFound):
            services.memory_forget(owner_id=other, memory_id=view.id)
        services.memory_correct(owner_id=owner, memory_id=view.id, value="Samira")
        assert services.memory_name(owner_id=owner) == "Samira"

    @pytest.mark.parametrize("value", ["", "   ", "x" * 81])
    def test_an_empty_or_huge_correction_changes_nothing(self, owner: uuid.UUID, value: str) -> None:
        view = self.learn(owner, "my name is Sam")[0]
        with pytest.raises(services.BadCorrection):
            services.memory_correct(owner_id=owner, memory_id=view.id, value=value)
        assert services.memory_name(owner_id=owner) == "Sam"

    def test_recall_puts_first_what_the_message_is_about(self, owner: uuid.UUID) -> None:
        self.learn(owner, "i love skateboarding. i love pancakes. my name is Sam")
        found = services.memory_recall(owner_id=owner, text="skateboarding was wild", vector=None, language="en")
        assert found[0].slots == {"like": "skateboarding"}
        assert len(services.memory_recall(owner_id=new_id(), text="hi", vector=None, language="en")) == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_every_kind_and_every_answer(language: Language) -> None:
    from companion.memory.facts import KINDS, Fact
    from companion.memory.lexicon import lexicon, sentence

    answers = lexicon(language).words.answers
    assert set(answers) == set(lexicon("en").words.answers)
    assert all(len(lines) >= 2 for lines in answers.values())
    assert all("Miso" in sentence(Fact(kind, "Miso", "cat"), language) for kind in KINDS)
