"""What the widget's tests share: the example host's own few lines that sign, and the frame's two requests."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.http import HttpResponse
from django.test import Client

from chatbot.core import clock
from chatbot.widget.sites import NewSecret, site_add
from tests.widget.example import example

ORIGIN = "https://school.example"


def made(**changes: Any) -> NewSecret:
    return site_add(**{"name": "Northside School", "origins": [ORIGIN], **changes})


def signed(site: NewSecret, **changes: Any) -> str:
    """An identity as a host makes it, by this process's clock; None leaves a claim out."""
    claims = {
        "sub": "student-1", "aud": site.site.public_key, "exp": int(clock.now().timestamp()) + 120,
        "nonce": uuid.uuid4().hex, "band": "13-15", "country": "US", "region": "US-CA", "tz": "UTC", **changes,
    }  # fmt: skip
    text: str = example.sign(site.secret, {name: value for name, value in claims.items() if value is not None})
    return text


def ask(name: str, *, headers: dict[str, str] | None = None, **fields: Any) -> HttpResponse:
    """POST as the frame's page does."""
    given = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"} if headers is None else headers
    return Client(enforce_csrf_checks=True).post(
        f"/widget/v1/{name}", json.dumps(fields), content_type="application/json", headers=given
    )


def admitted(site: NewSecret, *, token: str | None = None, origin: str = ORIGIN, **claims: Any) -> HttpResponse:
    token = signed(site, **claims) if token is None else token
    return ask("ticket", site=site.site.public_key, origin=origin, identity=token)


def ticket(site: NewSecret, **claims: Any) -> str:
    response = admitted(site, **claims)
    assert response.status_code == 200, response.content
    got: str = response.json()["ticket"]
    return got
