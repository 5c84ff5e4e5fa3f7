"""The nonce walk: what a teen types, or is told, stands on no page of anybody else, in no mail, log, row or file.

Words that exist nowhere else are typed in every way there is, and then looked for everywhere (the same walk on
PostgreSQL, Redis and Celery: tests/service/test_nonce_walk.py).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings as django_settings
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from chatbot.accounts.models import GuardianAlert, User
from chatbot.chat import engine, talk
from chatbot.chat.frames import Notice
from chatbot.chat.models import Message
from chatbot.chat.remembered import lesson_of
from chatbot.chat.report import message_report
from chatbot.core import clock, jobs
from companion.memory import services as memory
from companion.profile.services import companion_shape
from moderation.incidents.models import Incident
from tests.chat.house import answered, says
from tests.contracts import nonces
from tests.contracts.cast import ROLES, Cast, cast_make, saved, table
from tests.contracts.test_matrix import LIVE, asked
from tests.me.copies import copy_of

pytestmark = pytest.mark.django_db(transaction=True)
OTHERS = [role for role in ROLES if role != "maya"]
TURN = async_to_sync(answered)


@dataclass(frozen=True)
class Lived:
    """The cast after an afternoon of Maya's, and what the process printed and logged meanwhile."""

    cast: Cast
    maya: User
    said: str
    waited: str


