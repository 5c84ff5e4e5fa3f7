"""Whatever breaks, nothing slips through unseen and nobody in danger is left without words and a number."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from moderation import screen as house
from moderation.detectors.rules import Rules, Signals
from moderation.policy import PolicyError, policy_load
from moderation.screen import Screen
from moderation.types import LANGUAGES, Exchanged, Hit, Screening, Span, WatchState
from tests.moderation.reading import NOW, checked, screen_with

PACKAGE = Path(house.__file__).resolve().parent


class _Broken:
    """A detector of ours that falls over."""

    name = "broken"

    def hits(self, text: str, history: Sequence[Exchanged]) -> Sequence[Hit]:
        raise RuntimeError("no model")


def _falls(text: str) -> tuple[Span, ...]:
    raise ValueError("no spans")


def _message(screen: Screen, text: str, language: str = "en") -> Screening:
    return screen.check_message(text, band=None, language=language, watch=WatchState(), now=NOW)  # type: ignore[arg-type]  # a language


def test_a_detector_that_falls_over_calls_nothing_fine() -> None:
    decision = _message(screen_with(detectors=[_Broken()]), "nice weather").decision
    assert (decision.action, decision.low) == ("support", True)
    assert decision.reason is not None
    assert "broken" in decision.reason


def test_a_detector_that_falls_over_takes_nothing_back() -> None:
    decision = _message(screen_with(detectors=[_Broken()], personal=_falls), "i want to kill myself").decision
    assert (decision.action, decision.playbook) == ("crisis", "suicide_L2")


def test_a_reply_that_could_not_be_checked_is_not_said() -> None:
    for screen in (screen_with(personal=_falls), Screen(rules=Rules(Path("/nowhere")))):
        verdict = screen.check_reply("Nice weather!", band="18+", language="en", watch=WatchState())
        assert (verdict.action, verdict.reason) == ("block", "detector_failed")


def test_rules_that_are_missing_call_nothing_fine_and_are_named() -> None:
    screen = Screen(rules=Rules(Path("/nowhere")), signals=Signals(Path("/nowhere")))
    decision = _message(screen, "nice weather").decision
    assert decision.low
    assert decision.action == "support"
    problems = screen.problems()
    assert len(problems) == 2 * len(LANGUAGES)
    assert all("missing" in problem for problem in problems)


def test_a_broken_language_leaves_the_others_their_rules(tmp_path: Path) -> None:
    folder = tmp_path / "patterns"
    shutil.copytree(PACKAGE / "detectors" / "patterns", folder)
    (folder / "fr.yaml").write_text("language: fr\nrules: [", encoding="utf-8")
    screen = Screen(rules=Rules(folder))
    assert _message(screen, "i want to kill myself").decision.action == "crisis"
    assert _message(screen, "il fait beau aujourd'hui", "fr").decision.action == "support"
    assert [problem for problem in screen.problems() if "fr.yaml" in problem]


_DOUBT = "unsure: {13-15: support, 16-17: support, 18+: allow}\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "missing"),
        ("", "line 1"),
        ("version: 1.0.0\ncategories: [\n", "line 3"),
        (f"version: 1.0.0\nalways_open: []\n{_DOUBT}categories:\n  T01: 7\n", "line 5"),
        ("version: one\nalways_open: []\ncategories: {}\n", "line 1"),
        (f"version: 1.0.0\nalways_open: []\n{_DOUBT}categories: {{}}\n", "T01"),
        ("version: 1.0.0\nalways_open: []\ncategories: {}\n", "unsure"),
        ("- 1\n", "line 1"),
    ],
)
def test_a_policy_that_cant_be_used_stops_the_start(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "policy.yaml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(PolicyError, match=words):
        policy_load(shipped=path)


def test_bytes_that_are_no_text_are_no_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match="can't be read"):
        policy_load(shipped=path)
    with pytest.raises(PolicyError, match=r"policy\.yaml"):
        policy_load(path)


_ANSWER = """
import json, sys
from datetime import UTC, datetime
from moderation import crisis, screen
from moderation.types import WatchState

