"""/api/v1/moderations: OpenAI's shape, keys of the operator's, and nothing said where not everything could look."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import openai
import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from pytest_django.live_server_helper import LiveServer

from chatbot.chat.models import ModerationKey
from chatbot.chat.moderations import MOST_INPUTS, TEXTS_A_MINUTE
from chatbot.core import clock
from chatbot.core.database import in_database
from chatbot.core.models import AuditEntry
from moderation import screen
from moderation.as_openai import NAMES, result_of
from moderation.detectors.classifier.detector import Classifier
from moderation.detectors.rules import Rules
from moderation.lines import MOST_CHARS
from moderation.screening import Screen
from moderation.taxonomy import CATEGORIES
from moderation.types import Decision, Screening, WatchState
from tests.chat.house import database_away

PATH = "/api/v1/moderations"
DANGER = "i want to kill myself and im not joking"


def key(name: str = "school portal") -> str:
    out = io.StringIO()
    call_command("moderation_key", "create", name, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


class Program:
    """Somebody's program: a key, and no cookie."""

    def __init__(self, secret: str | None) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.headers = {} if secret is None else {"authorization": f"Bearer {secret}"}

    def post(self, body: object, kind: str = "application/json") -> Any:
        raw = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.client.post(PATH, raw, content_type=kind, headers=self.headers)

    def results(self, given: object) -> list[dict[str, Any]]:
        answer = self.post({"input": given})
        assert answer.status_code == 200, answer.content
        results: list[dict[str, Any]] = answer.json()["results"]
        return results


@pytest.fixture
def program(db: None) -> Iterator[Program]:
    cache.clear()
    yield Program(key())
    cache.clear()


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Another screen in the place of the process's own."""
    return lambda made: monkeypatch.setattr(screen, "_house", made)


def is_no(answer: Any, status: int, code: str, param: str | None = None) -> str:
    assert answer.status_code == status, answer.content
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["code"], error["param"]) == (code, param)
    assert error["message"].endswith(".")
    return str(error["message"])


@pytest.mark.django_db(transaction=True)
def test_openai_s_own_client_works_against_it(live_server: LiveServer) -> None:
    client = openai.OpenAI(api_key=key(), base_url=f"{live_server.url}/api/v1", max_retries=0)
    found = client.moderations.create(input=[DANGER, "what's a good name for a band"], model="omni-moderation-latest")
    danger, harmless = found.results
    assert found.id.startswith("modr-")
    assert (danger.flagged, danger.categories.self_harm, danger.categories.self_harm_intent) == (True, True, True)
    assert danger.category_scores.self_harm > 0.5 > harmless.category_scores.self_harm
    assert danger.category_applied_input_types.hate_threatening == ["text"]
    assert danger.abraco["action"] == "crisis"  # type: ignore[attr-defined]  # the client keeps what it does not know
    assert (harmless.flagged, harmless.categories.harassment) == (False, False)
    parts = client.moderations.create(input=[{"type": "text", "text": "my dad"}, {"type": "text", "text": "hits me"}])
    assert [result.flagged for result in parts.results] == [True]
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="mk_wrong").moderations.create(input="hello")
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        client.moderations.create(input=[])
    assert (refused.value.code, refused.value.param) == ("empty", "input")


def test_a_result_has_openai_s_thirteen_and_ours_beside_them(program: Program) -> None:
    answer = program.post({"input": "my stepdad hits me every night"}).json()
    assert set(answer) == {"id", "model", "results"}
    (result,) = answer["results"]
    assert set(result) == {"flagged", "categories", "category_scores", "category_applied_input_types", "abraco"}
    for table in ("categories", "category_scores", "category_applied_input_types"):
        assert tuple(sorted(result[table])) == NAMES
    assert (result["flagged"], result["categories"]["violence"]) == (True, True)
    ours = result["abraco"]
    assert set(ours) == {"action", "severity", "level", "playbook", "categories", "scores", "spans", "policy", "lang"}
    assert (ours["action"], ours["playbook"], ours["lang"]) == ("support", "abuse", "en")
    assert "T08" in ours["categories"]
    assert answer["model"] == f"abraco-{ours['policy']}"


def test_openai_s_names_are_the_taxonomy_s() -> None:
    assert {name for row in CATEGORIES.values() for name in row.openai} == set(NAMES)


