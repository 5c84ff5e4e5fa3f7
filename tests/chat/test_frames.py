from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.chat import frames

ID = "3f0c1f62-8a51-4c1e-9d5e-5f1f4f0f7a11"


def bad(text: str) -> frames.BadFrame:
    with pytest.raises(frames.BadFrame) as caught:
        frames.frame_read(text)
    assert caught.value.sentence
    return caught.value


def outcome(text: str) -> str:
    try:
        frames.frame_read(text)
    except frames.BadFrame as error:
        return error.code
    return "a frame"


def say(text: object, **more: object) -> str:
    return json.dumps({"type": "say", "client_id": ID, "text": text, **more})


def test_each_frame_of_the_protocol_is_read() -> None:
    for frame in (
        {"type": "hello"},
        {"type": "hello", "conversation": ID, "seen": {"turn": ID, "seq": 3}},
        {"type": "stop", "turn": ID},
        {"type": "again", "turn": ID},
        {"type": "edit", "message": ID, "text": "better"},
        {"type": "react", "message": ID, "emoji": "👍"},
        {"type": "report", "message": ID, "reason": "unkind"},
        {"type": "ack", "kind": "break"},
        {"type": "ping"},
    ):
        assert frames.frame_read(json.dumps(frame)).type == frame["type"]


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("not json", "bad_frame", ""),
        ("[]", "bad_frame", ""),
        ("3", "bad_frame", ""),
        ('"hello"', "bad_frame", ""),
        ("{}", "unknown_type", "type"),
        ('{"type": "shout"}', "unknown_type", "type"),
        ('{"type": 7}', "unknown_type", "type"),
        (say("hi", extra=1), "bad_frame", "say.extra"),
        (say(7), "bad_frame", "say.text"),
        (say(""), "empty", "say.text"),
        (say("   \n\t "), "empty", "say.text"),
        (say("\u0301\u0302"), "empty", "say.text"),
        (say("\u202e\u200f\u2066"), "empty", "say.text"),
        (say("\x00\x00"), "empty", "say.text"),
        (say("a" * 4001), "too_long", "say.text"),
        (say("a" * 100_000), "too_long", "say.text"),
        ('{"type": "say", "client_id": "7", "text": "hi"}', "bad_frame", "say.client_id"),
        ('{"type": "react", "message": "' + ID + '", "emoji": "🍆"}', "bad_frame", "react.emoji"),
        ("[" * 10_000 + "]" * 10_000, "bad_frame", ""),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "bad_frame", ""),
    ],
)
def test_a_bad_frame_says_which_field_is_wrong(text: str, code: str, field: str) -> None:
    error = bad(text)
    assert (error.code, error.field) == (code, field)


def test_4000_characters_and_an_emoji_alone_are_messages() -> None:
    assert len(frames.frame_read(say("a" * 4000)).text) == 4000  # type: ignore[union-attr]  # a say frame
    assert frames.frame_read(say(" 🐈 ")).text == "🐈"  # type: ignore[union-attr]  # a say frame


def test_an_error_never_repeats_what_was_typed() -> None:
    secret = "my secret " * 500
    assert "secret" not in str(bad(say(secret))) + bad(say(secret)).field


@given(st.text(max_size=300))
def test_any_text_is_a_frame_or_a_bad_frame(text: str) -> None:
    assert outcome(text) in ("a frame", "bad_frame", "unknown_type", "empty", "too_long")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=20,
    )
)
def test_any_json_is_a_frame_or_a_bad_frame(data: object) -> None:
    assert outcome(json.dumps(data)) in ("a frame", "bad_frame", "unknown_type", "empty", "too_long")
