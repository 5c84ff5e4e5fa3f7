"""The YAML format of a bank file, parsed at the door. The words of each field are described in docs/bank.md.

Every scalar is read as a string (`no` is a word that teenagers write, not a boolean).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from companion.types import About, Band, Does, Mood, PersonaId, Tone

Act = Literal[
    "greeting", "farewell", "farewell_night", "thanks", "laugh", "agree", "disagree", "shrug", "are_you_real",
    "love_you", "insult", "compliment", "sorry", "bored", "ask_me_something", "tell_joke", "what_can_you_do",
    "who_are_you", "how_are_you", "not_understood", "not_understood_twice", "change_topic", "silence",
    "what_about_you", "why", "keyboard_mash", "test_me", "fact_question", "remember_thanks", "memory_off_hard",
    "good_news", "bad_news", "listening", "tells_name", "tells_pet", "tells_person", "confused", "confused_again",
    "knock_knock", "knock_who", "their_riddle", "their_punchline", "your_turn", "either_or", "should_i", "do_you_like",
    "do_you_ever", "why_you", "what_means", "facts", "how_to", "sum",
]  # fmt: skip
ACTS: tuple[str, ...] = get_args(Act)
# Said only where the message is that act.
ACTS_ASKED_FOR = frozenset(ACTS) - {"greeting", "good_news", "bad_news", "how_are_you", "bored"}
# What the engine does where the bank has no exchange (engines/embedded/moves).
MOVES = frozenset(
    {
        "confused", "confused_again", "knock_knock", "knock_who", "their_riddle", "their_punchline", "your_turn",
        "either_or", "should_i", "do_you_like", "do_you_ever", "why_you", "what_means", "facts", "how_to", "sum",
    }
)  # fmt: skip
# These are picked by the engine's own rules, so they may have nothing under `said`.
ACTS_WITHOUT_SAID = (
    frozenset(
        {
            "not_understood",
            "not_understood_twice",
            "change_topic",
            "silence",
            "keyboard_mash",
            "listening",
            "tells_name",
            "tells_pet",
            "tells_person",
        }
    )
    | MOVES
)


def _listed(value: Any) -> Any:
    """An empty field and a single string are both lists in spirit."""
    if value == "" or value is None:
        return []
    return [value] if isinstance(value, str | dict) else value


Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_listed)]


class ReplyForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, Field(min_length=1)]
    tone: Tone = "plain"
    mood: Annotated[tuple[Mood, ...], BeforeValidator(_listed)] = ()
    band: Annotated[tuple[Band, ...], BeforeValidator(_listed)] = ()
    chips: Words = ()


def _reply(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


Reply = Annotated[ReplyForm, BeforeValidator(_reply)]
Replies = Annotated[tuple[Reply, ...], BeforeValidator(_listed)]


class FollowForm(BaseModel):
    """One `then`: what may be answered to the companion's question, and what comes next."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    said: Annotated[Words, Field(min_length=1)]
    replies: Annotated[Replies, Field(min_length=1)]
    then: Annotated[tuple[FollowForm, ...], BeforeValidator(_listed)] = ()
    otherwise: Replies = ()


class ExchangeForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    said: Words = ()
    replies: Annotated[Replies, Field(min_length=1)]
    then: Annotated[tuple[FollowForm, ...], BeforeValidator(_listed)] = ()
    otherwise: Replies = ()
    act: Act | None = None
    hears: Does | None = None


class FileForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    situation: Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$")]
    persona: PersonaId | None = None
    about: About | None = None
    exchanges: Annotated[tuple[ExchangeForm, ...], Field(min_length=1)]


def file_parse(content: bytes) -> FileForm:
    """Raises yaml.YAMLError (bad YAML) or pydantic.ValidationError (bad shape)."""
    return FileForm.model_validate(yaml.load(content, Loader=yaml.CBaseLoader))  # noqa: S506 (strings only: safe)


def problem_words(errors: Sequence[Any]) -> list[str]:
    """Pydantic's error list as short lines: where, then what."""
    return [f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in errors]
