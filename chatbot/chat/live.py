"""Who is to look again: sockets that follow a conversation or a person are woken through the channel layer.

An event says only "look"; what there is to see stands in rows. A lost event heals by itself: followers of an open turn
look every 300 ms anyway, others every 20 seconds, and sockets then also say again which groups they are in.
"""

from __future__ import annotations

import uuid

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer


def conversation_group(conversation_id: uuid.UUID) -> str:
    return f"conversation.{conversation_id.hex}"


def person_group(person_id: uuid.UUID) -> str:
    return f"person.{person_id.hex}"


async def wake(conversation_id: uuid.UUID) -> None:
    """Something of this conversation changed."""
    layer = get_channel_layer()
    if layer is not None:
        await layer.group_send(conversation_group(conversation_id), {"type": "conversation.woke"})


def person_look(person_id: uuid.UUID) -> None:
    """What holds for the person changed (limits, a guardian's yes): their sockets read it again and say so."""
    person_signed_out(person_id)


def person_signed_out(person_id: uuid.UUID) -> None:
    """The person signed out somewhere: their sockets look whether they are still signed in."""
    layer = get_channel_layer()
    if layer is not None:
        async_to_sync(layer.group_send)(person_group(person_id), {"type": "person.check"})
