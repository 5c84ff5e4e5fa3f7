"""A person's copy as text, bit by bit: JSON for programs, and one page that opens without a network for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import Any

from django.template.loader import render_to_string

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.chat.archive import Said, Talk
from chatbot.me.export import Copy
from chatbot.me.made import kept_told, stories_of
from chatbot.me.overview import overview_of

# Messages that one template draws at a time.
ROWS = 100


def _plain(value: object) -> str:
    """Moments, days and ids as programs write them; a sentence that waits for its language as the sentence."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain)


def data_file(copy: Copy) -> Iterator[str]:
    """One JSON object. The conversations come last, a message at a time."""
    yield "{\n"
    for name, value in copy.facts.items():
        yield f"{json.dumps(name)}: {_dumped(value)},\n"
    yield '"conversations": ['
    for number, (talk, said) in enumerate(copy.talks):
        yield ("," if number else "") + _opened(talk)
        for place, one in enumerate(said):
            yield (",\n" if place else "\n") + _row(one)
        yield "\n]}"
    yield "]\n}\n"


def _opened(talk: Talk) -> str:
    return f'\n{{"started_at": {_dumped(talk.started_at)}, "last_at": {_dumped(talk.last_at)}, "messages": ['


def _row(said: Said) -> str:
    row: dict[str, Any] = {"who": said.who, "text": said.text, "at": said.at}
    row["reactions"] = [said.reaction] if said.reaction else []
    if said.replaced:
        row["replaced"] = True
    if said.off_record:
        row["off_record"] = True
    return json.dumps(row, ensure_ascii=False, default=_plain)


def page_file(copy: Copy, person: User, *, language: str) -> Iterator[str]:
    """One HTML file with its style inside: no script, nothing from elsewhere; every word of people is escaped."""
    facts = copy.facts
    shared = {"copy": facts, "zone": gate.zone_of(person), "language": language}
    head = {**shared, "me": overview_of(person, now=facts["exported_at"]), "teen": "memory" in facts}
    if head["teen"]:
        head |= {"shelf": stories_of(person), "kept": kept_told(person)}
    yield render_to_string("me/copy/head.html", head)
    for talk, said in copy.talks:
        yield render_to_string("me/copy/talk.html", {**shared, "talk": talk})
        while page := list(islice(said, ROWS)):
            yield render_to_string("me/copy/said.html", {**shared, "said": page})
        yield "</section>\n"
    yield render_to_string("me/copy/foot.html", shared)
