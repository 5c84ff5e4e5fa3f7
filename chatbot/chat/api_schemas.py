"""What goes in and out of /api/v1."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from chatbot.chat.frames import MESSAGE_CHARS, DrawingView, MessageView, Notice
from moderation.lines import MOST_CHARS

WAIT_S = 25


class Problem(Schema):
    """Why not. `code` is for programs, `message` for people; `field` names what was wrong, never what stood in it."""

    code: str
    message: str
    field: str | None = None
    retry_after: int | None = None


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class Page(_In):
    before: uuid.UUID | None = None
    limit: int = Field(default=50, ge=1, le=50)


class ConversationOut(Schema):
    id: uuid.UUID
    last_at: datetime
    messages: int
    opening: str


class MessagesOut(Schema):
    messages: list[MessageView]
    more: bool


class SayIn(_In):
    client_id: uuid.UUID
    # The length is checked where danger was looked for first.
    text: str = Field(json_schema_extra={"maxLength": MESSAGE_CHARS})
    conversation: uuid.UUID | None = None
    wait: int = Field(default=0, ge=0, le=WAIT_S)
    off_record: bool = False


class SentenceOut(Schema):
    seq: int
    text: str


class TurnOut(Schema):
    turn: uuid.UUID
    done: bool
    finish: Literal["complete", "stopped", "withheld", "crisis", "failed"] | None
    message: uuid.UUID | None
    sentences: list[SentenceOut]
    suggestions: list[str]
    drawing: DrawingView | None = None
    notices: list[Notice]


class SaidOut(Schema):
    conversation: uuid.UUID | None = None
    message: uuid.UUID | None = None
    turn: uuid.UUID | None = None
    off_record: bool = False
    reply: TurnOut | None = None
    notices: list[Notice] = []


class ReportIn(_In):
    reason: Literal["unkind", "unsafe", "wrong", "other"]


class ReportOut(Schema):
    reported: bool


class BreakOut(Schema):
    ended: bool


class MemoryOut(Schema):
    id: uuid.UUID
    kind: str
    text: str
    since: datetime
    until: datetime | None


class SaidBefore(_In):
    who: Literal["user", "companion", "other"]
    text: str = Field(max_length=MOST_CHARS)


class ModerateIn(_In):
    id: str = Field(default="", max_length=200)
    text: str = Field(max_length=MOST_CHARS)
    lang: str | None = Field(default=None, max_length=16)
    history: list[SaidBefore] = Field(default=[], max_length=200)
    band: Literal["13-15", "16-17", "18+"] | None = None
    side: Literal["message", "reply"] = "message"


class ModerateOut(Schema):
    id: str
    action: Literal["allow", "support", "warn", "refuse", "block", "crisis"]
    severity: int
    level: Literal["L0", "L1", "L2", "L3", "L4"] | None
    playbook: str | None
    scores: dict[str, float]
    spans: list[tuple[int, int, str]]
    watch: list[str]
    lang: str
    policy: str
    ms: float
