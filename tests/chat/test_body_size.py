"""Bodies that come in pieces, without saying how long they are: no address takes more of one than it says."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from asgiref.testing import ApplicationCommunicator

from chatbot.asgi import PAGE_BYTES, application
from chatbot.chat.api_door import BODY_BYTES, MODERATE_BYTES, MODERATIONS, MODERATIONS_BYTES
from chatbot.me.importing import BODY_BYTES as IMPORT_BYTES

pytestmark = pytest.mark.django_db(transaction=True)
PIECE = 16 * 1024


def pieces(size: int) -> Iterable[bytes]:
    while size > 0:
        yield b"a" * min(size, PIECE)
        size -= PIECE


async def posted(path: str, size: int, language: str = "en") -> tuple[int, str]:
    """The status and the body that a POST of that many bytes gets, sent in pieces."""
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "server": ("localhost", 80), "client": ("10.0.0.7", 1),
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"),
                    (b"accept-language", language.encode()), (b"transfer-encoding", b"chunked")],
    }  # fmt: skip
    wire = ApplicationCommunicator(application, scope)  # type: ignore[arg-type]  # the stubs know another kind
    for piece in pieces(size):
        await wire.send_input({"type": "http.request", "body": piece, "more_body": True})
    await wire.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await wire.receive_output(timeout=10)
    body, more = b"", True
    while more:
        part = await wire.receive_output(timeout=10)
        body, more = body + part.get("body", b""), part.get("more_body", False)
    await wire.wait()
    return start["status"], body.decode()


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/v1/messages", BODY_BYTES),
        ("/api/v1/moderate", MODERATE_BYTES),
        (MODERATIONS, MODERATIONS_BYTES),
        ("/help/", PAGE_BYTES),
        ("/me/memory/import/", IMPORT_BYTES),
    ],
)
async def test_a_body_in_pieces_is_taken_up_to_its_address_s_size_and_no_further(path: str, most: int) -> None:
    taken, _ = await posted(path, most)
    assert taken != 413
    refused, said = await posted(path, most + 1)
    assert refused == 413
    assert f"That's more than {most // 1024} KiB. Nothing was sent." in said


async def test_the_no_has_the_api_s_shape_there_and_is_a_plain_sentence_elsewhere_in_one_s_language() -> None:
    _, api = await posted("/api/v1/messages", BODY_BYTES + 1)
    assert json.loads(api) == {
        "code": "too_large",
        "message": "That's more than 64 KiB. Nothing was sent.",
        "field": None,
        "retry_after": None,
    }
    _, openai = await posted(MODERATIONS, MODERATIONS_BYTES + 1)
    assert json.loads(openai)["error"]["code"] == "too_large"
    _, page = await posted("/account/login/", PAGE_BYTES + 1, language="es")
    assert "1024 KiB" in page
    assert "Nothing was sent" not in page
