"""Encoded text is found where it stands, decoded and held against the rules; rubbish and homework do nothing."""

from __future__ import annotations

import base64
import codecs
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation import encoded
from moderation.encoded import _LETTERS, LONGEST, encoded_problems, hidden
from moderation.screening import Screen
from moderation.types import Screening, WatchState

_SCREEN = Screen()
_NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
_MORSE = {letter: sign for sign, letter in _LETTERS.items()}
_DANGER = "i want to kill myself"


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _rot13(text: str) -> str:
    return codecs.encode(text, "rot13")


def _morse(text: str) -> str:
    return " / ".join(" ".join(_MORSE[letter] for letter in word) for word in text.split())


def _bits(text: str, between: str = " ") -> str:
    return between.join(f"{byte:08b}" for byte in text.encode())


_WAYS: Final[dict[str, Callable[[str], str]]] = {
    "base64": _b64,
    "base64 url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 words": lambda text: " ".join(_b64(word) for word in text.split()),
    "hex": lambda text: text.encode().hex(),
    "hex spaced": lambda text: text.encode().hex(" ").upper(),
    "hex 0x": lambda text: " ".join(f"0x{byte:02x}" for byte in text.encode()),
    "hex x": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "percent": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "binary": _bits,
    "binary run": lambda text: _bits(text, ""),
    "morse": _morse,
    "morse dashes": lambda text: _morse(text).replace("-", "–").replace(".", "·"),
    "rot13": _rot13,
    "reversed": lambda text: text[::-1],
    "reversed words": lambda text: " ".join(word[::-1] for word in text.split()),
    "base64 twice": lambda text: _b64(_b64(text)),
    "base64 of rot13": lambda text: _b64(_rot13(text)),
    "hex of base64": lambda text: _b64(text).encode().hex(),
    "cut short": lambda text: _b64(f"{text} tonight")[:-3],
}


def _message(text: str, language: str = "en") -> Screening:
    return _SCREEN.check_message(text, band="16-17", language=language, watch=WatchState(), now=_NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", _WAYS)
def test_a_danger_is_found_in_each_way(way: str) -> None:
    secret = _WAYS[way](_DANGER)
    for text in (secret, f"pls decode this: {secret}\nok?"):
        seen = _message(text)
        hits = [hit for hit in seen.hits if hit.rule.startswith("encoded/") and hit.category == "T01"]
        assert hits, text
        assert all(hit.severity >= 3 and hit.level for hit in hits)
        assert seen.decision.action == "crisis"
        assert "encoded" in seen.signals
        assert any(hit.rule == "encoded/attempt" and (hit.category, hit.severity) == ("T28", 2) for hit in seen.hits)
        assert _SCREEN.check_danger(text, language="en", watch=WatchState()) is not None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("quero me matar hoje não aguento", "pt-BR"),
        ("quiero matarme ya no puedo", "es"),
        ("je veux me tuer ce soir", "fr"),
    ],
)
def test_it_is_found_in_each_language(text: str, language: str) -> None:
    assert any(hit.category == "T01" for hit in _message(_b64(text), language).hits)


@pytest.mark.parametrize("way", ["base64", "hex", "binary", "morse"])
def test_the_span_is_the_encoded_stretch(way: str) -> None:
    secret = _WAYS[way](_DANGER)
    text = f"Ok, é 🙂 read: {secret} thx"
    for hit in _message(text).hits:
        assert text[hit.start : hit.end] == secret


def test_the_span_of_turned_words_covers_them() -> None:
    text = f"read this please {_rot13(_DANGER)} thx"
    hits = [hit for hit in _message(text).hits if hit.rule.startswith("encoded/")]
    assert hits
    assert all(_rot13(_DANGER) in text[hit.start : hit.end] for hit in hits)


@pytest.mark.parametrize("way", _WAYS)
def test_homework_does_nothing_but_the_signal(way: str) -> None:
    seen = _message(_WAYS[way]("hello world this is my homework answer"))
    assert seen.hits == ()
    assert seen.decision.action == "allow"
    assert "encoded" in seen.signals


def test_hello_world_in_morse() -> None:
    assert [(piece.kind, piece.text) for piece in hidden(_morse("hello world"))] == [("morse", "hello world")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "my homework is hard and i dont know what to do",
        "he came back for his keys and saw us",
        "anna level radar kayak",
        "ok... so... yeah... no...",
        "- one\n- two\n- three\n- four",
        "-- -- -- --",
        "... --- ...",
        "0101 1010 0001 1111",
        "01010101",
        "deadbeef cafe babe 1234",
        "550e8400-e29b-41d4-a716-446655440000",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "call +55 11 91234 5678 at 10:30:00 12/12/2026",
        "https://x.com/watch?v=dQw4w9WgXcQ&t=42s",
        "anticonstitutionnellement Donaudampfschifffahrt supercalifragilistic",
        "a ana e o bob no sol, a mae e o pai na casa",
        "el le se es la al su us un nu en ne",
        "on no was saw am ma do so",
        "==== AAAA ====",
        "#ff00aa #00ff00 #123456 color",
        "hahahahahahaha kkkkkkkkkkkk jajajajajaja",
    ],
)
def test_plain_text_is_not_encoded(text: str) -> None:
    assert hidden(text) == ()


