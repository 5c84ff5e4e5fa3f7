"""What the tests of forgetting share, on one process with SQLite and on all parts: words that are typed, kept and
forgotten in each way there is, and everywhere they could still be."""

from __future__ import annotations

import contextlib
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection

from tests.browser.server import Server
from tests.service.ports import free_port
from tests.service.teen import Teen, answered

# By the way in which each is forgotten, and what is remembered beside it. ONCE_MORE is typed to a fresh process.
PAGE, TOPIC, ALL, BESIDE, ONCE_MORE = "zorbleton", "quibblefrost", "vexmoorish", "plinkaroo", "glimmerpod"
FORGOTTEN = (PAGE, TOPIC, ALL)
WAIT_S = 60

# Prints what is stored of the person's memories: ids, and a piece of each sealed value.
SEALED = """
import django, json, sys
django.setup()
from django.db import connection
from chatbot.accounts.models import User
owner = User.objects.get(username=sys.argv[1]).id
with connection.cursor() as cursor:
    name = owner.hex if connection.vendor == "sqlite" else str(owner)
    cursor.execute("SELECT id, fact, vector FROM memory_memory WHERE owner_id = %s", [name])
    rows = [[str(key), *(bytes(one).hex() for one in sealed if one is not None)] for key, *sealed in cursor.fetchall()]
    cursor.execute("SELECT said FROM memory_summary WHERE owner_id = %s", [name])
    talks = [bytes(said).hex() for (said,) in cursor.fetchall()]
print(json.dumps([rows, talks]))
"""
# An hour passes for this person's talk, and then it is summed up.
SUM_UP = """
import django, sys
django.setup()
from datetime import timedelta
from django.db.models import F
from chatbot.accounts.models import User
from chatbot.chat.models import Conversation, Message
from chatbot.core import jobs
person, hour = User.objects.get(username=sys.argv[1]), timedelta(hours=1)
Message.objects.filter(owner_id=person.id).update(at=F("at") - hour)
Conversation.objects.filter(person=person).update(last_at=F("last_at") - hour)
assert jobs.run_job("chat.sum", str(person.id))
"""
# Begins a conversation, as the button does, and prints its id.
BEGIN = """
import django, sys
django.setup()
from chatbot.accounts.models import User
from chatbot.chat.services import conversation_start
print(conversation_start(person=User.objects.get(username=sys.argv[1])).id)
"""
# Forty days pass for this person's messages, and then the house deletes them.
EXPIRE = """
import django, sys
django.setup()
from datetime import timedelta
from django.db.models import F
from chatbot.accounts.models import User
from chatbot.chat.models import Message
from chatbot.chat.services import messages_expire
person = User.objects.get(username=sys.argv[1])
Message.objects.filter(owner_id=person.id).update(at=F("at") - timedelta(days=40))
print(messages_expire(days=30))
"""
SWEEP = """
import django, sys
django.setup()
from chatbot.core import jobs
print(jobs.run_sweep(sys.argv[1]))
"""


class Window:
    """Somebody's pages, asked over HTTP with their session; forms with the page's own token."""

    def __init__(self, house: Server, session: str) -> None:
        self.house, self.session, self._token = house, session, ""

    def get(self, path: str) -> tuple[int, str]:
        return self._answered(urllib.request.Request(self.house.url + path, headers=self._headers(path)))

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        data = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": self._token}).encode()
        return self._answered(urllib.request.Request(self.house.url + path, data, self._headers(path)))

    def _headers(self, path: str) -> dict[str, str]:
        cookies = [f"sessionid={self.session}"] if self.session else []
        if self._token:
            cookies.append(f"csrftoken={self._token}")
        return {"Cookie": "; ".join(cookies), "Referer": self.house.url + path}

    def _answered(self, request: urllib.request.Request) -> tuple[int, str]:
        opener = urllib.request.build_opener(_Stays)
        try:
            with opener.open(request, timeout=60) as response:
                page = response.read().decode("utf-8")
                status, headers = response.status, response.headers
        except urllib.error.HTTPError as error:
            page, status, headers = error.read().decode("utf-8", "replace"), error.code, error.headers
        for cookie in headers.get_all("Set-Cookie") or ():
            if cookie.startswith("csrftoken="):
                self._token = cookie.partition("=")[2].partition(";")[0]
        return status, page


