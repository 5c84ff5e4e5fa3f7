"""/health, /ready and /metrics."""

from __future__ import annotations

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from chatbot.accounts.models import User
from chatbot.chat import engine
from chatbot.core import clock, keys, metrics
from companion.engines.scripted import ScriptedEngine
from moderation.crisis.helplines import helplines
from moderation.incidents.services import helpline_check

pytestmark = pytest.mark.django_db
PARTS = {"database", "channel_layer", "cache", "jobs", "engine", "classifier", "master_key"}


TOKEN = {"Authorization": "Bearer the token"}


@pytest.fixture(autouse=True)
def _token(settings: Settings) -> None:
    settings.METRICS_TOKEN = "the token"


def ready(client: Client, **headers: str) -> tuple[int, dict[str, dict[str, str]]]:
    answer = client.get("/ready", headers=headers or TOKEN)
    return answer.status_code, answer.json()


def test_health_says_that_it_is_alive(client: Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}


def test_ready_names_each_part(client: Client) -> None:
    engine.engine_use(ScriptedEngine())
    status, found = ready(client)
    assert (status, found["parts"]) == (200, dict.fromkeys(PARTS, "ok"))
    assert "never checked" in found["warnings"]["helplines"]
    engine._engines.clear()


def test_while_no_engine_is_loaded_it_is_not_ready(client: Client) -> None:
    engine._engines.clear()
    status, found = ready(client)
    assert status == 503
    assert "engine" in found["parts"]["engine"]


def test_without_the_master_key_it_is_not_ready_and_says_what_to_do(client: Client, settings: Settings) -> None:
    engine.engine_use(ScriptedEngine())
    settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", "/nowhere/master.key"
    keys.forget_cached()
    status, found = ready(client)
    assert status == 503
    assert "put your saved key back at /nowhere/master.key" in found["parts"]["master_key"]
    engine._engines.clear()


def test_whoever_may_not_measure_gets_names_and_states_and_no_path(client: Client, settings: Settings) -> None:
    engine.engine_use(ScriptedEngine())
    settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", "/nowhere/master.key"
    keys.forget_cached()
    status, found = ready(client, Accept="*/*")
    assert status == 503
    assert found["parts"] == {**dict.fromkeys(PARTS, "ok"), "master_key": "not ready"}
    assert found["warnings"] == {"helplines": "look"}
    assert "/nowhere" in str(ready(client))
    engine._engines.clear()


def test_with_a_channel_layer_that_is_away_it_is_not_ready(client: Client, settings: Settings) -> None:
    engine.engine_use(ScriptedEngine())
    settings.CHANNEL_LAYERS = {}
    status, found = ready(client)
    assert (status, found["parts"]["channel_layer"]) == (503, "no channel layer is set up")
    engine._engines.clear()


@pytest.mark.django_db(transaction=True)
def test_old_checks_of_helplines_are_a_warning_and_fresh_ones_are_none(client: Client) -> None:
    engine.engine_use(ScriptedEngine())
    for row in helplines().lines:
        helpline_check(line=row.id, right=True, actor="olga")
    assert ready(client)[1]["warnings"] == {}
    clock.move_to(clock.now().replace(year=clock.now().year + 1))
    status, found = ready(client)
    assert status == 200
    assert "more than 90 days ago" in found["warnings"]["helplines"]
    engine._engines.clear()


def test_in_the_demo_metrics_are_prometheus_text_for_this_machine_only(client: Client, settings: Settings) -> None:
    settings.DEBUG, settings.METRICS_TOKEN = True, ""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    names = {family.name for family in text_string_to_metric_families(answer.content.decode())}
    assert {"abraco_turns", "abraco_decisions", "abraco_turn_seconds", "abraco_sockets_open"} <= names
    for elsewhere in ({"REMOTE_ADDR": "10.0.0.7"}, {"HTTP_X_FORWARDED_FOR": "10.0.0.7"}, {"REMOTE_ADDR": "nonsense"}):
        refused = client.get("/metrics", **elsewhere)  # type: ignore[arg-type]  # what the server says of a request
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


def test_outside_the_demo_nobody_measures_without_a_token_whatever_the_proxy_says(
    client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = ""
    refused = client.get("/metrics", REMOTE_ADDR="127.0.0.1")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403


def test_with_a_token_metrics_are_for_whoever_has_it(client: Client) -> None:
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 403
    given = client.get("/metrics", headers={"Authorization": "Bearer the token"}, REMOTE_ADDR="10.0.0.7")
    assert given.status_code == 200


def test_no_label_names_a_person(maya: User) -> None:
    for family in metrics.registry.collect():
        for sample in family.samples:
            assert set(sample.labels) <= metrics.LABELS | {"le"}
            assert str(maya.id) not in str(sample.labels)
            assert maya.username not in str(sample.labels)
