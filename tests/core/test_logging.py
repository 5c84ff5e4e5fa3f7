from __future__ import annotations

import json

import pytest
import structlog

from chatbot.core import logging


def test_only_keys_of_the_list_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        logging.configure()
        structlog.get_logger().info("turn_done", turn="7", text="my secret", body="my secret", person="maya")
    finally:
        structlog.configure(**before)
    line = json.loads(capsys.readouterr().out)
    assert set(line) == {"event", "level", "timestamp", "turn"}
