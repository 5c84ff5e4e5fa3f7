"""The door of /api/v1: who is there, how large a body may be, and how every no is said."""

from __future__ import annotations

import json
from typing import Annotated, Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as Invalid
from ninja.parser import Parser as NinjaParser
from ninja.security import APIKeyCookie
from pydantic import Field

from chatbot.accounts import gate
from chatbot.accounts.adapter import LOCK
from chatbot.accounts.key_missing import CODE, key_sentence
from chatbot.accounts.models import User
from chatbot.chat import frames, services, talk
from chatbot.core import ratelimit
from chatbot.core.keys import KeyMissing

BODY_BYTES = 64 * 1024
# 20,000 characters, each of which JSON may write in twelve bytes.
MODERATE_BYTES = 256 * 1024
MODERATIONS = "/api/v1/moderations"
# 32 texts of 20,000 characters, in four bytes each.
MODERATIONS_BYTES = 2560 * 1024
PER_MINUTE = 300

Seq = Annotated[int, Field(ge=0, le=10_000)]


class Refusal(Exception):
    """A no, with its status."""

    def __init__(
        self, status: int, code: str, sentence: str, *, field: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.sentence = status, code, sentence
        self.field, self.retry_after = field, retry_after


def answer(refusal: Refusal, path: str) -> HttpResponse:
    """The refusal as it goes out at that address."""
    said = {
        "code": refusal.code,
        "message": refusal.sentence,
        "field": refusal.field,
        "retry_after": refusal.retry_after,
    }
    response = JsonResponse(_as_openai(refusal) if path == MODERATIONS else said, status=refusal.status)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _as_openai(refusal: Refusal) -> dict[str, Any]:
    """The same no, as OpenAI's clients read it."""
    kind = {401: "authentication_error", 429: "rate_limit_error", 503: "server_error"}
    return {
        "error": {
            "message": refusal.sentence,
            "type": kind.get(refusal.status, "invalid_request_error"),
            "param": refusal.field,
            "code": refusal.code,
        }
    }


def missing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """An address of the API that there is not."""
    refusal = Refusal(404, "not_found", _("There is nothing here. The addresses are in /api/v1/openapi.json."))
    return answer(refusal, request.path)


def staff_only() -> str:
    return _("This is for moderators and operators.")


def too_late() -> str:
    return _("That can't be done with this one any more.")


def bad_field(name: str) -> str:
    return _("The field {name} is not as it should be.").format(name=name)


def away(cause: Exception) -> Refusal:
    """What is not there: the person's own key, or the database."""
    if isinstance(cause, KeyMissing):
        return Refusal(503, CODE, key_sentence(cause))
    sentence = _("I can't save messages right now, so nothing was sent. Try again in a minute.")
    return Refusal(503, "not_stored", sentence, retry_after=30)


def refusal_of(refusal: gate.Refused) -> Refusal:
    """A gate's no with its status. What is somebody else's answers like what is not there."""
    if isinstance(refusal, talk.TooFast):
        return Refusal(429, refusal.code, refusal.sentence(), retry_after=refusal.wait_s)
    if isinstance(refusal, gate.SignedOut):
        return Refusal(401, refusal.code, refusal.sentence())
    if isinstance(refusal, services.NotYours) or type(refusal) is gate.Refused:
        return Refusal(404, "not_found", _("There is no such thing of yours here."))
    return Refusal(403, refusal.code, refusal.sentence())


def of_http(error: HttpError) -> Refusal:
    """What ninja itself refuses."""
    cause = error.__cause__
    if isinstance(cause, Refusal):
        return cause
    if isinstance(error, AuthenticationError):
        return Refusal(401, gate.SignedOut.code, gate.SignedOut().sentence())
    if error.status_code == 403:
        sentence = _("This came without the page's own token. Send it as X-CSRFToken, then try again.")
        return Refusal(403, "csrf", sentence)
    return Refusal(400, "bad_json", _("This body is not JSON. Nothing was sent."))


def of_invalid(error: Invalid) -> Refusal:
    """A field that is wrong. DANGER: pydantic's errors hold what was typed; only the place leaves here."""
    place = [str(part) for part in error.errors[0].get("loc", ())]
    name = ".".join(place[2:] or place[-1:]) or "body"
    return Refusal(422, "bad_field", bad_field(name), field=name)


def body_check(request: HttpRequest) -> None:
    """Refuse a body that is too large or no JSON before anything reads it."""
    most = body_most(request.path)
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > most:
        raise too_large(most)
    if request.method == "POST" and length != "0" and length and request.content_type != "application/json":
        raise Refusal(415, "not_json", _("Send JSON, with Content-Type: application/json."))
    try:
        if len(request.body) > most:
            raise too_large(most)
    except RequestDataTooBig:
        raise too_large(most) from None


def body_most(path: str) -> int:
    """How many bytes a body sent to that address of the API may have."""
    if path == MODERATIONS:
        return MODERATIONS_BYTES
    return MODERATE_BYTES if path.endswith("/moderate") else BODY_BYTES


def too_large(most: int) -> Refusal:
    """A body of more than `most` bytes."""
    return Refusal(413, "too_large", _("That's more than {most} KiB. Nothing was sent.").format(most=most // 1024))


class Parser(NinjaParser):
    """JSON that is not nested deeper than anything here needs."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        text = request.body.decode("utf-8")
        if not frames.depth_ok(text):
            raise Refusal(400, "too_deep", _("This body is nested too deeply. Nothing was sent."))
        return cast(dict[str, Any], json.loads(text))


class SignedIn(APIKeyCookie):
    """The cookie of the pages, with their CSRF token for what changes something."""

    param_name: str = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> User | None:
        body_check(request)
        return cast("User | None", super().__call__(request))

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        person = request.user
        if not isinstance(person, User) or not person.is_active or request.session.get(LOCK):
            return None
        # Messages have their own pace, after danger was looked for.
        if not request.path.endswith("/messages"):
            wait = ratelimit.allowed(f"api:{person.id}", most=PER_MINUTE, per_s=60)
            if wait:
                raise talk.TooFast(wait)
        return person
