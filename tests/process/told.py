"""The engine of these tests: what it says stands in a file, so that another script needs no other process."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.conf import settings

from companion.engines.scripted import ScriptedEngine, Stall, Step
from companion.types import Prompt

FROM_FILE = "tests.process.told:FromFile"
SCRIPT = "script.json"


def _script(prompt: Prompt) -> Iterable[Step]:
    for step in json.loads((settings.VAR_DIR / SCRIPT).read_text(encoding="utf-8")):
        yield step if isinstance(step, str) else Stall(float(step))


class FromFile(ScriptedEngine):
    """Chosen by ABRACO_ENGINE=tests.process.told:FromFile."""

    def __init__(self) -> None:
        super().__init__(_script)