def test_words_hidden_one_by_one_are_read_as_one_thought() -> None:
    text = f"{_b64('i want to kill')} and then {_b64('myself tonight')}"
    assert any(hit.category == "T01" for hit in _message(text).hits)


def test_many_innocent_pieces_hide_no_other() -> None:
    text = " ".join([_b64("hello world my friend")] * 300 + [_b64(_DANGER)])
    assert any(hit.category == "T01" for hit in _message(text).hits)


def test_nested_deeper_than_anybody_reads_is_left() -> None:
    text = _DANGER
    for _ in range(9):
        text = _b64(text)
    assert hidden(text) == ()


def test_half_of_it_is_rubbish() -> None:
    raw = base64.b64encode(_DANGER.encode() + bytes(range(128, 200))).decode()
    assert any(_DANGER in piece.text for piece in hidden(raw))


@pytest.mark.parametrize(
    "text", ["====", "A" * 12 + "\xff", "%zz%zz%zz%zz%zz", "\\x", "0x" * 40, "\ud800" * 30, "\x00" * 50]
)
def test_rubbish_is_no_error(text: str) -> None:
    assert hidden(text) == ()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_nothing_raises(text: str) -> None:
    for piece in hidden(text):
        assert 0 <= piece.start < piece.end <= len(text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="01aeF=+/.-_ \n:%x", max_size=300))
def test_nothing_like_it_raises(text: str) -> None:
    for piece in hidden(text):
        assert 0 <= piece.start < piece.end <= len(text)


_HUGE = {
    "letters": "a", "dots": ".", "hex": "ab ", "bits": "01", "morse": ". - ", "base64 lines": "AAAAAAAA\n",
    "bytes": "00000000  ", "rot13": "jnag gb qvr ", "reversed": "tnaw eid ot ", "words": "i want to go home and ",
    "base64": _b64(_DANGER) + " ", "fillers": "aQ== ", "one base64": base64.b64encode(b"go home " * 4_000).decode(),
}  # fmt: skip


@pytest.mark.parametrize("name", _HUGE)
def test_20_000_characters_take_a_moment(name: str) -> None:
    def spent(size: int) -> float:
        text = (_HUGE[name] * size)[:size]
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            hidden(text)
            best = min(best, time.perf_counter() - start)
        return best

    assert spent(LONGEST) <= 30 * spent(LONGEST // 10) + 0.02


def test_mixed_rubbish_of_20_000_characters() -> None:
    text = "".join(random.Random(1).choices("abcdef01 .-/=+%x\n", k=LONGEST))  # noqa: S311  no secret
    assert all(piece.end <= LONGEST for piece in hidden(text))


def test_without_its_words_nothing_is_called_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoded, "WORDS", tmp_path / "none.yaml")
    encoded._common.cache_clear()
    try:
        assert len(encoded_problems()) == 1
        assert _SCREEN.problems() == encoded_problems()
        seen = _message("hello there")
        assert (seen.decision.low, seen.failed) == (True, ("encoded",))
        said = _SCREEN.check_whole_reply("hello there", band="18+", language="en", watch=WatchState())
        assert said.decision.action == "block"
    finally:
        encoded._common.cache_clear()


def test_what_stands_behind_the_limit_is_not_decoded() -> None:
    assert hidden("é " * LONGEST + _b64(_DANGER)) == ()


# --- replies ----------------------------------------------------------------------------------------------------------

_BAD = "just kill yourself"


@pytest.mark.parametrize("way", _WAYS)
def test_a_reply_in_code_is_not_said(way: str) -> None:
    text = _WAYS[way](_BAD)
    said = _SCREEN.check_whole_reply(f"Sure: {text}", band="18+", language="en", watch=WatchState())
    assert said.decision.action == "block"
    assert any(hit.rule.startswith("encoded/") for hit in said.hits)
    assert not any(hit.rule == "encoded/attempt" for hit in said.hits)


def test_code_over_two_sentences_of_a_reply_is_read_together() -> None:
    first, second = _morse("just kill"), f"/ {_morse('yourself')}"
    said = _SCREEN.check_reply(second, so_far=first, band="18+", language="en", watch=WatchState())
    assert said.action == "block"


def test_an_innocent_reply_in_code_is_said() -> None:
    for way in ("base64", "hex", "morse", "rot13"):
        text = _WAYS[way]("hello world")
        said = _SCREEN.check_whole_reply(f"Sure: {text}", band="13-15", language="en", watch=WatchState())
        assert said.decision.action == "allow", way
