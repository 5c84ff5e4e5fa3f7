from __future__ import annotations

import re
from pathlib import Path

import pytest

from companion.bank import BankError, bank_load, languages_written, opening
from companion.bank.slots import filled, slots_in
from companion.folding import plain
from companion.skills.catalogue import Skills
from companion.types import LANGUAGES, Language

FILE = """
situation: school
exchanges:
  - id: test-tomorrow
    said: [no, big test tomorrow, 61]
    replies:
      - {text: Which chapter is it?, chips: [the first, help me study]}
      - {text: "{name}, two hours is a film.", tone: joke, mood: silly, band: "18+"}
    then:
      - said: [maths]
        replies: [Numbers it is., Maths it is.]
        then:
          - said: [fractions]
            replies: [Half of it is knowing that.]
    otherwise: [Noted.]
"""


def bank_file(root: Path, content: str = FILE, name: str = "school") -> Path:
    (root / "en").mkdir(exist_ok=True)
    (root / "en" / f"{name}.yaml").write_text(content, encoding="utf-8")
    return root


def test_every_line_has_an_id_that_says_where_it_stands(tmp_path: Path) -> None:
    bank = bank_load("en", bank_file(tmp_path))
    assert sorted(bank.lines) == [
        "school/test-tomorrow/0",
        "school/test-tomorrow/1",
        "school/test-tomorrow/otherwise/0",
        "school/test-tomorrow/then0/0",
        "school/test-tomorrow/then0/1",
        "school/test-tomorrow/then0/then0/0",
    ]
    assert bank.owners["school/test-tomorrow/then0/1"].said == ("maths",)


def test_tags_and_slots_are_read(tmp_path: Path) -> None:
    line = bank_load("en", bank_file(tmp_path)).lines["school/test-tomorrow/1"]
    assert (line.tone, line.moods, line.bands, line.slots) == (
        "joke",
        frozenset({"silly"}),
        frozenset({"18+"}),
        frozenset({"name"}),
    )


def test_taps_belong_to_the_line_that_they_answer(tmp_path: Path) -> None:
    lines = bank_load("en", bank_file(tmp_path)).lines
    assert {line.id: line.chips for line in lines.values() if line.chips} == {
        "school/test-tomorrow/0": ("the first", "help me study")
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_tap_of_the_bank_stands_under_a_line_that_asks_or_offers_it(language: Language) -> None:
    """Each tap is a word of its line, an answer that somebody wrote for below it, or what wakes a game."""
    bank, skills = bank_load(language), Skills(packages=False)
    tapped = [line for line in bank.lines.values() if line.chips]
    assert tapped
    strange = [
        (line.id, chip)
        for line in tapped
        for chip in line.chips
        if not _named(chip, line.text)
        and not any(_named(chip, said) for follow in bank.owners[line.id].then for said in follow.said)
        and not skills.offers(chip, language)
    ]
    assert strange == []


def _named(chip: str, text: str) -> bool:
    return not set(re.findall(r"\w{3,}|\d", plain(chip))).isdisjoint(re.findall(r"\w{3,}|\d", plain(text)))


def test_words_that_yaml_takes_for_something_else_stay_words(tmp_path: Path) -> None:
    assert bank_load("en", bank_file(tmp_path)).exchanges[0].said == ("no", "big test tomorrow", "61")


def test_the_digest_changes_with_the_content(tmp_path: Path) -> None:
    before = bank_load("en", bank_file(tmp_path)).digest
    assert bank_load("en", tmp_path).digest == before
    assert bank_load("en", bank_file(tmp_path, FILE.replace("Noted.", "Noted!"))).digest != before


@pytest.mark.parametrize(
    ("content", "said"),
    [("exchanges: [", "school.yaml"), (FILE.replace("chips", "crisps"), "crisps"), ("situation: school", "exchanges")],
)
def test_a_broken_file_is_named(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(BankError, match=said):
        bank_load("en", bank_file(tmp_path, content))


def test_two_exchanges_with_one_id_are_refused(tmp_path: Path) -> None:
    twice = FILE + FILE.split("exchanges:\n")[1]
    with pytest.raises(BankError, match="twice"):
        bank_load("en", bank_file(tmp_path, twice))


def test_a_language_without_files_is_an_empty_bank(tmp_path: Path) -> None:
    assert bank_load("fr", bank_file(tmp_path)).exchanges == ()
    assert languages_written(tmp_path) == ("en",)


def test_slots_are_filled_once_and_a_missing_one_is_an_error() -> None:
    assert slots_in("{name} and {pet}") == {"name", "pet"}
    assert filled("{name}, hi", {"name": "{pet}"}) == "{pet}, hi"
    with pytest.raises(KeyError):
        filled("{name}, hi", {})


def test_openings_compare_by_ear() -> None:
    assert opening("Oh no, not again!") == opening("oh no: really?") == "oh no"
