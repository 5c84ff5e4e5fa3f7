"""What is deleted for good is written down outside of the database, and goes again when a backup brings it back."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from pytest_django import Settings
from structlog.testing import capture_logs

from chatbot.accounts import erasure
from chatbot.accounts.models import ErasureRequest, User
from chatbot.chat.doctor import findings
from chatbot.chat.service import NotFit, house_open
from chatbot.core import gone, keys
from chatbot.core.audit import audit_of
from chatbot.core.ids import new_id
from chatbot.core.models import PersonKey
from companion.memory import services as memory
from companion.memory.models import Memory
from tests.me.conftest import THEN

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def listed(tmp_path: Path, settings: Settings) -> Path:
    """A list of this test's own."""
    settings.GONE_FILE = str(tmp_path / "var" / "gone.list")
    return tmp_path / "var" / "gone.list"


@pytest.fixture
def seen() -> Iterator[list[uuid.UUID]]:
    """A kind of thing whose ids are only noted here."""
    found: list[uuid.UUID] = []

    def again(ids: Collection[uuid.UUID]) -> int:
        found.extend(ids)
        return len(ids)

    gone.gone_kind("thing", again=again)
    yield found
    del gone._kinds["thing"]


def test_what_is_noted_is_asked_for_again_in_some_at_a_time(listed: Path, seen: list[uuid.UUID]) -> None:
    ids = [new_id() for _ in range(2 * gone.AT_ONCE + 7)]
    assert gone.gone_note("thing", ids)
    assert gone.gone_note("other", [new_id()])
    assert gone.gone_again()["thing"] == len(ids)
    assert seen == ids
    assert listed.stat().st_mode & 0o777 == 0o600


def test_without_a_list_nothing_is_gone_and_nothing_to_note_makes_no_lines(listed: Path, seen: list[uuid.UUID]) -> None:
    assert gone.gone_again()["thing"] == 0
    assert gone.gone_note("thing", [])
    assert gone.gone_again()["thing"] == 0
    assert gone.gone_wrong() is None
    assert listed.read_bytes() == b""


@pytest.mark.parametrize(
    "rubbish",
    [b"thing", b"thing not-an-id", b"\x00\xff\xfe", b"thing " + b"f" * 100_000, b"; DROP TABLE chat_message", b"\n\n"],
)
def test_lines_that_are_none_are_passed_over_and_spoil_no_other(
    listed: Path, seen: list[uuid.UUID], rubbish: bytes
) -> None:
    first, last = new_id(), new_id()
    gone.gone_note("thing", [first])
    with listed.open("ab") as file:
        file.write(rubbish)  # without an end, as a crash leaves it
    gone.gone_note("thing", [last])
    assert gone.gone_again()["thing"] == 2
    assert seen == [first, last]


