"""The protocol abraco.v1: every frame of both directions, and the one place where bytes become frames."""

from __future__ import annotations

import json
import unicodedata
import uuid
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from chatbot.core.text import text_clean

SUBPROTOCOL = "abraco.v1"
FRAME_BYTES = 64 * 1024
FRAME_DEPTH = 8
MESSAGE_CHARS = 4000
EMOJI = ("❤️", "😂", "😮", "😢", "👍", "👎")


class BadFrame(Exception):
    """A frame that can't be read. `field` says where, the sentence what to do."""

    def __init__(self, code: str, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.field, self.sentence = code, field, sentence


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def too_long() -> str:
    """What somebody reads whose message is too long."""
    return _("A message has at most {most} characters. Nothing was sent; it's still in your box.").format(
        most=MESSAGE_CHARS
    )


def nothing_to_read() -> str:
    """What somebody reads whose message has no letter, number or sign in it."""
    return _("There's nothing to read in this message. Nothing was sent.")


def text_check(text: str) -> str:
    """A message as it will be stored. Raises ValueError for one with nothing to read in it."""
    text = text_clean(text).strip()
    if not any(unicodedata.category(char)[0] in "LNPS" and char != "\ufffd" for char in text):
        raise ValueError("the message is empty")
    return text


def _cleaned(value: object) -> object:
    return text_clean(value) if isinstance(value, str) else value


Text = Annotated[str, Field(max_length=MESSAGE_CHARS), BeforeValidator(_cleaned)]


class Seen(_Frame):
    turn: uuid.UUID
    seq: int = Field(ge=0)


class Hello(_Frame):
    """The first frame. `ticket` is for widgets, with the site and the origin that the page stands in."""

    type: Literal["hello"]
    ticket: str | None = Field(default=None, max_length=512)
    site: str = Field(default="", max_length=64)
    origin: str = Field(default="", max_length=255)
    conversation: uuid.UUID | None = None
    seen: Seen | None = None


class Say(_Frame):
    """`off_record`: nothing of it is remembered; it is still checked for danger. Counts where memory is on."""

    type: Literal["say"]
    client_id: uuid.UUID
    text: Text
    off_record: bool = False

    _check = field_validator("text")(text_check)


class Stop(_Frame):
    type: Literal["stop"]
    turn: uuid.UUID


class Again(_Frame):
    type: Literal["again"]
    turn: uuid.UUID


class Edit(_Frame):
    """`off_record`: from now on the message is. One that was stays so."""

    type: Literal["edit"]
    message: uuid.UUID
    text: Text
    off_record: bool = False

    _check = field_validator("text")(text_check)


class React(_Frame):
    type: Literal["react"]
    message: uuid.UUID
    emoji: Literal["❤️", "😂", "😮", "😢", "👍", "👎", ""]


class Report(_Frame):
    type: Literal["report"]
    message: uuid.UUID
    reason: Literal["unkind", "unsafe", "wrong", "other"]


class Ack(_Frame):
    type: Literal["ack"]
    kind: Literal["break", "deal", "disclosure"]


class Ping(_Frame):
    type: Literal["ping"]


ClientFrame = Annotated[Hello | Say | Stop | Again | Edit | React | Report | Ack | Ping, Field(discriminator="type")]
_client: TypeAdapter[ClientFrame] = TypeAdapter(ClientFrame)


class DrawingView(_Frame):
    """A drawing of itself that the companion sent: the file's name, and its caption."""

    name: str
    caption: str


class MessageView(_Frame):
    """`again`: false where another answer was asked for and there is none."""

    id: uuid.UUID
    author: Literal["user", "companion"]
    text: str
    at: str
    turn: uuid.UUID | None
    reactions: list[str]
    state: Literal["current", "replaced"]
    drawing: DrawingView | None = None
    off_record: bool = False
    again: bool = True


class CompanionView(_Frame):
    name: str
    colour: str
    mood: str
    ai_label: str


class LimitsView(_Frame):
    """`memory`: whether anything is remembered; only then is there an off the record."""

    max_chars: int
    minutes_left: int | None
    memory: bool = False


class Disclosure(_Frame):
    title: str
    body: str


class OpenTurn(_Frame):
    turn: uuid.UUID
    seq: int


class Ready(_Frame):
    type: Literal["ready"] = "ready"
    conversation: uuid.UUID
    messages: list[MessageView]
    companion: CompanionView
    limits: LimitsView
    disclosure: Disclosure
    turn: OpenTurn | None


class Accepted(_Frame):
    type: Literal["accepted"] = "accepted"
    client_id: uuid.UUID
    message: uuid.UUID
    turn: uuid.UUID
    off_record: bool = False


class DeltaFrame(_Frame):
    type: Literal["delta"] = "delta"
    turn: uuid.UUID
    seq: int
    text: str


class Done(_Frame):
    """`again`: false where another answer was asked for and there is none: it is one of those before."""

    type: Literal["done"] = "done"
    turn: uuid.UUID
    message: uuid.UUID | None
    finish: Literal["complete", "stopped", "withheld", "crisis", "failed"]
    suggestions: list[str]
    mood: str | None = None
    skill: str | None = None
    drawing: DrawingView | None = None
    again: bool = True


class NoticeAction(_Frame):
    """`value`: what an ack is sent with; a number or an address; of undo, the message whose lesson is to be forgotten
    by a POST to /me/memory/told/<value>/forget/."""

    kind: Literal["ack", "call", "text", "web", "undo"]
    label: str
    value: str


NoticeKind = Literal["disclosure", "break", "limit", "quiet_hours", "crisis_card", "safety_tip", "guardian", "memory"]


class Notice(_Frame):
    type: Literal["notice"] = "notice"
    kind: NoticeKind
    title: str
    body: str
    actions: list[NoticeAction] = []
    data: dict[str, Any] | None = None


class ErrorFrame(_Frame):
    type: Literal["error"] = "error"
    code: str
    message: str
    retry_after: int | None = None


class Pong(_Frame):
    type: Literal["pong"] = "pong"


ServerFrame = Annotated[Ready | Accepted | DeltaFrame | Done | Notice | ErrorFrame | Pong, Field(discriminator="type")]


def depth_ok(text: str) -> bool:
    """Whether no bracket is nested deeper than any frame needs. Counted before parsing, without recursion."""
    depth, quoted, escaped = 0, False, False
    for char in text:
        if quoted:
            quoted, escaped = (char != '"' or escaped), (char == "\\" and not escaped)
        elif char == '"':
            quoted = True
        elif char in "[{":
            depth += 1
            if depth > FRAME_DEPTH:
                return False
        elif char in "]}":
            depth -= 1
    return True


def frame_read(text: str) -> ClientFrame:
    """One frame from its text. Raises BadFrame, with the field that is wrong."""
    if not depth_ok(text):
        raise BadFrame("bad_frame", "", "This frame is nested too deeply.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFrame("bad_frame", "", "This frame is not JSON.") from None
    if not isinstance(data, dict):
        raise BadFrame("bad_frame", "", "A frame is a JSON object with a type.")
    try:
        return _client.validate_python(data, strict=False)
    except ValidationError as error:
        raise _bad(error) from None


def text_of(text: str) -> str:
    """The message in a frame that was read as far as a `too_long`; empty where there is none."""
    data = json.loads(text)
    found = data.get("text") if isinstance(data, dict) else None
    return text_clean(found) if isinstance(found, str) else ""


def _bad(error: ValidationError) -> BadFrame:
    # DANGER: `input` and `ctx` of pydantic's errors hold what was typed; only the place and the kind leave here.
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    field = place.rpartition(".")[2]
    if first["type"] == "string_too_long" and field == "text":
        return BadFrame("too_long", place, too_long())
    if first["type"] == "value_error" and field == "text":
        return BadFrame("empty", place, nothing_to_read())
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return BadFrame("unknown_type", "type", "There is no frame of this type.")
    return BadFrame("bad_frame", place, f"The field {place} is not as it should be.")


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON schemas of both directions, as written to docs/protocol/."""
    server: TypeAdapter[ServerFrame] = TypeAdapter(ServerFrame)
    return {"client": _client.json_schema(), "server": server.json_schema()}