def test_the_highest_score_of_what_a_name_stands_for_counts_and_swearing_is_none() -> None:
    scores = {**dict.fromkeys(CATEGORIES, 0.0), "T02": 0.7, "T01": 0.2, "T27": 0.9, "any": 0.9}
    found = result_of(Screening(Decision("allow"), scores, (), "en", WatchState()))
    assert (found["category_scores"]["self-harm"], found["categories"]["self-harm"]) == (0.7, True)
    assert (found["category_scores"]["self-harm/intent"], found["categories"]["self-harm/intent"]) == (0.2, False)
    assert (found["category_scores"]["harassment"], found["flagged"]) == (0.0, True)


@pytest.mark.parametrize(
    ("decision", "flagged"),
    [
        (Decision("allow"), False),
        (Decision("support", 1), False),
        (Decision("support", 4, playbook="runaway"), True),
        (Decision("crisis", 4, playbook="medical"), True),
        (Decision("warn", 1), True),
        (Decision("block", 2, playbook="under_13"), True),
    ],
)
def test_danger_that_has_no_name_over_there_is_flagged_too(decision: Decision, flagged: bool) -> None:
    scores = dict.fromkeys((*CATEGORIES, "any"), 0.0)
    assert result_of(Screening(decision, scores, (), "en", WatchState()))["flagged"] is flagged


def test_texts_are_read_each_by_itself_and_in_four_languages(program: Program) -> None:
    texts = ["quero morrer", "je veux mourir", "ok bye", "me quiero morir", "i want to die", "2 + 2"]
    results = program.results(texts)
    actions = [result["abraco"]["action"] for result in results]
    assert actions == ["crisis", "crisis", "allow", "crisis", "crisis", "allow"]
    assert [result["abraco"]["lang"] for result in results] == ["pt-BR", "fr", "en", "es", "en", "en"]


def test_the_parts_of_one_message_are_one_text(program: Program) -> None:
    parts = [{"type": "text", "text": "my dad"}, {"type": "text", "text": "hits me"}]
    (result,) = program.results(parts)
    assert result["abraco"]["playbook"] == "abuse"


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "é\u0301" * 40, "🙂" * 50, "a" * MOST_CHARS])
def test_any_text_is_answered(program: Program, text: str) -> None:
    assert len(program.results([text])) == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ("not json", 400, "bad_json", None),
        (b"\xff\xfe\x00", 400, "bad_json", None),
        ("[" * 10_000 + "]" * 10_000, 400, "too_deep", None),
        ("[]", 422, "bad_field", "given"),
        ({}, 422, "bad_field", "input"),
        ({"input": "secret words", "colour": 1}, 422, "bad_field", "colour"),
        ({"input": "secret words", "model": 7}, 422, "bad_field", "model"),
        ({"input": None}, 422, "bad_field", "input"),
        ({"input": 7}, 422, "bad_field", "input"),
        ({"input": {"type": "text", "text": "secret words"}}, 422, "bad_field", "input"),
        ({"input": []}, 422, "empty", "input"),
        ({"input": ["secret words", 7]}, 422, "bad_field", "input"),
        ({"input": ["secret words", {"type": "text", "text": "a"}]}, 422, "bad_field", "input"),
        ({"input": [{"type": "text"}]}, 422, "bad_field", "input"),
        ({"input": [{"type": "text", "text": None}]}, 422, "bad_field", "input"),
        ({"input": [{"type": "image_url", "image_url": {"url": "secret words"}}]}, 422, "only_text", "input"),
        ({"input": "a" * (MOST_CHARS + 1)}, 422, "too_long", "input"),
        ({"input": [{"type": "text", "text": "a" * MOST_CHARS}, {"type": "text", "text": "b"}]}, 422, "too_long",
         "input"),
        ({"input": ["secret words"] * (MOST_INPUTS + 1)}, 422, "too_many", "input"),
        ({"input": "a" * 3_000_000}, 413, "too_large", None),
    ],
)  # fmt: skip
def test_what_cant_be_read_says_why_and_nothing_of_it(
    program: Program, body: object, status: int, code: str, param: str | None
) -> None:
    assert "secret words" not in is_no(program.post(body), status, code, param)


def test_a_body_that_is_no_json_by_its_own_word_is_415(program: Program) -> None:
    is_no(program.post("input=hello", "application/x-www-form-urlencoded"), 415, "not_json")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer mk_"},
        {"authorization": "Bearer mk_wrong"},
        {"authorization": "Basic bWs6"},
        {"x-api-key": "mk_wrong"},
    ],
)
def test_without_a_key_nothing_is_screened(db: None, headers: dict[str, str]) -> None:
    program = Program(None)
    program.headers = headers
    is_no(program.post({"input": "hello"}), 401, "invalid_api_key")
    is_no(program.post("not even json"), 401, "invalid_api_key")