class _Stays(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer."""

    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        return None


def until(holds: Callable[[], bool], what: str) -> None:
    """Look until it is so."""
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end, f"never {what}"
        time.sleep(0.2)


def can_answer(house: Server) -> None:
    """Wait until its engine is loaded: a first message would wait as long, and a socket doesn't."""

    def loaded() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{house.url}/ready", timeout=20) as answer:
            return bool(json.load(answer)["parts"]["engine"] == "ok")
        return False

    until(loaded, "able to answer")


@dataclass
class Told:
    """A teen who was heard and remembered, and what was stored of the word."""

    teen: Teen
    window: Window
    wire: ClientConnection
    word: str
    sealed: list[bytes] = field(default_factory=list)


def told(house: Server, teen: Teen, word: str, *others: str) -> Told:
    """Type the words, each in a turn of its own, and wait until extraction kept them, and the talk is summed up."""
    wire = teen.connect(house)
    for one in (*others, word):
        answered(wire, f"i love {one}")
    window = Window(house, teen.session)
    until(lambda: all(one in window.get("/me/memory/")[1] for one in (*others, word)), f"remembered {word}")
    house.python(SUM_UP, teen.name)
    page = window.get("/me/memory/")[1]
    assert f"“i love {word}”" in page
    memory_id = memory_of(page, word)
    rows, talks = json.loads(house.python(SEALED, teen.name).splitlines()[-1])
    found = [bytes.fromhex(piece) for key, *pieces in rows if uuid.UUID(key) == memory_id for piece in pieces]
    found += [bytes.fromhex(said) for said in talks]
    assert len(found) == 3, "the fact, its vector and the talk"
    return Told(teen, window, wire, word, found)


def memory_of(page: str, word: str) -> uuid.UUID:
    """The id of the memory that the page tells with that word."""
    after = page[page.index(f"You like {word}") :]
    match = re.search(r"/me/memory/([0-9a-f-]{36})/forget/", after)
    assert match is not None
    return uuid.UUID(match[1])


def forget(one: Told) -> None:
    """In the way that goes with the word."""
    match one.word:
        case _ if one.word == PAGE:
            memory_id = memory_of(one.window.get("/me/memory/")[1], one.word)
            assert one.window.post(f"/me/memory/{memory_id}/forget/")[0] == 302
        case _ if one.word == TOPIC:
            answered(one.wire, f"forget everything about {one.word}")
        case _:
            one.window.get("/me/memory/forget-all/")
            assert one.window.post("/me/memory/forget-all/")[0] == 302
    status, page = one.window.get("/me/memory/")
    assert status == 200
    assert one.word not in page
    assert (f"You like {BESIDE}" in page) == (one.word != ALL)
    one.wire.close()


def copy_of(window: Window, form: str) -> str:
    """Ask for a copy if there is none, wait, fetch it."""
    if window.get(f"/me/export/abraco.{form}")[0] == 404:
        window.get("/me/export/")
        window.post("/me/export/")
    until(lambda: window.get(f"/me/export/abraco.{form}")[0] == 200, "a copy")
    return window.get(f"/me/export/abraco.{form}")[1]


def without_talks(copy: str) -> str:
    """All of the copy but what was said in the chats."""
    kept = json.loads(copy)
    assert kept.pop("conversations")
    return json.dumps(kept, ensure_ascii=False)


@dataclass
class Fresh:
    """Another process of the same house, started after everything was forgotten."""

    server: Server
    stack: ExitStack

    @classmethod
    def started(cls, house: Server, stack: ExitStack) -> Fresh:
        server = Server(house.folder, free_port(), house.changes, log_name="server-fresh.log")
        stack.callback(server.stop)
        server.start()
        can_answer(server)
        return cls(server, stack)

    def serve(self, house: Server, teen: Teen) -> None:
        """One turn, in a conversation of its own: the old one is the person's, and holds what they typed."""
        teen.conversation = house.python(BEGIN, teen.name).splitlines()[-1]
        wire = teen.connect(self.server)
        answered(wire, f"i love {ONCE_MORE}")
        wire.close()

    def in_memory(self, words: Sequence[str]) -> list[str]:
        """Which of the words stand anywhere in what the process has written to memory, as Python stores text."""
        assert self.server.process is not None
        if not Path("/proc/self/mem").exists():
            pytest.skip("no /proc here: what a process holds can't be looked at")
        pid, found = self.server.process.pid, set()
        with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
            for start, end in _writable(pid):
                memory.seek(start)
                try:
                    content = memory.read(end - start)
                except OSError:  # a guard page, or one that went meanwhile
                    continue
                # Wider letters are the same ones with zeros between; 30 searches of a gigabyte would take minutes.
                content = content.replace(b"\0", b"").lower()
                found |= {word for word in words if word.encode() in content}
        return sorted(found)


def _writable(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
        place, rights, *_ = line.split()
        if rights.startswith("rw"):
            start, _, end = place.partition("-")
            yield int(start, 16), int(end, 16)


def in_files(marks: Mapping[str, Sequence[bytes]], *folders: Path, but: str = "") -> list[str]:
    """Which of these stand in a file below, each with the file. `but`: a folder's name that is left out."""
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and (not but or but not in path.parts):
                content = path.read_bytes()
                found += [
                    f"{name} in {path.name}" for name, some in marks.items() if any(one in content for one in some)
                ]
    return found


def plain(words: Sequence[str]) -> dict[str, list[bytes]]:
    """Each word as it may be written."""
    codings = ("utf-8", "utf-16-le", "utf-32-le")
    return {word: [form.encode(one) for form in (word, word.capitalize()) for one in codings] for word in words}
