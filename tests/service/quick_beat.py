"""The house's own beat, for tests that can't wait a minute: messages that nobody learned from are looked for each two
seconds."""

from __future__ import annotations

from chatbot.celery import app

app.conf.beat_schedule["chat.learn"]["schedule"] = 2.0