def test_many_who_note_at_once_leave_whole_lines(listed: Path, seen: list[uuid.UUID]) -> None:
    ids = [[new_id() for _ in range(20)] for _ in range(8)]
    threads = [threading.Thread(target=gone.gone_note, args=("thing", some)) for some in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gone.gone_again()
    assert sorted(seen) == sorted(one for some in ids for one in some)


def test_a_list_that_can_not_be_used_is_said_and_no_server_starts_with_it(listed: Path) -> None:
    listed.mkdir(parents=True)  # not even root writes into a folder as into a file
    with capture_logs() as logged:
        assert not gone.gone_note("memory", [new_id()])
    assert [(line["event"], line["part"]) for line in logged] == [("gone_not_noted", "memory")]
    with pytest.raises(gone.ListUnreadable, match="right to read and write it"):
        gone.gone_again()
    with pytest.raises(NotFit, match="right to read and write it"):
        async_to_sync(house_open)()


def test_the_doctor_says_what_the_list_needs_and_whose_key_is_lost(listed: Path, maya: User, leo: User) -> None:
    memory.memory_learn(owner_id=maya.id, text="i love olives", language="en", said_at=THEN, source=None)
    assert not [one for one in findings() if "deleted for good" in one.what or "open their own" in one.what]
    listed.unlink()
    listed.mkdir()
    PersonKey.objects.all().delete()
    red = [one for one in findings() if one.level == "red"]
    assert [one.fix for one in red if "deleted for good" in one.what] == [gone.gone_wrong()]
    assert [one.what.split()[0] for one in red if "open their own" in one.what] == ["1"]


def test_an_erasure_that_can_not_be_noted_is_not_done_and_is_tried_again(listed: Path, maya: User) -> None:
    listed.mkdir(parents=True)
    erasure.erasure_ask(actor=maya, person=maya)
    erasure.erasure_run(maya.id)
    assert not User.objects.filter(id=maya.id).exists()  # what can be done at once is done
    assert ErasureRequest.objects.get().erased_at is None
    listed.rmdir()
    assert erasure.erasures_due() == 1
    assert listed.read_text() == f"person {maya.id}\n"
    assert [entry.action for entry in audit_of(maya.id)][:1] == [erasure.ERASED]


def test_whoever_was_erased_and_is_back_is_locked_at_once_and_gone_with_the_sweep(maya: User, leo: User) -> None:
    for person in (maya, leo):
        memory.memory_learn(owner_id=person.id, text="i love olives", language="en", said_at=THEN, source=None)
    backup = [list(PersonKey.objects.all()), list(Memory.objects.filter(owner_id=maya.id)), [maya]]
    maya_id = maya.id
    erasure.erasure_ask(actor=maya, person=maya)
    erasure.erasure_run(maya_id)
    PersonKey.objects.all().delete()
    ErasureRequest.objects.all().delete()
    for rows in backup:
        for row in rows:
            row.save(force_insert=True)
    keys.forget_cached()
    assert Memory.objects.filter(owner_id=maya_id).first().fact["value"] == "olives"  # type: ignore[union-attr]
    assert gone.gone_again()["person"] == 1
    with pytest.raises(keys.KeyDestroyed):
        _ = Memory.objects.get(owner_id=maya_id).fact
    assert not User.objects.get(id=maya_id).is_active
    assert gone.gone_again()["person"] == 1  # twice is harmless
    assert erasure.erasures_due() == 1
    assert not User.objects.filter(id=maya_id).exists()
    assert not Memory.objects.filter(owner_id=maya_id).exists()
    assert [view.value for view in memory.memory_list(owner_id=leo.id, language="en")] == ["olives"]
    assert gone.gone_again()["person"] == 0


def test_a_list_that_was_lost_is_filled_from_the_audit_trail(listed: Path, maya: User) -> None:
    erasure.erasure_ask(actor=maya, person=maya)
    maya_id = maya.id
    erasure.erasure_run(maya_id)
    listed.unlink()
    gone.gone_again()
    assert listed.read_text() == f"person {maya_id}\n"
    gone.gone_again()
    assert listed.read_text() == f"person {maya_id}\n"


def test_a_memory_that_was_forgotten_and_is_back_goes_and_one_that_was_put_back_stays(maya: User) -> None:
    text = "i love olives. i love kites. i hate rain"
    memory.memory_learn(owner_id=maya.id, text=text, language="en", said_at=THEN, source=None)
    backup = {row.fact["value"]: row for row in Memory.objects.all()}
    olives, kites = backup["olives"], backup["kites"]
    memory.memory_forget_about(owner_id=maya.id, topic="olives")
    taken = memory.memory_taken(owner_id=maya.id, memory_id=kites.id)
    memory.memory_forget(owner_id=maya.id, memory_id=kites.id)
    memory.memory_restore(owner_id=maya.id, taken=taken, language="en")
    olives.save(force_insert=True)
    assert gone.gone_again()["memory"] == 1
    left = {view.value for view in memory.memory_list(owner_id=maya.id, language="en")}
    assert left == {"kites", "rain"}


def test_a_memory_that_was_replaced_goes_with_what_took_its_place(listed: Path, maya: User) -> None:
    for text in ("my name is Sam", "call me Sky"):
        memory.memory_learn(owner_id=maya.id, text=text, language="en", said_at=THEN, source=None)
    ids = set(Memory.objects.values_list("id", flat=True))
    assert memory.memory_forget_all(owner_id=maya.id) == 2
    assert set(listed.read_text().splitlines()) == {f"memory {one}" for one in ids}


def test_the_command_takes_another_list_says_what_was_back_and_writes_it_down(
    listed: Path, tmp_path: Path, maya: User, capsys: pytest.CaptureFixture[str]
) -> None:
    memory.memory_learn(owner_id=maya.id, text="i love olives", language="en", said_at=THEN, source=None)
    row = Memory.objects.get()
    saved = tmp_path / "saved.list"
    saved.write_text(f"memory {row.id}\nmemory {row.id}\nperson {new_id()}\nrubbish\n")
    call_command("restored", "--list", str(saved))
    said = capsys.readouterr().out
    assert "2 lines" in said
    assert "0 people, 1 memories" in said
    assert not Memory.objects.exists()
    call_command("restored", "--list", str(saved))
    assert "0 lines" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"nowhere\.list can't be read"):
        call_command("restored", "--list", str(tmp_path / "nowhere.list"))


def test_the_command_without_a_list_says_what_that_means(maya: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("restored")
    assert "put the file back" in capsys.readouterr().out
