"""Static files go out packed where the browser takes that, and as they are where it does not."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from django.test import Client

from chatbot.core import static

CSS = Path("chatbot/static/abraco.css")


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_style_sheet_is_packed_for_whom_takes_it(client: Client) -> None:
    response = client.get("/static/abraco.css", headers={"Accept-Encoding": "gzip, br"})
    packed = body(response)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Type"].startswith("text/css")
    assert len(packed) == int(response.headers["Content-Length"]) < CSS.stat().st_size / 3
    assert gzip.decompress(packed) == CSS.read_bytes()


def test_whom_does_not_take_it_gets_the_file_as_it_is(client: Client) -> None:
    response = client.get("/static/abraco.css", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in response.headers
    assert body(response) == CSS.read_bytes()


def test_where_nothing_can_be_written_there_is_no_twin_and_no_error(settings: Any, tmp_path: Path) -> None:
    static._twin.cache_clear()
    shut = tmp_path / "a-file-and-no-folder"
    shut.touch()
    settings.VAR_DIR = shut
    assert static._twin(str(CSS.resolve()), 0, 0) is None
    static._twin.cache_clear()
