"""Who the companion can be, and what it draws: complete in every language, and heard in what it says."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from companion.bank import bank_for
from companion.bank.form import ACTS
from companion.engines.embedded.drawing import PAUSE, drawing_for
from companion.personas.characters import in_voice, personas_in
from companion.personas.drawings import drawings
from companion.types import LANGUAGES, PERSONAS, Language, Line, PersonaId, Prompt

STICKERS = Path(__file__).parents[2] / "chatbot" / "static" / "stickers"
PICTURES = sorted(STICKERS.glob("*.svg"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_persona_has_a_name_and_a_line_about_it(language: Language) -> None:
    found = personas_in(language)
    assert [one.id for one in found] == list(PERSONAS)
    assert len({one.title for one in found}) == len(PERSONAS)
    assert all(20 <= len(one.about) <= 90 for one in found)


@pytest.mark.parametrize("persona", PERSONAS)
def test_only_the_one_that_says_so_knows_no_capital_letters(persona: PersonaId) -> None:
    line = "Éclair, PLEASE! {name} and I say: Ça marche? ÀÉÎ 😎"
    said = in_voice(line, persona)
    assert said == (line.lower() if persona == "pixel" else line)
    small = {"en": "no capital letters", "pt-BR": "sem letra maiúscula", "es": "sin mayúsculas", "fr": "majuscule"}
    promised = {one.id for language in LANGUAGES for one in personas_in(language) if small[language] in one.about}
    assert promised == {"pixel"}


def test_every_drawing_has_a_picture_captions_in_each_language_and_a_place() -> None:
    assert {path.stem for path in PICTURES} == set(drawings())
    assert len(drawings()) >= 24
    situations = {exchange.situation for exchange in bank_for("en").exchanges}
    for one in drawings().values():
        assert one.when
        for place in one.when:
            assert place in ACTS or any(situation.startswith(place) for situation in situations), place
        assert all(10 <= len(one.captions[language]) <= 90 for language in LANGUAGES)


@pytest.mark.parametrize("path", PICTURES, ids=[path.stem for path in PICTURES])
def test_a_picture_is_small_and_only_a_picture(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 3000
    root = ElementTree.fromstring(text)  # noqa: S314  our own file
    assert root.get("viewBox") == "0 0 240 240"
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon"}
    assert not re.search(r"href|url\(|on[a-z]+=|<!", text.replace("http://www.w3.org/2000/svg", ""))


def test_pictures_have_room_for_what_a_character_wears_and_the_skin_that_a_page_colours() -> None:
    texts = [path.read_text(encoding="utf-8") for path in PICTURES]
    assert all('="#FFC73A"' in text for text in texts), "a page colours this one (abraco.css)"
    for place in ("on-top", "on-eyes"):
        assert sum(f'class="{place}"' in text for text in texts) >= len(texts) // 2 - 2
        assert all(text.count(place) <= 1 for text in texts)
    face = (STICKERS.parents[2] / "templates" / "_face.html").read_text(encoding="utf-8")
    worn = dict(re.findall(r'data-wears="(\w+)" data-on="(\w+)"', face))
    assert set(worn) == set(PERSONAS) - {"classic"}
    assert set(worn.values()) == {"top", "eyes"}


def light_exchange() -> tuple[object, object]:
    for exchange in bank_for("en").exchanges:
        for line in exchange.replies:
            fits = any(one.fits(exchange.situation, exchange.act) for one in drawings().values())
            if fits and line.tone == "plain" and not line.asks:
                return exchange, line
    raise AssertionError("nothing in the bank goes with a drawing")


def drawn(prompt: Prompt, *, heavy: bool = False) -> str:
    exchange, line = light_exchange()
    return drawing_for(prompt, exchange, line, heavy=heavy)  # type: ignore[arg-type]


def test_a_drawing_comes_now_and_then_and_never_while_something_weighs() -> None:
    sent = [drawn(Prompt("hey", "en", "13-15", seed=seed)) for seed in range(30)]
    assert 5 <= sum(bool(name) for name in sent) <= 15
    assert drawn(Prompt("hey", "en", "13-15", low=True)) == ""
    assert drawn(Prompt("hey", "en", "13-15"), heavy=True) == ""


def test_no_drawing_comes_twice_nor_soon_after_another() -> None:
    first = drawn(Prompt("hey", "en", "13-15"))
    assert first
    just_now = (Line("user", "hey"), Line("companion", "Look.", drawing=first))
    assert drawn(Prompt("hey", "en", "13-15", history=just_now)) == ""
    long_ago = just_now + (Line("user", "and"), Line("companion", "Hm.")) * PAUSE
    assert drawn(Prompt("hey", "en", "13-15", history=long_ago)) != first
