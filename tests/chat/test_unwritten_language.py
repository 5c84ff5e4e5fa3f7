"""What is said in a language that the bank doesn't have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatbot.accounts.models import User
from chatbot.chat import engine
from chatbot.chat.models import Finish
from chatbot.core import clock
from chatbot.core.choices import choice_set
from chatbot.core.database import in_database
from companion.engines.embedded.engine import EmbeddedEngine
from companion.types import Language
from moderation import crisis
from tests.chat.house import NOON, answered
from tests.conftest import make_teen

pytestmark = pytest.mark.django_db(transaction=True)
HELLO = """
situation: small
exchanges:
  - id: hello
    act: greeting
    said: [hi, hello]
    replies: [Hello from the small bank.]
"""


@pytest.fixture(autouse=True)
async def _english_only(tmp_path: Path) -> AsyncIterator[None]:
    clock.move_to(NOON)
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "small.yaml").write_text(HELLO, encoding="utf-8")
    engine.engine_use(EmbeddedEngine(bank_dir=tmp_path, letters_only=True))
    yield
    await engine.engines_close()


def teen(language: Language) -> User:
    choice_set("regions", {"*": "allow"})
    return make_teen("maya", age=15, language=language)


async def test_a_written_language_is_answered_from_its_bank() -> None:
    turn, reply = await answered(await in_database(teen, "en"), "hi")
    assert (turn.finish, reply) == (Finish.COMPLETE, "Hello from the small bank.")


@pytest.mark.parametrize(("language", "text"), [("pt-BR", "oi"), ("es", "hola"), ("fr", "salut")])
async def test_a_language_without_a_bank_gets_a_kind_line_of_its_own(language: Language, text: str) -> None:
    turn, reply = await answered(await in_database(teen, language), text)
    assert turn.finish == Finish.FAILED
    assert reply in {crisis.line("failed", language=language, seed=seed) for seed in range(50)}


async def test_two_first_messages_load_one_engine() -> None:
    await engine.engines_close()
    first, second = await asyncio.gather(*[engine._ready("embedded", all_of_it=False) for _ in range(2)])
    assert first is second is not None
