"""Processes that begin with everything read. A server of the product takes eight processor seconds until it is warm,
six of them for what no setting changes: torch, rules, patterns, languages. A nursery reads that once, and each process
that is started through it is forked off, gets its own environment and files, and is then what
`python -m MODULE ARGUMENTS` would be: Django, the settings and the database are its own.

How a bare uvicorn starts is tested without this (tests/process/test_start.py).
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
MOST: Final = 1 << 18  # bytes of what is asked
LIBRARIES: Final = (
    "celery.apps.worker", "celery.worker.consumer", "kombu.transport.redis", "psycopg", "websockets",
    "uvicorn.protocols.http.httptools_impl", "uvicorn.protocols.websockets.websockets_impl",
)  # fmt: skip
FILES: Final = 4  # its input, output and errors, and the line on which its end is told


class Started:
    """A process that was forked off. What it can do it does as subprocess.Popen does."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._said = line.makefile("r")
        self.returncode: int | None = None
        self.pid = int(self._said.readline())

    def poll(self) -> int | None:
        return self._within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        status = self._within(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _within(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._line], [], [], seconds)[0]:
            self.returncode = int(self._said.readline() or -signal.SIGKILL)
            self._said.close()
            self._line.close()
        return self.returncode


class Nursery:
    """Such a process. It ends when this one does, or at `end`."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery", str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONWARNINGS": "ignore"},
            )  # fmt: skip

    def start(
        self, module: str, *arguments: str, environment: Mapping[str, str], into: IO[Any] | int,
        errors: IO[Any] | int | None = None, reads: IO[Any] | int | None = None, apart: bool = False,
    ) -> Started:  # fmt: skip
        """Starts `python -m module arguments`, or `python -c code arguments`. into, errors: files (without errors, both
        in one); reads: its input. apart: in a session of its own."""
        ours, theirs = socket.socketpair()
        with theirs, open(os.devnull, "rb") as nothing:
            asked = {"module": module, "arguments": arguments, "environment": dict(environment), "apart": apart}
            files = (nothing if reads is None else reads, into, into if errors is None else errors, theirs)
            numbers = [one if isinstance(one, int) else one.fileno() for one in files]
            socket.send_fds(self._line, [json.dumps(asked).encode()], numbers)
        return Started(ours)

    def run(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str],
        given: str | bytes = b"",
        seconds: float = 240,
    ) -> subprocess.CompletedProcess[bytes]:  # fmt: skip
        """The same, until its end. given: what it reads. Raises subprocess.TimeoutExpired."""
        with TemporaryFile() as reads, TemporaryFile() as out, TemporaryFile() as err:
            reads.write(given.encode() if isinstance(given, str) else given)
            reads.seek(0)
            started = self.start(module, *arguments, environment=environment, into=out, errors=err, reads=reads)
            try:
                status = started.wait(seconds)
            finally:
                started.kill()
            for file in (out, err):
                file.seek(0)
            return subprocess.CompletedProcess((module, *arguments), status, out.read(), err.read())

    def end(self) -> None:
        self._line.close()
        self._process.wait(20)


@functools.cache
def nursery() -> Nursery:
    """One for all tests of this process."""
    made = Nursery()
    atexit.register(made.end)
    return made


def read_all() -> None:
    """What takes long and asks no setting. DANGER: nothing here may start a thread that the children need."""
    import torch

    from chatbot.core.encoder.multilingual import opened
    from companion.memory import lexicon
    from companion.memory.tagger import tagger
    from moderation import screen
    from moderation.detectors import language
    from moderation.detectors.personal.spans import personal_spans

    for name in LIBRARIES:
        importlib.import_module(name)
    torch.set_num_threads(1)
    screen.problems()
    language.warm()
    personal_spans("hello")
    lexicon.warm()
    opened()
    tagger()


def ended(work: Callable[[], object]) -> None:
    """Works, and ends this process as the interpreter does, but that its memory is dropped: taking apart a thousand
    modules that came with the fork would copy all of them first."""
    status: object = 0
    try:
        work()
    except SystemExit as error:
        status = error.code
    except BaseException:  # as the interpreter itself does
        traceback.print_exc()
        status = 1
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    if status is not None and not isinstance(status, int):
        print(status, file=sys.stderr)
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(status or 0))


def _begin(asked: Mapping[str, Any], files: list[int]) -> None:
    """In the process that was forked off: nothing of the nursery is left but what it has read."""
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    os.closerange(3, 1024)
    if asked["apart"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    sys.argv = [asked["module"], *asked["arguments"]]
    if asked["module"] == "-c":
        code = sys.argv.pop(1)
        ended(lambda: exec(compile(code, "<test>", "exec"), {"__name__": "__main__"}))  # noqa: S102  the tests' own
    ended(lambda: runpy.run_module(asked["module"], run_name="__main__", alter_sys=True))


def _keep(asked: Mapping[str, Any], files: list[int]) -> None:
    """Starts it, and tells its number and its end."""
    pid = os.fork()
    if pid == 0:
        _begin(asked, files)
    for file in files[:3]:
        os.close(file)
    os.write(files[3], f"{pid}\n".encode())
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        os.write(files[3], f"{status}\n".encode())
    finally:
        os._exit(0)


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1]))
    read_all()
    gc.collect()
    gc.freeze()  # or the first collection in each child would copy all that was read
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        said, files, _, _ = socket.recv_fds(line, MOST, FILES)
        if not said:
            return
        keeper = os.fork()
        if keeper == 0:
            line.close()
            if os.fork():  # nobody waits for the keeper
                os._exit(0)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _keep(json.loads(said), files)
        os.waitpid(keeper, 0)
        for file in files:
            os.close(file)


if __name__ == "__main__":
    main()
