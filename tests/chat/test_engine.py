"""Which engine answers, and what becomes of a turn when none can."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_django import Settings
from structlog.testing import capture_logs

from chatbot.accounts.models import User
from chatbot.chat import engine
from chatbot.chat.models import Finish
from companion.engines.base import EngineError
from companion.engines.scripted import Fail, ScriptedEngine
from moderation import crisis
from tests.chat.house import DANGERS, answered, says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]


@pytest.fixture
def fallback(settings: Settings) -> ScriptedEngine:
    settings.ENGINE = engine.FALLBACK
    return says("The fallback answers.")


def failed_lines() -> set[str]:
    return {crisis.line("failed", language="en", seed=seed) for seed in range(50)}


async def test_a_model_directory_that_is_missing_is_said_in_the_log_and_the_fallback_answers(
    maya_now: User, settings: Settings, fallback: ScriptedEngine, tmp_path: Path
) -> None:
    settings.ENGINE, settings.ENGINE_MODEL = "transformers", str(tmp_path / "no-model-here")
    with capture_logs() as logged:
        turn, reply = await answered(maya_now, "hi there")
    assert (turn.finish, reply) == (Finish.COMPLETE, "The fallback answers.")
    (line,) = [entry for entry in logged if entry["event"] == "engine_unavailable"]
    assert "no-model-here" in line["reason"]


async def test_an_engine_that_is_not_there_is_said_in_the_log_and_the_fallback_answers(
    maya_now: User, settings: Settings, fallback: ScriptedEngine
) -> None:
    settings.ENGINE = "nobody.knows:This"
    with capture_logs() as logged:
        _, reply = await answered(maya_now, "hi there")
    assert reply == "The fallback answers."
    assert any("nobody.knows" in entry.get("reason", "") for entry in logged)


@pytest.mark.parametrize("error", [EngineError("broken"), RuntimeError("some other code's own error")])
async def test_an_engine_that_breaks_at_once_is_replaced_and_later_is_said_so(
    maya_now: User, settings: Settings, fallback: ScriptedEngine, error: Exception
) -> None:
    settings.ENGINE = "scripted"
    says(Fail(error))
    assert (await answered(maya_now, "hi there"))[1] == "The fallback answers."
    says("That was a whole sentence. ", Fail(error))
    turn, reply = await answered(maya_now, "and now?")
    assert turn.finish == Finish.FAILED
    assert reply.startswith("That was a whole sentence.")
    assert reply.removeprefix("That was a whole sentence.").strip() in failed_lines()


async def test_when_no_engine_can_answer_it_says_so_kindly_and_danger_is_answered(
    maya_now: User, settings: Settings
) -> None:
    settings.ENGINE = engine.FALLBACK
    says(Fail())
    turn, reply = await answered(maya_now, "hi there")
    assert turn.finish == Finish.FAILED
    assert reply in failed_lines()
    assert (await answered(maya_now, DANGERS["L3"]))[0].finish == Finish.CRISIS


async def test_the_scripted_engine_takes_its_script_from_a_setting(maya_now: User, settings: Settings) -> None:
    settings.ENGINE, settings.ENGINE_SCRIPT = "scripted", json.dumps(["One thing. ", 0, "And another."])
    assert (await answered(maya_now, "hi there"))[1] == "One thing. And another."


@pytest.mark.parametrize("script", ["not json", "{}", "[[]]"])
async def test_a_script_that_can_not_be_read_says_how_it_is_written(
    maya_now: User, settings: Settings, fallback: ScriptedEngine, script: str
) -> None:
    settings.ENGINE, settings.ENGINE_SCRIPT = "scripted", script
    with capture_logs() as logged:
        assert (await answered(maya_now, "hi there"))[1] == "The fallback answers."
    assert any("ABRACO_SCRIPT is a JSON list" in entry.get("reason", "") for entry in logged)
