"""The guard model in the turn: asked beside the encoder, and what becomes of people when it can't be understood."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings
from structlog.testing import capture_logs

from chatbot.accounts.models import User
from chatbot.chat import guard, health
from chatbot.chat.models import Finish, Turn
from chatbot.core import metrics
from chatbot.core import views as ready
from chatbot.core.database import in_database
from companion.engines.base import EngineError
from companion.engines.transformers_.engine import TransformersEngine
from companion.types import Delta
from moderation import crisis
from moderation.detectors.guard.families import FAMILIES
from moderation.detectors.guard.family import Ask
from moderation.detectors.guard.guard import Guard
from tests.chat.house import DANGERS, answered, says
from tests.companion.engines.conftest import tiny_model, without_template

__all__ = ["tiny_model"]
ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]


@pytest.fixture(autouse=True)
async def _closed() -> AsyncIterator[None]:
    yield
    await guard.guard_close()


@pytest.fixture
def tiny_guard(settings: Settings, tiny_model: Path) -> None:
    """A model that was never trained: whatever it says is rubbish."""
    settings.GUARD, settings.GUARD_MODEL = "llama-guard-3", str(tiny_model)


class _Told:
    """A guard whose model says this, and what it was asked."""

    def __init__(self, settings: Settings, *, message: str = "safe", reply: str = "safe") -> None:
        settings.GUARD, settings.GUARD_MODEL = "llama-guard-3", "nowhere"
        self.asked: list[str] = []

        async def generate(ask: Ask) -> str:
            prompt = str(ask.prompt)
            self.asked.append(prompt.partition("<BEGIN CONVERSATION>\n\n")[2].partition("\n\n<END CONVERSATION>")[0])
            return reply if "'Agent' messages" in prompt else message

        guard.guard_use(Guard(FAMILIES["llama-guard-3"], generate))


def _failures() -> float:
    return metrics.registry.get_sample_value("abraco_guard_failures_total") or 0.0


def _withheld(reply: str) -> bool:
    return reply in {crisis.line("withheld", language="en", seed=seed) for seed in range(200)}


async def test_without_the_setting_nobody_is_asked(maya_now: User, settings: Settings) -> None:
    told = _Told(settings, message="unsafe\nS11", reply="unsafe\nS11")
    settings.GUARD = ""
    says("A fine plan.")
    turn, reply = await answered(maya_now, "going skating later")
    assert (turn.finish, reply, told.asked) == (Finish.COMPLETE, "A fine plan.", [])
    await guard.guard_warm()
    assert (told.asked, guard.guard_wrong()) == ([], None)


async def test_a_guard_that_calls_it_safe_changes_nothing(maya_now: User, settings: Settings) -> None:
    told = _Told(settings)
    says("A fine plan. ", "Which trick first?")
    turn, reply = await answered(maya_now, "going skating later")
    assert (turn.finish, reply) == (Finish.COMPLETE, "A fine plan. Which trick first?")
    assert told.asked == [
        "User: going skating later",
        "User: going skating later\n\nAgent: A fine plan.",
        "User: going skating later\n\nAgent: A fine plan. Which trick first?",
    ]


async def test_what_only_the_guard_sees_in_a_message_is_answered_by_people(maya_now: User, settings: Settings) -> None:
    _Told(settings, message="unsafe\nS11")
    scripted = says("This must never be said.")
    turn, _ = await answered(maya_now, "i gave my skateboard and my records to my brother")
    trace = await in_database(lambda: Turn.objects.get(id=turn.id).trace)
    assert (turn.finish, turn.engine, scripted.asked) == (Finish.CRISIS, "written", [])
    assert trace["decision"]["playbook"] == "suicide_L1"
    assert "guard/T01" in str(trace["decision"]["hits"])


async def test_what_only_the_guard_sees_in_a_reply_is_withheld(maya_now: User, settings: Settings) -> None:
    _Told(settings, reply="unsafe\nS2")
    says("A fine plan.")
    turn, reply = await answered(maya_now, "going skating later")
    assert (turn.finish, _withheld(reply)) == (Finish.WITHHELD, True)


async def test_danger_that_rules_see_does_not_wait_for_the_guard(maya_now: User, settings: Settings) -> None:
    told = _Told(settings)
    for text in (DANGERS["L3"], "ok"):
        assert (await answered(maya_now, text))[0].finish == Finish.CRISIS
    assert told.asked == []


async def test_a_model_that_talks_rubbish_fails_closed_and_crisis_help_goes_on(
    maya_now: User, tiny_guard: None
) -> None:
    before = _failures()
    scripted = says("A fine plan.")
    with capture_logs() as logged:
        turn, reply = await answered(maya_now, "going skating later with zebra")
    assert (turn.finish, _withheld(reply)) == (Finish.WITHHELD, True)
    assert all(prompt.low for prompt in scripted.asked)
    assert _failures() == before + 3, "the message, the sentence, and the sentence once more"
    lines = [line for line in logged if line["event"] == "guard_failed"]
    assert [line["part"] for line in lines] == ["message", "reply", "reply"]
    assert all("neither safe nor" in line["reason"] for line in lines)
    assert "zebra" not in str(lines)
    assert "neither safe nor" in (guard.guard_wrong() or "")
    assert (await answered(maya_now, DANGERS["L3"]))[0].finish == Finish.CRISIS


async def test_lines_that_people_wrote_are_said_without_it(maya_now: User, tiny_guard: None) -> None:
    says(Delta("Shrug accepted.", line_id="small/shrug/1"))
    turn, reply = await answered(maya_now, "going skating later")
    assert (turn.finish, reply) == (Finish.COMPLETE, "Shrug accepted.")


TAUGHT = ("teach you a word", "flurbish", "a backpack that is heavier than you")


async def test_of_a_skill_s_line_it_judges_the_teen_s_words_as_messages_and_none_of_them_twice(
    maya_now: User, settings: Settings
) -> None:
    told = _Told(settings, reply="unsafe\nS2")
    for text in TAUGHT:
        turn, reply = await answered(maya_now, text)
        assert (turn.engine, turn.finish) == ("skill", Finish.COMPLETE)
    assert "flurbish" in reply
    assert told.asked.pop() == "User: flurbish"  # by itself: the line that explains it says the word again
    assert [asked.rpartition("User: ")[2] for asked in told.asked] == list(TAUGHT)


async def test_the_teen_s_words_that_it_calls_unsafe_are_not_said_back(maya_now: User, settings: Settings) -> None:
    settings.GUARD, settings.GUARD_MODEL = "llama-guard-3", "nowhere"

    async def generate(ask: Ask) -> str:
        return "unsafe\nS10" if "CONVERSATION>\n\nUser: flurbish\n\n<END" in str(ask.prompt) else "safe"

    guard.guard_use(Guard(FAMILIES["llama-guard-3"], generate))
    for text in TAUGHT:
        turn, reply = await answered(maya_now, text)
    assert (turn.finish, _withheld(reply)) == (Finish.WITHHELD, True)


async def test_a_model_that_is_not_there_is_told_and_fails_closed(maya_now: User, settings: Settings) -> None:
    settings.GUARD, settings.GUARD_MODEL = "qwen3guard", "/nowhere/guard"
    with capture_logs() as logged:
        await guard.guard_warm()
    assert any("/nowhere/guard does not exist" in line["reason"] for line in logged)
    says("A fine plan.")
    assert (await answered(maya_now, "going skating later"))[0].finish == Finish.WITHHELD
    assert (await answered(maya_now, DANGERS["L2"]))[0].finish == Finish.CRISIS


async def test_warming_loads_it_and_tells_a_model_of_another_family(tiny_guard: None) -> None:
    assert "has not answered yet" in (guard.guard_wrong() or "")
    await guard.guard_warm()
    assert "neither safe nor" in (guard.guard_wrong() or "")


@pytest.mark.parametrize(
    ("family", "model", "words"),
    [
        ("lama-guard", "x", "llama-guard-3, llama-guard-4, qwen3guard, shieldgemma, gpt-oss-safeguard"),
        ("shieldgemma", "", "needs ABRACO_GUARD_MODEL"),
        ("", "x", "ABRACO_GUARD is not"),
    ],
)
async def test_settings_that_cant_be_used_stop_the_start(
    settings: Settings, family: str, model: str, words: str
) -> None:
    settings.GUARD, settings.GUARD_MODEL = family, model
    with pytest.raises(ImproperlyConfigured, match=words):
        guard.guard_check()


def test_ready_names_the_guard_and_what_is_wrong_with_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tiny_guard: None
) -> None:
    monkeypatch.setattr(ready, "_checks", dict(ready._checks))
    monkeypatch.setattr(ready, "_warnings", dict(ready._warnings))
    settings.METRICS_TOKEN = "the token"
    health.register()
    found = Client().get("/ready", headers={"Authorization": "Bearer the token"}).json()
    assert found["parts"]["guard"] == "degraded"
    assert found["warnings"]["guard"] == "it has not answered yet"


# --- the engine ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def completes(tiny_model: Path, tmp_path: Path) -> AsyncIterator[TransformersEngine]:
    bare = without_template(tiny_model, tmp_path / "bare")
    engine = TransformersEngine(model=str(bare), context=400, template=False)
    yield engine
    await engine.close()


async def test_a_raw_prompt_is_completed_the_same_way_twice(completes: TransformersEngine) -> None:
    first = await completes.complete("<|user|>hello<|end|><|assistant|>", tokens=8)
    assert first
    assert await completes.complete("<|user|>hello<|end|><|assistant|>", tokens=8) == first
    assert await completes.complete("<|user|>dogs<|end|><|assistant|>", tokens=8) != ""


async def test_messages_are_completed_by_the_model_s_own_template(tiny_model: Path) -> None:
    engine = TransformersEngine(model=str(tiny_model))
    messages = [{"role": "system", "content": "judge"}, {"role": "user", "content": "hello"}]
    given = await engine.complete(messages, tokens=8, effort="low")
    raw = "<|system|>judge<|end|><|user|>hello<|end|><|assistant|>"
    assert given == await engine.complete(raw, tokens=8)
    await engine.close()


async def test_a_prompt_that_is_too_long_is_refused_and_not_cut(completes: TransformersEngine) -> None:
    with pytest.raises(EngineError, match="the model reads 400"):
        await completes.complete("x" * 4000, tokens=8)
    assert await completes.complete("x", tokens=8)


async def test_cancelling_a_completion_frees_the_compute(completes: TransformersEngine) -> None:
    await completes.complete("x", tokens=1)
    assert await asyncio.to_thread(completes.drained, 5.0)  # its answer is there before its thread has ended
    task = asyncio.ensure_future(completes.complete("x", tokens=100_000))
    await asyncio.sleep(0)
    assert completes.busy == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(completes.drained, 5.0)


def test_nothing_of_a_guard_is_loaded_where_none_is_set() -> None:
    code = (
        "import django, sys; django.setup(); import chatbot.urls, chatbot.asgi;"
        "from chatbot.chat import guard; assert guard.guard() is None;"
        "sys.exit(any(name.startswith('moderation.detectors.guard') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
