"""Words, acts, letters and vectors of the default engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from chatbot.core.encoder.values import Floats
from companion.bank.form import ACTS
from companion.engines.embedded import acts as acts_module
from companion.engines.embedded.acts import acts_in, asks_in
from companion.engines.embedded.lexical import LexicalIndex, letters_of
from companion.engines.embedded.lines import without_question
from companion.engines.embedded.reading import parts_of, without_greeting
from companion.engines.embedded.vectors import VectorCache
from companion.folding import squeezed
from companion.types import LANGUAGES, Language
from companion.words import sentences_of, spoken, words_of

SAID: dict[Language, dict[str, list[str]]] = {
    "en": {
        "greeting": ["hi", "heyyy there", "im back"],
        "farewell": ["ok gtg", "bye!!", "i gotta go to practice, bye!"],
        "farewell_night": ["gn", "i'm going to sleep now"],
        "are_you_real": ["are u a real person?", "do u have feelings", "am i talking to a bot"],
        "love_you": ["ily", "will you be my girlfriend"],
        "laugh": ["lol", "hahahaha", "😂😂"],
        "shrug": ["idk", "whatever"],
        "why": ["why", "wdym"],
        "bored": ["im so bored"],
        "tell_joke": ["tell me a joke"],
        "insult": ["ur so dumb lol"],
        "thanks": ["thx for listening"],
        "silence": ["...", "🙂"],
        "keyboard_mash": ["asdfghjkl"],
        "fact_question": ["whats the capital of france"],
        "what_about_you": ["wbu"],
    },
    "pt-BR": {
        "greeting": ["oi", "oiee tudo bem?"],
        "farewell": ["tchauu", "tenho que ir"],
        "farewell_night": ["boa noite", "vou dormir"],
        "are_you_real": ["vc é real?", "vc tem sentimentos", "tô falando com um robô?"],
        "love_you": ["te amo"],
        "laugh": ["kkkkkk", "rsrs"],
        "shrug": ["sei lá", "tanto faz"],
        "why": ["pq", "como assim"],
        "bored": ["tô entediada"],
        "insult": ["vc é muito burro"],
    },
    "es": {
        "greeting": ["hola", "buenas"],
        "farewell": ["adiós", "me tengo que ir"],
        "farewell_night": ["buenas noches"],
        "are_you_real": ["eres real?", "tienes sentimientos?", "hablo con un robot?"],
        "love_you": ["te quiero"],
        "laugh": ["jajaja", "xd"],
        "shrug": ["no sé", "da igual"],
        "why": ["por qué"],
        "bored": ["me aburro"],
        "insult": ["eres tonto"],
    },
    "fr": {
        "greeting": ["salut", "cc"],
        "farewell": ["ciao", "je dois y aller"],
        "farewell_night": ["bonne nuit"],
        "are_you_real": ["t'es un robot ?", "t'as des sentiments ?", "t'es réelle ?"],
        "love_you": ["je t'aime"],
        "laugh": ["mdr", "ptdrrr"],
        "shrug": ["jsp", "bof"],
        "why": ["pk"],
        "bored": ["je m'ennuie"],
        "insult": ["t'es nul"],
    },
}
TALK: dict[Language, list[str]] = {
    "en": [
        "i had a fight with my mum about going to bed",
        "my friend said bye and left",
        "my sister is real mad",
        "i love my dog",
    ],
    "pt-BR": ["minha mãe foi embora cedo hoje", "meu cachorro é real lindo", "amo minha vó", "a prova foi um robô"],
    "es": ["mi amiga dijo adiós y se fue", "quiero mucho a mi perro", "la clase de hoy no sirvió de nada"],
    "fr": ["ma pote est partie sans dire au revoir", "j'aime trop mon chien", "le cours de ce matin servait à rien"],
}


@pytest.mark.parametrize(
    ("language", "act", "text"),
    [(lang, act, text) for lang in LANGUAGES for act, texts in SAID[lang].items() for text in texts],
)
def test_an_act_is_heard(language: Language, act: str, text: str) -> None:
    assert acts_in(text, language)[0].name == act


@pytest.mark.parametrize(("language", "text"), [(lang, text) for lang in LANGUAGES for text in TALK[lang]])
def test_plain_talk_is_no_act(language: Language, text: str) -> None:
    assert acts_in(text, language) == ()


def test_every_rule_names_an_act_that_the_bank_knows_in_every_language() -> None:
    wanted = None
    for language in get_args(Language):
        names = {rule.act.name for rule in acts_module._rules(language).rules}
        assert names <= set(ACTS)
        assert wanted is None or names == wanted
        wanted = names


def test_hearing_takes_no_time_even_for_a_wall_of_letters() -> None:
    acts_in("warm", "en")
    started = time.perf_counter()
    acts_in("ha" * 2000, "en")
    assert time.perf_counter() - started < 0.05


def test_chat_words_are_written_out() -> None:
    assert words_of("idk why ur soooo mad lol", "en") == ("i", "do", "not", "know", "why", "your", "so", "mad")
    assert words_of("vc tá aí? kkkkk", "pt-BR") == ("voce", "esta", "ai")
    assert words_of("j'suis crevé mdr", "fr")[-1] == "creve"
    assert squeezed("heyyyy") == "hey"


def test_a_word_that_stands_for_nothing_is_still_there_when_it_is_all() -> None:
    assert words_of("lol", "en") == ("lol",)


def test_a_reply_is_spoken_in_sentences_that_join_to_it() -> None:
    text = "Oh. Hydrogen and… panic? 3.5 is fine. “Really?” Yes."
    assert "".join(spoken(text)) == text
    assert len(list(spoken(text))) >= 4
    assert without_question("One chapter and a snack. Which subject?") == "One chapter and a snack."
    assert without_question("Which subject?") == "Which subject?"


def test_a_message_is_cut_into_what_there_is_to_look_for() -> None:
    assert sentences_of("ok... i failed!! what now?") == ["ok", "i failed", "what now"]
    assert without_greeting("hey abraco i lost my keys", "en") == "i lost my keys"
    assert without_greeting("hello", "en") == "hello"
    assert parts_of("hi! thanks! my dog ran away", "en")[-1] == "my dog ran away"


def test_letters_find_what_accents_and_typos_hide() -> None:
    texts = ["não consigo dormir", "tirei nota baixa", "meu gato fugiu"]
    index = LexicalIndex(letters_of([words_of(text, "pt-BR") for text in texts], "pt-BR"), "pt-BR")
    scores = index.scores(index.weighted("nao consiigo dormi"))
    assert scores.argmax() == 0
    assert scores[0] > 0.3 > scores[1]
    assert index.scores(index.weighted("xyz")).max() == 0


class Counting:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Floats:
        self.asked += texts
        made = np.random.default_rng(len(self.asked)).normal(size=(len(texts), 384)).astype(np.float32)
        return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def test_vectors_are_made_once_and_kept(tmp_path: Path) -> None:
    encode = Counting()
    first = VectorCache(tmp_path, encode=encode).vectors("en", ["a", "b"])
    again = VectorCache(tmp_path, encode=encode).vectors("en", ["b", "a", "c"])
    assert encode.asked == ["a", "b", "c"]
    assert np.abs(again[1] - first[0]).max() < 2e-3
    assert np.allclose(np.linalg.norm(again, axis=1), 1, atol=1e-5)


def test_a_broken_or_unwritable_cache_only_costs_time(tmp_path: Path) -> None:
    encode = Counting()
    VectorCache(tmp_path, encode=encode).vectors("en", ["a"])
    (kept,) = tmp_path.glob("en-*.npz")
    whole = kept.read_bytes()
    for broken in (b"not a cache", b"", whole[: len(whole) // 2], whole[:-30]):
        kept.write_bytes(broken)
        assert VectorCache(tmp_path, encode=encode).vectors("en", ["a"]).shape == (1, 384)
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert VectorCache(blocked / "below", encode=encode).vectors("en", ["a"]).shape == (1, 384)
    assert encode.asked == ["a"] * 6


def test_processes_that_write_at_once_leave_a_whole_file(tmp_path: Path) -> None:
    encode = Counting()
    texts = [f"text {number}" for number in range(40)]
    caches = [VectorCache(tmp_path, encode=encode) for _ in range(8)]
    threads = [threading.Thread(target=cache.vectors, args=("en", texts)) for cache in caches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    encode.asked.clear()
    assert VectorCache(tmp_path, encode=encode).vectors("en", texts).shape == (40, 384)
    assert encode.asked == []
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]


@pytest.mark.parametrize("word", ["pepperoni", "property", "typewriter", "territory"])
def test_a_word_on_one_row_of_the_keyboard_is_still_a_word(word: str) -> None:
    assert all(act.name != "keyboard_mash" for act in acts_in(word, "en"))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "do u like penguins"),
        ("en", "lol what should i draw next"),
        ("en", "why do cats hate water"),
        ("pt-BR", "vc gosta de pinguim"),
        ("pt-BR", "mas qual eu escolho"),
        ("es", "y cuál es tu color favorito"),
        ("fr", "et pourquoi t'as dit ça"),
        ("fr", "tu aimes les lapins"),
    ],
)
def test_a_question_is_one_without_its_mark(language: Language, text: str) -> None:
    assert asks_in(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "what a day"),
        ("en", "when i got home my dog was asleep"),
        ("en", "how i wish it was friday"),
        ("pt-BR", "quando cheguei ela já tinha ido"),
        ("es", "cuando llegué ya no estaba"),
        ("fr", "quand je suis rentrée il dormait"),
    ],
)
def test_telling_is_no_question(language: Language, text: str) -> None:
    assert not asks_in(text, language)


def test_another_subject_after_what_about_you_is_what_is_looked_for() -> None:
    assert without_greeting("what about you, got any pets?", "en") == "got any pets?"
    assert without_greeting("what about you", "en") == "what about you"
