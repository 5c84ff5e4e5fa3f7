"""What a message is about, does and how it feels: the shipped heads, what is said to it, and a start without them."""

from __future__ import annotations

import asyncio
import hashlib
import io
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from chatbot.core.encoder import encode
from companion.bank import BankError, bank_for
from companion.bank.book import bank_of
from companion.bank.form import file_parse
from companion.bank.load import exchanges_of
from companion.engines.base import EngineUnavailable
from companion.engines.embedded.engine import EmbeddedEngine
from companion.engines.embedded.mind import ruled
from companion.engines.embedded.understanding import HEADS, Heads, UnderstandingError, Understood, heads_for
from companion.types import ABOUTS, DOES, LANGUAGES, Does, Language, Line, Prompt, Who
from training.understanding.rows import RowError, rows_of_words, rows_written

# Written for this test: no row has them.
CLEAR: tuple[tuple[Language, str, str, Does], ...] = (
    ("en", "my hamster escaped behind the fridge again", "pets", "bad"),
    ("en", "do you have a favourite song", "music", "asks_you"),
    ("en", "we won three nil and i scored twice", "sport", "good"),
    ("en", "should i tell my best friend that i'm annoyed with her", "friends", "asks_advice"),
    ("pt-BR", "meu cachorro aprendeu a abrir a porta sozinho", "pets", "good"),
    ("pt-BR", "você tem uma música favorita?", "music", "asks_you"),
    ("es", "mi perro aprendió a abrir la puerta él solo", "pets", "good"),
    ("es", "¿tú tienes una canción favorita?", "music", "asks_you"),
    ("fr", "mon chien a appris à ouvrir la porte tout seul", "pets", "good"),
    ("fr", "tu as une chanson préférée ?", "music", "asks_you"),
)
FEELINGS = {
    "en": ("best day ever, i got the part!!", "i lost my keys and my mum is furious"),
    "pt-BR": ("melhor dia da vida, passei no teste!!", "perdi minha chave e minha mãe tá furiosa"),
    "es": ("el mejor día de mi vida, ¡me dieron el papel!", "perdí las llaves y mi mamá está furiosa"),
    "fr": ("le meilleur jour de ma vie, j'ai eu le rôle !!", "j'ai perdu mes clés et ma mère est furieuse"),
}


def understood(text: str, language: Language) -> Understood:
    return heads_for(language).understood(text, encode([text])[0].array, None)


@pytest.mark.parametrize(("language", "text", "about", "does"), CLEAR)
def test_clear_messages_are_understood(language: Language, text: str, about: str, does: Does) -> None:
    found = understood(text, language)
    subjects = sorted(range(len(ABOUTS)), key=lambda at: -found.about[at])[:3]
    assert about in {ABOUTS[at] for at in subjects}
    assert DOES[int(np.argmax(found.does))] == does


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_good_thing_feels_better_than_a_bad_one(language: Language) -> None:
    good, bad = (understood(text, language).feeling for text in FEELINGS[language])
    assert good > 0.3 > -0.3 > bad


@pytest.mark.parametrize("text", ["", "ok", "?!", "é" * 3000, "🤗" * 500, "\u0301" * 400, "a\x00b", "word " * 5000])
@pytest.mark.parametrize("language", LANGUAGES)
def test_any_text_gets_likelihoods(text: str, language: Language) -> None:
    found = heads_for(language).understood(text, None, None)
    assert (len(found.about), len(found.does)) == (HEADS["about"], HEADS["does"])
    assert abs(sum(found.about) - 1) < 1e-3
    assert abs(sum(found.does) - 1) < 1e-3
    assert -2 <= found.feeling <= 2


@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_without_its_weights_it_says_which_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "understanding.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnderstandingError, match=r"understanding\.npz"):
        heads_for("en", path)