def test_a_key_is_shown_once_kept_as_a_digest_and_opens_nothing_once_revoked(db: None) -> None:
    secret = key("school portal")
    assert secret.startswith("mk_")
    assert secret not in str(list(ModerationKey.objects.values()))
    assert Program(secret).results("hello")[0]["flagged"] is False
    with pytest.raises(CommandError, match="There is a key named"):
        key("school portal")
    call_command("moderation_key", "revoke", "school portal", stdout=io.StringIO())
    is_no(Program(secret).post({"input": "hello"}), 401, "invalid_api_key")
    with pytest.raises(CommandError, match="no live key"):
        call_command("moderation_key", "revoke", "school portal")
    again = key("school portal")
    listed = io.StringIO()
    call_command("moderation_key", "list", stdout=listed)
    states = [line.split()[1] for line in listed.getvalue().splitlines()]
    assert states == ["revoked", "live"]
    assert secret not in listed.getvalue()
    assert again not in listed.getvalue()
    audited = AuditEntry.objects.filter(action__startswith="moderation_key")
    assert [entry.action.rpartition("_")[2] for entry in audited] == ["created", "revoked", "created"]
    assert all(entry.detail == {"name": "school portal"} for entry in audited)


@pytest.mark.parametrize("name", ["", "   ", "a" * 65])
def test_a_key_has_a_name(db: None, name: str) -> None:
    with pytest.raises(CommandError, match="A name has"):
        key(name)


@pytest.fixture
def minute() -> Iterator[None]:
    """From the beginning of a minute, so that what is counted in one isn't counted in two."""
    with clock.at(clock.now().replace(second=0, microsecond=0) + timedelta(minutes=1)):
        yield


@pytest.mark.usefixtures("minute")
def test_each_key_has_its_own_pace_and_is_told_when(program: Program, house: Any) -> None:
    house(Screen())
    for _ in range(TEXTS_A_MINUTE // MOST_INPUTS):
        assert program.post({"input": ["hi"] * MOST_INPUTS}).status_code == 200
    refused = program.post({"input": ["hi"] * MOST_INPUTS})
    is_no(refused, 429, "rate_limit_exceeded")
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    assert Program(key("another")).post({"input": "hi"}).status_code == 200


@pytest.mark.usefixtures("minute")
def test_a_long_text_counts_for_several(program: Program, house: Any) -> None:
    house(Screen())
    assert [program.post({"input": ["hi " * 6000] * 30}).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.django_db(transaction=True)
async def test_with_the_database_away_it_is_a_503() -> None:
    client, headers = AsyncClient(), {"authorization": f"Bearer {await in_database(key)}"}
    async with database_away():
        answer = await client.post(PATH, {"input": "hello"}, content_type="application/json", headers=headers)
        is_no(answer, 503, "unavailable")
    answer = await client.post(PATH, {"input": "hello"}, content_type="application/json", headers=headers)
    assert answer.status_code == 200


class _Broken:
    name = "broken"

    def hits(self, text: str, history: object) -> Any:
        raise RuntimeError(text)


@pytest.mark.parametrize("broken", ["rules", "weights", "detector"])
def test_what_nobody_could_look_at_is_a_503_and_never_a_yes(
    program: Program, house: Any, tmp_path: Any, broken: str
) -> None:
    made = {
        "rules": lambda: Screen(rules=Rules(tmp_path)),
        "weights": lambda: Screen(classifier=Classifier(folder=tmp_path)),
        "detector": lambda: Screen(detectors=[_Broken()]),
    }
    house(made[broken]())
    for text in ("hello", DANGER):
        assert "don't take this for a yes" in is_no(program.post({"input": text}), 503, "unavailable")


def test_nothing_is_stored_or_logged(program: Program, caplog: pytest.LogCaptureFixture) -> None:
    words = "aubergine unicycle, and my mail is ana@example.org"
    with caplog.at_level(logging.DEBUG), CaptureQueriesContext(connection) as seen:
        answer = program.post({"input": f"{words}. {DANGER}"})
    assert answer.status_code == 200
    assert [one["sql"].split()[0] for one in seen] == ["SELECT"]
    assert answer.cookies == {}
    assert answer.json()["results"][0]["abraco"]["spans"] == [[35, 50, "email"]]
    for word in ("aubergine", "ana@example.org", "kill"):
        assert word not in caplog.text
        assert word not in answer.content.decode()
