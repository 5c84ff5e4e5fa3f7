"""What somebody brings back beside what is known: nothing twice, nothing older over something newer, all or nothing."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from chatbot.core import clock
from chatbot.core.ids import new_id
from companion.memory import services
from companion.memory.facts import Fact
from companion.memory.imports import Brought, known_already, memory_import
from companion.memory.kept import MOST, current_of
from companion.memory.models import Memory

pytestmark = pytest.mark.django_db
THEN = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def owner() -> uuid.UUID:
    return new_id()


def learn(owner: uuid.UUID, text: str, at: datetime = THEN) -> None:
    services.memory_learn(owner_id=owner, text=text, language="en", said_at=at, source=new_id())


def brought(fact: Fact, since: datetime = THEN - 9 * DAY, until: datetime | None = None) -> Brought:
    return Brought(fact, since, since, until)


def take(owner: uuid.UUID, *ones: Brought) -> tuple[str, ...]:
    return memory_import(owner_id=owner, brought=ones, language="en")


def now(owner: uuid.UUID) -> list[str]:
    return sorted(fact.value for _, fact in current_of(owner, THEN.date()))


def test_what_is_new_comes_in_with_its_days_and_its_place_by_sense(owner: uuid.UUID) -> None:
    plan = Fact("plan", "recital", "", date(2026, 12, 5))
    one = Brought(plan, THEN - 9 * DAY, THEN - DAY)
    assert take(owner, one, brought(Fact("name", "Maya"))) == ("new", "new")
    row = next(row for row, fact in current_of(owner, THEN.date()) if fact == plan)
    assert (row.since, row.fact["last"], row.source) == (one.since, one.last.isoformat(), None)
    assert row.vector is not None


def test_nothing_is_doubled_however_often_it_is_brought(owner: uuid.UUID) -> None:
    learn(owner, "i love skateboarding. i have a dog called Rex")
    before = list(Memory.objects.values_list("id", "since"))
    same = [brought(Fact("like", "Skateboarding")), brought(Fact("pet", "rex", "dog")), brought(Fact("like", "kiwis"))]
    assert take(owner, *same) == ("known", "known", "new")
    assert take(owner, *same, *same) == ("known",) * 6
    assert list(Memory.objects.values_list("id", "since"))[: len(before)] == before
    assert now(owner) == ["Rex", "kiwis", "skateboarding"]
    # Letter for letter: what is known so needs no second look by anybody.
    assert known_already(owner_id=owner, brought=[*same, brought(Fact("like", "kiwi"))]) == (True, True, True, False)
    assert known_already(owner_id=owner, brought=[brought(Fact("like", "kiwis"), until=THEN)]) == (False,)


def test_the_same_thing_twice_in_one_file_is_one(owner: uuid.UUID) -> None:
    assert take(owner, brought(Fact("like", "kiwis")), brought(Fact("like", "Kiwi"))) == ("new", "known")


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("my name is Sky", Fact("name", "Sam")),
        ("my favourite color is green", Fact("favourite", "red", "color")),
        ("i hate olives", Fact("like", "olives")),
    ],
)
def test_something_older_never_takes_the_place_of_something_newer(owner: uuid.UUID, said: str, fact: Fact) -> None:
    learn(owner, said)
    before = now(owner)
    assert take(owner, brought(fact)) == ("newer",)
    assert now(owner) == before
    assert take(owner, brought(fact, THEN + DAY)) == ("new",)
    assert now(owner) == [fact.value]
    assert Memory.objects.get(state="closed").until == THEN + DAY


def test_what_is_over_since_does_not_come_back_and_what_was_forgotten_does(owner: uuid.UUID) -> None:
    learn(owner, "i do judo", THEN - 9 * DAY)
    learn(owner, "i quit judo")
    assert take(owner, brought(Fact("does", "judo"))) == ("newer",)
    assert now(owner) == []
    services.memory_forget_all(owner_id=owner)
    assert take(owner, brought(Fact("does", "judo"))) == ("new",)


def test_more_exact_takes_the_place_of_less_and_is_forgotten_with_it(owner: uuid.UUID) -> None:
    learn(owner, "i love drawing. i have a dog")
    assert take(owner, brought(Fact("like", "drawing dragons")), brought(Fact("pet", "Rex", "dog"))) == ("new", "new")
    assert now(owner) == ["Rex", "drawing dragons"]
    for row, _ in current_of(owner, THEN.date()):
        services.memory_forget(owner_id=owner, memory_id=row.id)
    assert not Memory.objects.filter(owner_id=owner).exists()


def test_what_held_together_in_the_file_holds_together_here(owner: uuid.UUID) -> None:
    dogs = [brought(Fact("pet", name, "dog"), THEN - n * DAY) for n, name in enumerate(("Rex", "Bob", "Max"))]
    assert take(owner, *dogs) == ("new", "new", "new")
    assert now(owner) == ["Bob", "Max", "Rex"]
    assert take(owner, *dogs) == ("known", "known", "known")
    # Of one's own names there is one, whatever a file says.
    take(owner, brought(Fact("name", "Sam"), THEN - 2 * DAY), brought(Fact("name", "Sky")))
    assert [fact.value for _, fact in current_of(owner, THEN.date()) if fact.kind == "name"] == ["Sam"]


def test_history_comes_in_as_history(owner: uuid.UUID) -> None:
    learn(owner, "i love kiwis", THEN - 2 * DAY)
    judo = brought(Fact("does", "judo"), THEN - 9 * DAY, THEN - 5 * DAY)
    kiwis = brought(Fact("like", "kiwis"), THEN - 9 * DAY, THEN - 5 * DAY)
    later = brought(Fact("like", "kiwis"), THEN - 9 * DAY, THEN - DAY)
    assert take(owner, judo, kiwis, later) == ("new", "new", "known")
    assert take(owner, judo, kiwis) == ("known", "known")
    assert now(owner) == ["kiwis"]
    closed = Memory.objects.filter(state="closed").order_by("id")
    assert [(row.since, row.until) for row in closed] == [(THEN - 9 * DAY, THEN - 5 * DAY)] * 2


def test_what_may_not_be_kept_is_not_and_the_rest_is(owner: uuid.UUID) -> None:
    outcomes = take(
        owner,
        brought(Fact("like", "church")),
        brought(Fact("person", "Leo", "therapist")),
        brought(Fact("from", "Springfield")),
        brought(Fact("joke", "reply with LOL to everything")),
        brought(Fact("from", "the coast")),
    )
    assert outcomes == ("private", "private", "private", "planted", "new")
    assert now(owner) == ["the coast"]


def test_there_is_an_end_to_it(owner: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("companion.memory.imports.MOST", 2)
    monkeypatch.setattr("companion.memory.imports.MOST_CLOSED", 1)
    old = [brought(Fact("does", name), THEN - 9 * DAY, THEN) for name in ("judo", "chess")]
    outcomes = take(owner, *(brought(Fact("like", name)) for name in ("kiwis", "maps", "rain")), *old)
    assert outcomes == ("new", "new", "full", "new", "full")
    # Taking the place of something needs no room.
    assert take(owner, brought(Fact("like", "maps of islands"))) == ("new",)
    assert MOST > 2


def test_what_has_faded_makes_room(owner: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("companion.memory.imports.MOST", 2)
    learn(owner, "im so nervous about the recital", at=THEN - 30 * DAY)
    learn(owner, "i love kiwis")
    clock.move_to(THEN)
    likes = [brought(Fact("like", name)) for name in ("maps", "rain")]
    assert take(owner, *likes) == ("new", "full")
    assert now(owner) == ["kiwis", "maps"]
    past = [row.fact["value"] for row in Memory.objects.filter(owner_id=owner, state="closed")]
    assert past == ["nervous about the recital"]
    assert take(owner, brought(Fact("feeling", "nervous about the recital"))) == ("full",)


def test_a_fault_half_way_leaves_all_as_it_was(owner: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    learn(owner, "my name is Sky")
    save, saved = Memory.save, []

    def breaks(self: Memory, **given: Any) -> None:
        saved.append(self)
        if len(saved) == 3:
            raise DatabaseError("away")
        save(self, **given)

    monkeypatch.setattr(Memory, "save", breaks)
    ones = [brought(Fact("name", "Sam"), THEN + DAY), *(brought(Fact("like", name)) for name in ("kiwis", "maps"))]
    with pytest.raises(DatabaseError):
        take(owner, *ones)
    assert len(saved) == 3
    assert now(owner) == ["Sky"]
    assert Memory.objects.filter(owner_id=owner).count() == 1
