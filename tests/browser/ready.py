"""Django, set up once for many pieces of work, since setting it up takes a second. Each runs in a process of its own,
which is forked off this one.

`python -m tests.browser.ready` reads a line of JSON for each, {"code": ..., "arguments": [...], "environment": {...}}
(no code: a management command), and answers with a line, {"status": ..., "out": ..., "err": ...}.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from tempfile import TemporaryFile
from typing import Any

from tests.nursery import ended, nursery


class Ready:
    """Such a process, and what it is asked."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        (reads, asks), (answers, into) = os.pipe(), os.pipe()
        start = nursery().start
        self._process = start("tests.browser.ready", environment=environment, reads=reads, into=into, errors=2)
        os.close(reads)
        os.close(into)
        self._asks, self._answers = os.fdopen(asks, "w"), os.fdopen(answers)

    def run(self, code: str | None, *arguments: str, environment: Mapping[str, str]) -> dict[str, Any]:
        asked = {"code": code, "arguments": arguments, "environment": dict(environment)}
        self._asks.write(json.dumps(asked) + "\n")
        self._asks.flush()
        answer: dict[str, Any] = json.loads(self._answers.readline() or '{"status": -1, "err": "it ended"}')
        return answer

    def end(self) -> None:
        self._asks.close()
        self._process.wait(20)
        self._answers.close()


def _work(asked: dict[str, Any]) -> None:
    os.environ.update(asked["environment"])
    if asked["code"] is not None:
        sys.argv = ["-c", *asked["arguments"]]
        exec(compile(asked["code"], "<test>", "exec"), {"__name__": "__main__"})  # noqa: S102  it is the tests' own
        return
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *asked["arguments"]])


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
                ended(lambda asked=asked: _work(asked))  # type: ignore[misc]
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            said = []
            for file in (out, err):
                file.seek(0)
                said.append(file.read().decode())
        print(json.dumps({"status": status, "out": said[0], "err": said[1]}), flush=True)


if __name__ == "__main__":
    main()
