"""A message as moderation reads it, and as the companion does: each in the thread of its encoder."""

from __future__ import annotations

import asyncio

import structlog

from chatbot.chat import guard
from chatbot.chat.material import Material
from chatbot.core.encoder import Encoded, EncoderError, encode_async, encoder
from moderation.detectors.classifier.reading import Reading

log = structlog.get_logger()
SOON_S = 2.0  # for how long danger that rules see waits to be read by the classifier too


async def heard(material: Material) -> tuple[Reading, Encoded | None]:
    """Rules still work without either. Danger that they see doesn't wait for an encoder that somebody's long text holds
    up."""
    both = asyncio.gather(guard.message_read(material), _encoded(material.text))
    try:
        return await asyncio.wait_for(asyncio.shield(both), SOON_S)
    except TimeoutError:
        if guard.in_danger(material):
            return Reading(material.text, late=True), None
        return await both


async def _encoded(text: str) -> Encoded | None:
    try:
        encoded = await encode_async(text)
    except Exception as error:  # the companion answers without
        # Another's text may hold words of the message.
        log.error("encoder_failed", reason=str(error) if isinstance(error, EncoderError) else type(error).__name__)
        return None
    encoder().tails.keep(text, encoded)  # the engine reads it again, beside what was said before
    return encoded
