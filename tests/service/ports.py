"""Free ports, and what is not installed here."""

from __future__ import annotations

import os
import socket
from typing import NoReturn

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def not_installed(what: str) -> NoReturn:
    """Skip, saying why; in CI that is a failure."""
    reason = f"no {what} here: apt-get install {what}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