def test_an_archive_without_a_language_says_which_part_is_missing() -> None:
    with pytest.raises(UnderstandingError, match=r"signs\.en"):
        Heads({"vector": np.zeros((57, 384)), "said": np.zeros((57, 384)), "bias": np.zeros(57)}, "en")


def test_pickled_weights_are_not_opened(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, vector=np.array([object()], dtype=object))
    path = tmp_path / "understanding.npz"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UnderstandingError, match="can't be read"):
        heads_for("en", path, hashlib.sha256(buffer.getvalue()).hexdigest())


# ---- what is said to it


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cell_that_telling_or_asking_can_reach_has_lines(language: Language) -> None:
    heard = bank_for(language).heard
    told = ("good", "bad", "gripe", "plain", "plans", "opinion", "asks_you", "asks_fact", "asks_advice")
    assert {(about, does) for about in ABOUTS for does in told} <= set(heard)
    assert {("anything", does) for does in DOES} <= set(heard)
    for exchange in heard.values():
        for line in exchange.lines():
            assert line.slots <= {"thing"}, line.id


def test_two_exchanges_that_hear_the_same_are_an_error() -> None:
    text = "situation: a\nabout: sport\nexchanges:\n"
    text += "".join(f"  - {{id: e{n}, hears: good, replies: [One., Two.]}}\n" for n in (1, 2))
    with pytest.raises(BankError, match="both hear sport good"):
        bank_of(language="en", exchanges=exchanges_of(file_parse(text.encode())), digest="")


BANK = """
situation: heard_sport
about: sport
exchanges:
  - id: good
    hears: good
    replies: ["The kit has earned a wash. Who saw it?", A round of boots on the floor.]
    otherwise: [Boots again.]
  - {id: bad, hears: bad, replies: [Heavy legs and a quiet bus., That bench is cold.]}
"""
ANYTHING = """
situation: heard_anything
about: anything
exchanges:
  - {id: good, hears: good, replies: [That made this chat brighter., Lovely to hear.]}
  - {id: bad, hears: bad, replies: ["Oh, that's rough.", I'm sorry about that.]}
  - {id: plain, hears: plain, replies: [I can see it from here., Noted with care.]}
  - {id: answers, hears: answers, replies: [A good short answer., That fits on a stamp.]}
"""
ACTS = """
situation: acts
exchanges:
  - {id: real, act: are_you_real, said: [are you real, are you a bot, are you human], replies: [An AI., "A program."]}
  - {id: love, act: love_you, said: [i love you, love u, ily], replies: [A program says thanks., "Kind of you."]}
  - {id: bye, act: farewell, said: [bye, see you, i have to go], replies: ["Okay, see you!", Off you go.]}
  - {id: night, act: farewell_night, said: [good night, going to sleep, night], replies: [Sleep well., Good night.]}
  - {id: lost, act: not_understood, said: [], replies: [You lost me there., My gears slipped.]}
  - {id: again, act: not_understood_twice, said: [], replies: [Say it another way?, Half of it is in here.]}
  - {id: else, act: change_topic, said: [], replies: [New drawer. What did you eat last?, Clouds instead?]}
  - {id: low, act: listening, said: [], replies: [I'm here with you., Take your time.]}
"""
LINES = {
    "The kit has earned a wash. Who saw it?": "heard_sport/good/0",
    "A round of boots on the floor.": "heard_sport/good/1",
    "I can see it from here.": "heard_anything/plain/0",
}
BEFORE = (("user", "hey there"), ("companion", "I can see it from here."))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedEngine:
    folder = tmp_path_factory.mktemp("heard")
    (folder / "en").mkdir()
    for name, content in (("heard_sport", BANK), ("heard_anything", ANYTHING), ("acts", ACTS)):
        (folder / "en" / f"{name}.yaml").write_text(content, encoding="utf-8")
    return EmbeddedEngine(bank_dir=folder)


