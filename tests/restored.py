"""What the tests of a restored backup share, on SQLite and on PostgreSQL: somebody is erased and somebody has something
forgotten after the backup was made; then it is put back, and the product opens it with the same master key."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.browser.server import PASSWORD, Server
from tests.forgetting import BESIDE, PAGE, Told, Window, forget, told, until
from tests.service.teen import Teen, sessions_of

HERS = "wobbelinx"
# Prints what the product can read of each: memories and messages, or why not.
READ = """
import django, json
django.setup()
from chatbot.accounts.models import User
from chatbot.chat.models import Message
from chatbot.core.crypto import CryptoError
from companion.memory.services import memory_list
def read(of):
    try:
        return of()
    except CryptoError as error:
        return type(error).__name__
def both(person):
    memories = read(lambda: sorted(one.value for one in memory_list(owner_id=person.id, language="en")))
    messages = read(lambda: [row.body for row in Message.objects.filter(owner_id=person.id, author="user")])
    return memories, messages
print(json.dumps({one.username: both(one) for one in User.objects.filter(username__in=("maya", "leo"))}))
"""


@dataclass(frozen=True)
class Gone:
    """Maya, who was erased, and Leo, who had one thing forgotten, each with the session of before."""

    maya: str
    leo: str


def read(house: Server) -> dict[str, tuple[object, object]]:
    found: dict[str, tuple[object, object]] = json.loads(house.python(READ).splitlines()[-1])
    return found


def lived_and_gone(house: Server, stack: ExitStack, save: Callable[[], None]) -> Gone:
    """They live, a backup is made, and then what is to stay gone goes."""
    sessions = sessions_of(house, ("maya", "leo"))
    maya = told(house, Teen("maya", sessions["maya"], stack), HERS)
    leo: Told = told(house, Teen("leo", sessions["leo"], stack), PAGE, BESIDE)
    save()
    forget(leo)
    maya.wire.close()
    maya.window.get("/me/delete/")
    assert "Deleted" in maya.window.post("/me/delete/", password=PASSWORD)[1]
    return Gone(sessions["maya"], sessions["leo"])


def seen_restored(put_back: Callable[[], Server], gone: Gone, folder: Path) -> None:
    """`put_back`: the backup takes the database's place, and nobody serves yet."""
    # Without the list the backup would open: the list is what holds the promise.
    house = put_back()
    bare = Server(house.folder, house.port, {**house.changes, "ABRACO_GONE_FILE": str(folder / "none.list")})
    try:
        assert read(bare) == {
            "maya": [[HERS], [f"i love {HERS}"]],
            "leo": [sorted([BESIDE, PAGE]), [f"i love {BESIDE}", f"i love {PAGE}"]],
        }
    finally:
        bare.work_end()

    # With it, before anybody is served: she can't be read, he can, but for what he had forgotten.
    house.start()
    try:
        found = read(house)
        # The sweep is at it: her rows are there and don't open, or are gone already.
        assert [one for one in found.pop("maya", []) if one not in ("KeyDestroyed", [])] == []
        assert found == {"leo": [[BESIDE], [f"i love {BESIDE}", f"i love {PAGE}"]]}
        leo, maya = Window(house, gone.leo), Window(house, gone.maya)
        assert f"You like {BESIDE}" in leo.get("/me/memory/")[1]
        assert f"i love {BESIDE}" in leo.get(f"/chat/search/?q={BESIDE}")[1]
        for address in ("/me/memory/", "/chat/", "/me/export/abraco.json"):
            status, page = maya.get(address)
            assert (status, HERS in page) == (302, False)
        until(lambda: "maya" not in read(house), "gone again")
        maya.get("/account/login/")
        status, page = maya.post("/account/login/", login="maya", password=PASSWORD)
        assert status == 200
        assert "aren't right" in page or "go together" in page
    finally:
        house.stop()

    # Once more, by hand: the command says what was back.
    house = put_back()
    try:
        assert "1 people, 1 memories" in house.manage("restored")
        assert read(house)["maya"] == ["KeyDestroyed", "KeyDestroyed"]
        assert read(house)["leo"][0] == [BESIDE]
    finally:
        house.work_end()
