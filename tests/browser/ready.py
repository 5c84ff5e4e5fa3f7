"""Django, set up once for many pieces of work, since setting it up takes a second. Each runs in a process of its own,
which is forked off this one and ends as any other does, but that its memory is not tidied up: it is dropped.

`python -m tests.browser.ready` reads a line of JSON for each, {"code": ..., "arguments": [...], "environment": {...}}
(no code: a management command), and answers with a line, {"status": ..., "out": ..., "err": ...}.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Ready:
    """Such a process, and what it is asked."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.ready"], cwd=ROOT, env=dict(environment), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, code: str | None, *arguments: str, environment: Mapping[str, str]) -> dict[str, Any]:
        asked = {"code": code, "arguments": arguments, "environment": dict(environment)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"status": -1, "err": "it ended"}')
        return answer

    def end(self) -> None:
        self._process.communicate(timeout=20)


def _work(asked: dict[str, Any]) -> None:
    os.environ.update(asked["environment"])
    if asked["code"] is not None:
        sys.argv = ["-c", *asked["arguments"]]
        exec(compile(asked["code"], "<test>", "exec"), {"__name__": "__main__"})  # noqa: S102  it is the tests' own
        return
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *asked["arguments"]])


def _end(asked: dict[str, Any]) -> None:
    """Work, and end this process. Taking apart a thousand modules that came with the fork would copy all of them first:
    half a second each time."""
    status: object = 0
    try:
        _work(asked)
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
    os._exit(status or 0)


def main() -> None:
    import django

    django.setup()
    for line in sys.stdin:
        asked = json.loads(line)
        with TemporaryFile() as out, TemporaryFile() as err:
            pid = os.fork()
            if pid == 0:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                _end(asked)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            said = []
            for file in (out, err):
                file.seek(0)
                said.append(file.read().decode())
        print(json.dumps({"status": status, "out": said[0], "err": said[1]}), flush=True)


if __name__ == "__main__":
    main()
