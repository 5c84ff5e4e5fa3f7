"""The example host, examples/host/server.py, as a module: what site owners copy is what the tests run."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def _example() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "examples" / "host" / "server.py"
    spec = importlib.util.spec_from_file_location("example_host", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["example_host"] = module
    spec.loader.exec_module(module)
    return module


example = _example()