@pytest.fixture
def lived(settings: Settings, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[Lived]:
    caplog.set_level(logging.DEBUG)
    settings.EMAIL_URL = "smtp://mail.example"
    settings.METRICS_TOKEN = "a-token"
    says(f"{nonces.REPORTED} is a fine word.", 0)
    cast = cast_make()
    maya, ana = cast.people["maya"], cast.people["ana"]
    ana.email = "ana@example.org"
    ana.save(update_fields=["email"])
    GuardianAlert.objects.update(seen_at=clock.now())  # the cast's own: another call for help is told again
    companion_shape(owner_id=maya.id, name=nonces.NAMED, colour="leaf", playful=1, curious=2, gentle=3)
    TURN(maya, f"we won the {nonces.SUMMED} game today")
    clock.move_to(clock.now() + timedelta(hours=1))
    _, reply = TURN(maya, f"the {nonces.ORDINARY} rehearsal went sideways")
    assert nonces.REPORTED in reply
    turn, _ = TURN(maya, f"i love {nonces.REMEMBERED}")
    message = Message.objects.filter(owner_id=maya.id, author="companion").order_by("-id").first()
    assert message is not None
    message_report(person=maya, message_id=message.id, reason="wrong")
    client = cast.client("maya")
    client.get("/chat/search/", {"q": nonces.SEARCHED})
    waited = str(jobs._waiting)
    jobs.drain()
    slip = lesson_of(turn.id)
    assert isinstance(slip, Notice)
    assert nonces.REMEMBERED in slip.body
    remembered = next(
        one for one in memory.memory_list(owner_id=maya.id, language="en") if nonces.REMEMBERED in one.text
    )
    client.post(f"/me/memory/{remembered.id}/", {"value": nonces.CORRECTED})
    TURN(maya, f"i love {nonces.OFF_RECORD}", off_record=True)
    file = SimpleUploadedFile("memory.json", json.dumps(saved(nonces.IMPORTED)).encode())
    assert client.post("/me/memory/import/", {"file": file}).status_code == 200
    TURN(maya, f"im going to kill myself, {nonces.DANGER} night")
    waited += str(jobs._waiting)
    jobs.drain()
    printed = capfd.readouterr()
    yield Lived(cast, maya, printed.out + printed.err + caplog.text, waited)
    async_to_sync(talk.turns_release)()
    async_to_sync(engine.engines_close)()


def pages(cast: Cast, role: str) -> Iterator[str]:
    """Every address with both methods, asked as that role."""
    for method, address in table():
        if method == "SEND" or (method, address) in LIVE:
            continue
        response = asked(cast, role, method, address, cast.hers)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        where = f"{method} {address} as {role}"
        yield from nonces.found_in(where, body)
        yield from nonces.found_in(where, response.headers)


def test_the_words_are_where_they_belong(lived: Lived) -> None:
    client = lived.cast.client("maya")
    texts = [row.body for row in Message.objects.filter(owner_id=lived.maya.id)]
    assert any(nonces.ORDINARY in text for text in texts)
    assert any(nonces.DANGER in text for text in texts)
    assert f"“we won the {nonces.SUMMED} game today”" in client.get("/me/memory/").content.decode()
    for kept in (nonces.CORRECTED, nonces.IMPORTED):
        assert kept in client.get("/me/memory/").content.decode()
    assert nonces.OFF_RECORD not in client.get("/me/memory/").content.decode()
    assert list(nonces.found_in("her own page", client.get("/me/memory/").content))
    assert nonces.NAMED in client.get("/me/").content.decode()
    copy = copy_of(client)
    assert [word for word in nonces.WORDS if word not in copy] == [nonces.SEARCHED]
    assert {nonces.DANGER, nonces.REPORTED} <= {
        word for row in Incident.objects.all() for word in nonces.WORDS if word in (row.excerpt or "")
    }
    assert GuardianAlert.objects.filter(link__teen=lived.maya, held=False, seen_at=None).count() == 1
    assert [letter.to for letter in mail.outbox] == [["ana@example.org"]]


def test_on_no_page_of_anybody_else_and_in_nobody_else_s_copy(lived: Lived) -> None:
    strays = []
    for role in OTHERS[1:]:
        for form in ("json", "html"):
            strays += nonces.found_in(f"the copy of {role}", copy_of(lived.cast.client(role), form))
    for role in OTHERS:  # after the copies: one of the pages is the one that deletes the account
        strays += pages(lived.cast, role)
    assert not strays


def test_in_no_mail_log_job_event_measure_row_or_file(lived: Lived) -> None:
    strays = list(nonces.found_in("a job", lived.waited))
    strays += nonces.found_in("the log", lived.said)
    for letter in mail.outbox:
        strays += nonces.found_in("a mail", letter.message().as_bytes())
    client = Client(headers={"authorization": "Bearer a-token"})
    measures = client.get("/metrics")
    assert measures.status_code == 200
    strays += nonces.found_in("/metrics", measures.content)
    strays += nonces.found_in("/ready", client.get("/ready").content)
    layer: Any = get_channel_layer()
    for name, queue in layer.channels.items():
        strays += nonces.found_in("an event", [name, *list(queue._queue)])
    copy_of(lived.cast.client("maya"))  # her own copy lies there sealed, too
    strays += nonces.in_rows()
    strays += nonces.in_local_cache()
    strays += nonces.in_files(Path(django_settings.VAR_DIR), Path(django_settings.BASE_DIR) / "chatbot" / "static")
    assert not strays


def test_on_no_page_that_says_what_went_wrong(
    lived: Lived,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    typed = {"name": nonces.NAMED, "colour": "leaf", "playful": "1", "curious": "2", "gentle": "3"}
    stale = lived.cast.client("maya", checks=True).post("/chat/friend/", typed)
    assert stale.status_code == 403

    def broken(**_: object) -> None:
        raise RuntimeError("it broke")

    monkeypatch.setattr("chatbot.chat.pages.companion_shape", broken)
    client = lived.cast.client("maya")
    client.raise_request_exception = False
    wrong = client.post("/chat/friend/", typed)
    assert wrong.status_code == 500
    strays = [*nonces.found_in("403", stale.content), *nonces.found_in("500", wrong.content)]
    printed = capfd.readouterr()
    strays += nonces.found_in("the log of an error", printed.out + printed.err + caplog.text)
    assert not strays
    assert len(mail.outbox) == 1  # the alert's; no error is mailed to anybody
