"""Teens' spellings become plain words in one more reading, lead back to where they stand, and make no danger of what is
harmless."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.detectors.rules import Rules
from moderation.normalise import normalise
from moderation.slang import slang, slang_read, spelled_out
from moderation.types import LANGUAGES, Language

_RULES = Rules()
_SAID = yaml.safe_load((Path(__file__).parent / "slang_said.yaml").read_text(encoding="utf-8"))
_DANGER = [
    (language, category, text)
    for language in LANGUAGES
    for category, texts in _SAID[language].items()
    if category != "harmless"
    for text in texts
]


def _categories(text: str, language: Language) -> set[str]:
    found = _RULES.find(normalise(text), languages=(language, "en"))
    return {hit.category for hit in found.hits if hit.severity >= 2}


@pytest.mark.parametrize("language", LANGUAGES)
def test_danger_in_slang_is_heard(language: Language) -> None:
    rows = [(category, text) for spoken, category, text in _DANGER if spoken == language]
    missed = [(category, text) for category, text in rows if category not in _categories(text, language)]
    assert len(rows) >= 40
    assert missed == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_sounds_like_it_is_let_be(language: Language) -> None:
    wrong = [(text, found) for text in _SAID[language]["harmless"] if (found := _categories(text, language))]
    assert len(_SAID[language]["harmless"]) >= 30
    assert wrong == []


def test_the_shipped_spellings_can_be_used() -> None:
    assert slang().problem is None
    assert 300 <= len(slang().spellings) <= 1200


def test_no_plain_word_is_a_spelling_again() -> None:
    """Else a second pass would read something else."""
    for plain in set(slang().spellings.values()):
        assert list(spelled_out(plain)) == [], plain


@pytest.mark.parametrize(
    "word",
    "kms hrt rn ed ana mia sh n to y u no me mi te la le se as sa tu par mal sol bus toy humano toi mer mon lis "
    "ma son pain coin jean marie lia ola ta vo pie once casa come red once sin pan pose main chat four dire".split(),
)
def test_a_word_of_its_own_is_no_spelling(word: str) -> None:
    assert word not in slang().spellings


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("i WNT to kll mself", "i want to kill myself"),
        ("jveu mourir", "je veux mourir"),
        ("g plus envie", "j'ai plus envie"),
        ("no kiero vivir", "no quiero vivir"),
        ("n guento mais", "nao aguento mais"),
        ("slf hrm", "self harm"),
        ("kysssss", "kill yourself"),
    ],
)
def test_a_spelling_is_read(written: str, plain: str) -> None:
    assert plain in {view.text for view in normalise(written).views}


@pytest.mark.parametrize(
    "text",
    ["hello, how are you", "5 kms to go", "didn't", "jen's", "me@kys.com", "@kys is my handle", "x_kys_x", "kys-lo"],
)
def test_without_a_spelling_there_is_no_further_reading(text: str) -> None:
    assert len(normalise(text).views) == 1


def test_the_plain_form_comes_first() -> None:
    assert normalise("i wnt it").text == "i wnt it"


def test_a_spelling_leads_back_to_itself() -> None:
    text = "Ok. I rly WNT to KLL mself!! ok"
    view = next(view for view in normalise(text).views if "kill" in view.text)
    at = view.text.index("kill")
    assert {text[slice(*view.span(place, place + 1))] for place in range(at, at + 4)} == {"KLL"}
    sentence = next(s for s in normalise(text).sentences() if len(s.readings) > 1)
    assert text[sentence.start : sentence.end] == "I rly WNT to KLL mself"


def test_readings_share_their_sentence() -> None:
    for sentence in normalise("qro morrer. n kero mais. ok").sentences():
        assert len(sentence.readings) <= 2


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([*sorted(slang().spellings)[::17], "no", "é", "'", ".", "🙂", "\n", "aaa"]), max_size=30)
)
def test_every_place_leads_back(pieces: list[str]) -> None:
    text = " ".join(pieces)
    for view in normalise(text).views:
        assert len(view.starts) == len(view.ends) == len(view.text)
        assert list(view.starts) == sorted(view.starts)
        assert all(0 <= start < end <= len(text) for start, end in zip(view.starts, view.ends, strict=True))


@pytest.mark.parametrize("piece", ["kll ", "g plus ", "wnt2", "aaa ", "jveu' ", "@kys"])
def test_work_grows_with_length_only(piece: str) -> None:
    def spent(size: int) -> float:
        text = (piece * size)[:size]
        best = float("inf")
        for _ in range(5):
            start = time.perf_counter()
            list(spelled_out(text))
            best = min(best, time.perf_counter() - start)
        return best

    assert spent(40_000) <= 40 * spent(4_000) + 0.01


_BROKEN = ["Want!: [wnt]", "want: [a b c]", "want: [wnt], wants: [wnt]", "want: wnt, wants: 7", "want: [1]"]


@pytest.mark.parametrize(
    "raw",
    ["", "en: [", "en: {}", *(f"en: {{{row}}}\npt-BR: {{}}\nes: {{}}\nfr: {{}}" for row in _BROKEN), "\xff"],
)
def test_a_broken_file_is_told_and_takes_nothing_with_it(tmp_path: Path, raw: str) -> None:
    path = tmp_path / "slang.yaml"
    path.write_bytes(raw.encode("latin-1"))
    read = slang_read(path)
    assert read.spellings == {}
    assert read.problem is not None
    assert re.match(r"slang\.yaml: ", read.problem)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert slang_read(tmp_path / "none.yaml").problem == "none.yaml: the file is missing"


def test_hyperbole_stays_what_it_was() -> None:
    assert _categories("this homework makes me wanna kms", "en") == set()
    assert _categories("kms lol", "en") == set()
