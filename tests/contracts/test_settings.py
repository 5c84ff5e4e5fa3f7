"""What hangs on one switch in the settings, and the gate's look at known holes."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def settings_with(monkeypatch: pytest.MonkeyPatch, https: str) -> dict[str, Any]:
    monkeypatch.setenv("ABRACO_HTTPS", https)
    return runpy.run_path(str(ROOT / "chatbot" / "settings.py"))


def test_with_https_no_cookie_goes_without_it_and_browsers_remember(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings_with(monkeypatch, "1")
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["LANGUAGE_COOKIE_SECURE"]
    assert 0 < found["SECURE_HSTS_SECONDS"] <= 30 * 24 * 3600


def test_without_https_nothing_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings_with(monkeypatch, "0")
    assert not found["LANGUAGE_COOKIE_SECURE"]
    assert found["SECURE_HSTS_SECONDS"] == 0


@pytest.mark.parametrize(
    ("says", "ends", "status", "sentence"),
    [
        ("No known vulnerabilities found", 0, 0, "audit: nothing known"),
        ("Found 2 known vulnerabilities in 1 package", 1, 1, "Found 2 known vulnerabilities in 1 package"),
        ("Found 1 known vulnerability in 1 package", 1, 1, "raise the versions"),
        ("ConnectionError: no route", 1, 0, "not reachable"),
        ("No known vulnerabilities found\ndjango could not be audited", 0, 0, "not reachable"),
    ],
)
def test_the_gate_fails_on_a_known_hole_and_says_when_nobody_could_be_asked(
    tmp_path: Path, says: str, ends: int, status: int, sentence: str
) -> None:
    asked = tmp_path / "pip-audit"
    asked.write_text(f"#!/bin/sh\nprintf '%s\\n' '{says}' >&2\nexit {ends}\n")
    asked.chmod(0o755)
    done = subprocess.run([ROOT / ".ci" / "audit", asked], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status, done.stderr
    assert sentence in done.stdout + done.stderr