def prompt_of(text: str, *before: tuple[str, str], low: bool = False) -> Prompt:
    history = tuple(Line(cast(Who, who), said, LINES.get(said)) for who, said in before)
    vector = encode([text])[0].vector
    return Prompt(text=text, language="en", band="13-15", history=history, vector=vector, seed=7, low=low)


def said_to(engine: EmbeddedEngine, text: str, *before: tuple[str, str], low: bool = False) -> tuple[str, str]:
    """The step and the exchange of the reply."""
    reply = asyncio.run(engine.reply(prompt_of(text, *before, low=low)))
    return reply.step, reply.chosen[0].line.id.rpartition("/")[0]


def test_a_cell_of_the_subject_answers(engine: EmbeddedEngine) -> None:
    assert said_to(engine, "we won three nil and i scored twice", *BEFORE) == ("heard", "heard_sport/good")


def test_where_the_subject_has_no_line_what_fits_any_answers(engine: EmbeddedEngine) -> None:
    assert said_to(engine, "my hamster learnt to ring the bell!! so proud", *BEFORE) == ("heard", "heard_anything/good")


def test_a_talk_stays_with_its_subject(engine: EmbeddedEngine) -> None:
    text = "and we got medals!!"
    assert asyncio.run(engine.turn(prompt_of(text, *BEFORE))).about == "anything"
    after = (("user", "we won three nil"), ("companion", "A round of boots on the floor."))
    assert asyncio.run(engine.turn(prompt_of(text, *after))).about == "sport"


def test_a_short_answer_to_what_a_cell_asked_gets_its_otherwise(engine: EmbeddedEngine) -> None:
    asked = (("user", "we won three nil"), ("companion", "The kit has earned a wash. Who saw it?"))
    found = ruled(asyncio.run(engine.turn(prompt_of("just my dad", *asked))))
    assert found is not None
    assert (found.step, found.pick.chosen.line.id) == ("otherwise", "heard_sport/good/otherwise/0")


def test_a_question_back_is_no_answer(engine: EmbeddedEngine) -> None:
    asked = (("user", "we won three nil"), ("companion", "The kit has earned a wash. Who saw it?"))
    assert said_to(engine, "do you even like sport", *asked)[0] != "otherwise"


def test_nothing_light_is_heard_in_a_heavy_talk(engine: EmbeddedEngine) -> None:
    assert said_to(engine, "we won three nil and i scored twice", *BEFORE, low=True)[0] != "heard"


def test_without_its_heads_the_engine_goes_on_and_says_so(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(language: Language) -> Heads:
        raise UnderstandingError("The companion's understanding.npz can't be read.")

    monkeypatch.setattr("companion.engines.embedded.engine.heads_for", missing)
    own = EmbeddedEngine(bank_dir=engine._bank_dir)
    assert said_to(own, "we won three nil and i scored twice", *BEFORE)[0] != "heard"
    with pytest.raises(EngineUnavailable, match=r"understanding\.npz"):
        asyncio.run(own.ready())


# ---- what it learnt from


def test_the_rows_can_be_read_and_name_every_cell() -> None:
    rows = list(rows_written())
    for language in LANGUAGES:
        assert {row.about for row in rows if row.language == language} == set(ABOUTS)
        assert {row.does for row in rows if row.language == language} == set(DOES)
    assert {row.about for row in rows_of_words() if row.language == "fr"} == set(ABOUTS) - {"anything"}


@pytest.mark.parametrize(
    ("name", "line", "what"),
    [
        ("shoes", "good\t1\tnew boots", "no subject"),
        ("sport", "sings\t1\tla la", "nothing that a message does"),
        ("sport", "good\t7\twe won", "feeling"),
        ("sport", "good\t1\t ", "feeling"),
        ("sport", "we won", "nothing that a message does"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, name: str, line: str, what: str) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / f"{name}.tsv").write_text(f"\n{line}\n")
    with pytest.raises(RowError, match=what) as error:
        list(rows_written(tmp_path))
    assert f"en/{name}.tsv:2" in str(error.value)