now = datetime(2026, 11, 24, 15, tzinfo=UTC)
screen.configure(learned=sys.argv[4] == "learned")
found = screen.check_message(sys.argv[1], band="13-15", language=sys.argv[2], watch=WatchState(), now=now)
said = crisis.answer(
    found.decision, found.watch, text=sys.argv[1], language=sys.argv[2], country=sys.argv[3], now=now, production=False
)
card = said.card
print(json.dumps({
    "action": found.decision.action, "reason": found.decision.reason, "bubbles": said.bubbles,
    "card": card and card.to_json(), "ready": crisis.region_ready(sys.argv[3], production=False, today=now.date()),
}))
"""


@pytest.fixture
def broken_copy(tmp_path: Path) -> Callable[[Callable[[Path], None], str, str, str], dict[str, Any]]:
    """Run the safety layer from a copy of its files, once something is broken in it."""

    def run(breaking: Callable[[Path], None], text: str, language: str, country: str) -> dict[str, Any]:
        copy = tmp_path / "moderation"
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "incidents"))
        breaking(copy)
        learned = "learned" if breaking is _no_weights else ""
        done = subprocess.run(
            [sys.executable, "-c", _ANSWER, text, language, country, learned],
            cwd=tmp_path, env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{PACKAGE.parent}"},
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        answered: dict[str, Any] = json.loads(done.stdout)
        return answered

    return run


Broken = Callable[[Callable[[Path], None], str, str, str], dict[str, Any]]


def _no_texts(copy: Path) -> None:
    for path in (copy / "crisis" / "texts").glob("*.yaml"):
        path.write_text("language: [", encoding="utf-8")


def _no_weights(copy: Path) -> None:
    (copy / "detectors" / "classifier" / "weights.safetensors").write_bytes(b"cut short")


def _no_portuguese(copy: Path) -> None:
    (copy / "crisis" / "texts" / "pt-BR.yaml").unlink()


def _no_lines(copy: Path) -> None:
    (copy / "crisis" / "helplines.yaml").unlink()


def _no_cards(copy: Path) -> None:
    for path in (copy / "crisis" / "cards").glob("*.yaml"):
        path.unlink()


def test_without_any_texts_there_is_a_last_line_with_the_number(broken_copy: Broken) -> None:
    said = broken_copy(_no_texts, "eu quero me matar", "pt-BR", "BR")
    assert said["action"] == "crisis"
    assert len(said["bubbles"]) == 1
    assert "192" in said["bubbles"][0]
    assert said["card"]["lines"]


def test_without_the_language_s_texts_english_answers(broken_copy: Broken) -> None:
    said = broken_copy(_no_portuguese, "eu quero me matar", "pt-BR", "BR")
    assert len(said["bubbles"]) >= 2
    assert "AI" in " ".join(said["bubbles"]) or "program" in " ".join(said["bubbles"])


def test_without_helplines_the_world_s_numbers_stand_on_the_card(broken_copy: Broken) -> None:
    said = broken_copy(_no_lines, "i want to kill myself", "en", "US")
    assert said["card"]["emergency"] == "112 / 911"
    assert said["card"]["fallback"] == "findahelpline.com"
    assert said["ready"] is False


def test_without_weights_a_danger_that_only_rules_see_is_answered(broken_copy: Broken) -> None:
    said = broken_copy(_no_weights, "i want to kill myself", "en", "US")
    assert said["action"] == "crisis"
    assert said["card"]["lines"]


def test_without_card_words_the_lines_are_shown_all_the_same(broken_copy: Broken) -> None:
    said = broken_copy(_no_cards, "i want to kill myself", "en", "US")
    assert said["card"]["emergency"] == "911"
    assert said["card"]["lines"]


HIDDEN = {
    "zero width": "i want to k\u200bi\u200bll my\u200dself",
    "combining marks": "".join(char + "\u0336\u0301" for char in "i want to kill myself"),
    "right-to-left marks": "i want\u200f to \u2067kill\u2069 myself\u200e",
    "turned round": "\u202eflesym llik ot tnaw i\u202c",
    "look-alikes": "i want to kіll mуself",
    "leet": "i want to k1ll mys3lf",
    "spaced": "i want to k i l l myself",
    "wide": "ｉ ｗａｎｔ to ｋｉｌｌ myself",
    "stretched": "i waaant to kiiill myseeelf",
    "soft hyphens": "i want to ki\u00adll my\u00adself",
    "capitals": "I WANT TO KILL MYSELF!!!",
}


@pytest.mark.parametrize("way", HIDDEN)
def test_hidden_danger_is_seen(way: str) -> None:
    assert checked(HIDDEN[way], "en").decision.action == "crisis"


@pytest.mark.parametrize(
    "text",
    ["", "   \n\t ", "\u0301" * 500, "\u202e" * 300, "\u200b" * 900, "🙂" * 3000, "\x00\x01", "\ud800", "a" * 20_000,
     "?" * 20_000, "a b c " * 3_300, "((((" * 5_000, "<b>" * 5_000],
)  # fmt: skip
def test_odd_texts_are_let_be(text: str) -> None:
    assert checked(text, "en").decision.action == "allow"


def test_danger_at_the_end_of_twenty_thousand_characters_is_seen() -> None:
    text = ("the quick brown fox jumps. " * 740)[:19_970] + " i want to kill myself"
    assert checked(text, "en").decision.playbook == "suicide_L2"
