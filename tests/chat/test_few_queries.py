"""A turn costs what its questions to the database cost (bench/turn.py): how many each of its visits asks."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chatbot.accounts import services as people
from chatbot.accounts.models import User
from chatbot.chat import answering, services, talk
from chatbot.chat.material import screening_store, turn_begin
from chatbot.chat.models import Finish
from chatbot.core import clock
from chatbot.core.keys import data_key
from moderation.types import Decision, Screening
from tests.chat.house import NOON

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def at_most(statements: int) -> Iterator[None]:
    """What begins and ends a transaction is not counted."""
    with CaptureQueriesContext(connection) as seen:
        yield
    asked = [one["sql"] for one in seen if not one["sql"].startswith(("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT"))]
    assert len(asked) <= statements, "\n".join(asked)


def test_the_visits_of_a_usual_turn_ask_little(maya_at_noon: User) -> None:
    """Not the first one: the person's key is known, and they have talked today."""
    data_key(maya_at_noon.id, make=True)
    people.usage_record(maya_at_noon, now=NOON)
    conversation = services.conversation_start(person=maya_at_noon)
    with at_most(12):
        taken = talk._take(maya_at_noon, conversation.id, uuid.uuid4(), "hi there", danger=None, paced=False)
    assert taken.acceptance is not None
    with at_most(8):
        begun = turn_begin(taken.acceptance.turn_id, now=clock.now())
    assert begun is not None
    turn, material = begun
    with at_most(4):
        screening = Screening(Decision("allow"), {}, (), "en", material.watch)
        screening_store(material, screening, None, fence=turn.fence)
    with at_most(2):
        answering.sentence_add(turn_id=turn.id, owner_id=turn.owner_id, fence=turn.fence, seq=1, text="Hello.")
    with at_most(2):
        answering.turn_finish(
            turn=turn, finish=Finish.COMPLETE, engine="scripted", trace={}, timings={}, learn=False, said=["Hello."]
        )
