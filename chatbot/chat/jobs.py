"""Work of the chat that comes after the commit, and the sweeps that find what a crash lost."""

from __future__ import annotations

from django.conf import settings

from chatbot.chat import services
from chatbot.core.jobs import sweep


@sweep("chat.expire", every_s=3600)
def expire() -> int:
    """Delete what is older than the house keeps messages."""
    return services.messages_expire(days=settings.MESSAGE_DAYS)
