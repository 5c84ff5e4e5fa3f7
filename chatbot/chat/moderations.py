"""POST /api/v1/moderations: the screen for other programs, in the shape of OpenAI's moderation API.

By a key of the operator's: no session, no cookie, no CSRF. Nothing is stored, and nothing of a text is logged.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.db import DatabaseError
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.security import HttpBearer
from pydantic import ConfigDict, Field, WithJsonSchema

from chatbot.chat import api_door as door
from chatbot.chat.models import ModerationKey
from chatbot.chat.moderation_keys import key_find
from chatbot.core import clock, ratelimit
from chatbot.core.ids import new_id
from moderation import screen
from moderation.as_openai import result_of
from moderation.detectors.classifier.weights import WeightsError
from moderation.detectors.language import language_likely
from moderation.lines import MOST_CHARS
from moderation.policy import PolicyError
from moderation.types import WatchState

MOST_INPUTS = 32
TEXTS_A_MINUTE = 600
CHARS_A_TEXT = 2000  # a longer one counts for several: whoever chats here waits for the same encoder

_TEXT = {"type": "string", "maxLength": MOST_CHARS}
_PART = {
    "type": "object",
    "properties": {"type": {"const": "text"}, "text": _TEXT},
    "required": ["type", "text"],
    "additionalProperties": False,
}
_INPUT = {
    "description": "A text, several texts, or the text parts of one message.",
    "anyOf": [
        _TEXT,
        {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": MOST_INPUTS},
        {"type": "array", "items": _PART, "minItems": 1, "maxItems": MOST_INPUTS},
    ],
}


class ModerationsIn(Schema):
    """`model` may be named, and there is one."""

    model_config = ConfigDict(extra="forbid")
    # Read by texts_of, whose no says more than a union's.
    input: Annotated[Any, WithJsonSchema(_INPUT)]
    model: str | None = Field(default=None, max_length=200)


class Ours(Schema):
    action: Literal["allow", "support", "warn", "refuse", "block", "crisis"]
    severity: int
    level: Literal["L0", "L1", "L2", "L3", "L4"] | None
    playbook: str | None
    categories: list[str]
    scores: dict[str, float]
    spans: list[tuple[int, int, str]]
    policy: str
    lang: str


class Result(Schema):
    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[str]]
    abraco: Ours


class ModerationsOut(Schema):
    id: str
    model: str
    results: list[Result]


class Wrong(Schema):
    """A no, as OpenAI says it."""

    message: str
    type: str
    param: str | None
    code: str


class WrongOut(Schema):
    error: Wrong


class KeyGiven(HttpBearer):
    """`Authorization: Bearer mk_...`. Asked before the body is looked at."""

    def __call__(self, request: HttpRequest) -> ModerationKey:
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        key = self.authenticate(request, secret.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            sentence = "This needs a key: Authorization: Bearer mk_... The operator makes one by moderation_key."
            raise door.Refusal(401, "invalid_api_key", sentence)
        door.body_check(request)
        return key

    def authenticate(self, request: HttpRequest, token: str) -> ModerationKey | None:
        try:
            return key_find(token)
        except DatabaseError:
            raise _away() from None


router = Router(auth=KeyGiven())


@router.post(
    "",
    response={200: ModerationsOut, **dict.fromkeys((400, 401, 413, 415, 422, 429, 503), WrongOut)},
    summary="Screen texts, in the shape of OpenAI's moderation API (with a key)",
)
def moderations(request: HttpRequest, given: ModerationsIn) -> Any:
    """Each text is read by itself, as a message of somebody whose age nobody knows. Nothing is stored."""
    texts = texts_of(given.input)
    key: ModerationKey = request.auth  # type: ignore[attr-defined]  # ninja puts there what `auth` found
    wait = ratelimit.allowed(f"moderations:{key.id}", most=TEXTS_A_MINUTE, per_s=60, counts=_effort(texts))
    if wait:
        raise door.Refusal(429, "rate_limit_exceeded", _too_fast(wait), retry_after=wait)
    house = _house()
    return {
        "id": f"modr-{new_id().hex}",
        "model": f"abraco-{house.policy.version}",
        "results": [_result(house, text) for text in texts],
    }


def _effort(texts: list[str]) -> int:
    return sum(1 + len(text) // CHARS_A_TEXT for text in texts)


def _house() -> screen.Screen:
    """The screen, while it can look at everything. Half of it would call things fine that nobody looked at."""
    try:
        house = screen.house()
    except (PolicyError, WeightsError):
        raise _away() from None
    if house.problems() or house.classifier_problem():
        raise _away()
    return house


def _result(house: screen.Screen, text: str) -> dict[str, Any]:
    language = language_likely(text)
    found = house.check_message(text, band=None, language=language, watch=WatchState(), now=clock.now())
    if found.failed:
        raise _away()
    return result_of(found)


def texts_of(given: object) -> list[str]:
    """What is to be screened. Raises door.Refusal, in which no word of it stands."""
    several = given if isinstance(given, list) else [given]
    if not several:
        raise _refused("empty", "input is empty. Send at least one text.")
    if len(several) > MOST_INPUTS:
        raise _refused("too_many", f"input has more than {MOST_INPUTS} texts.")
    if all(isinstance(one, str) for one in several):
        texts = [str(one) for one in several]
    elif isinstance(given, list) and all(isinstance(part, dict) for part in given):
        texts = [" ".join(_text_of(part) for part in given)]  # one message, in parts: together it means more
    else:
        raise _refused("bad_field", "input is a text, a list of texts, or a list of parts of the type text.")
    if any(len(text) > MOST_CHARS for text in texts):
        raise _refused("too_long", f"A text may have up to {MOST_CHARS} characters.")
    # Half of a pair of surrogates is no character: one for one, so that spans fit.
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def _text_of(part: dict[str, Any]) -> str:
    if part.get("type") != "text":
        raise _refused("only_text", "Only parts of the type text are read here, no pictures.")
    if not isinstance(part.get("text"), str):
        raise _refused("bad_field", "Each part of the type text has a text.")
    return str(part["text"])


def _refused(code: str, sentence: str) -> door.Refusal:
    return door.Refusal(422, code, sentence, field="input")


def _away() -> door.Refusal:
    sentence = "The safety layer can't be used right now. Nothing was screened: don't take this for a yes."
    return door.Refusal(503, "unavailable", sentence)


def _too_fast(wait: int) -> str:
    return f"Too many texts. Try again in {wait} s."
