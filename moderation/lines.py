"""Screening by lines of JSON, for scripts and measurements: `manage.py moderate --jsonl` is a door to this.

In:  {"id": str, "text": str, "lang"?: str, "history"?: [{"who": "user"|"companion"|"other", "text": str}]}
Out: {"id", "action", "severity", "level", "playbook", "reason", "scores", "spans", "watch", "hits", "lang", "policy",
      "ms"}

`reason` and `hits` are for replays (moderation/replay.py): numbers and the names of rules, never a word of the text.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from moderation.replay import hits_kept
from moderation.screen import Screen
from moderation.types import LANGUAGES, Band, Exchanged, Language, Screening, Side, WatchState

MOST_CHARS: Final = 20_000
MOST_HISTORY: Final = 200


def _companion(value: object) -> object:
    return "companion" if value == "bot" else value


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore")
    who: Annotated[Literal["user", "companion", "other"], BeforeValidator(_companion)]
    text: str = Field(max_length=MOST_CHARS)


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    text: str = Field(max_length=MOST_CHARS)
    lang: str | None = None
    history: list[_Said] = Field(default_factory=list, max_length=MOST_HISTORY)


def language_named(name: str | None) -> Language:
    """Ours for a language tag ("pt", "es-MX"); English where it is none of ours."""
    wanted = (name or "").lower().partition("-")[0]
    return next((language for language in LANGUAGES if language.lower().partition("-")[0] == wanted), "en")


def lines_screen(
    lines: Iterable[str], *, screen: Screen, band: Band | None, side: Side, now: datetime
) -> Iterator[tuple[str, bool]]:
    """One line of JSON for each line that isn't blank, in order, and whether it could be read."""
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            line = _Line.model_validate_json(raw)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            why = f"{where}: {first['msg']}" if where else str(first["msg"])
            yield _dump({"error": why, "line": number}), False
            continue
        yield _dump(_screened(line, screen=screen, band=band, side=side, now=now)), True


def _dump(value: dict[str, Any]) -> str:
    # Plain ASCII, so that every terminal and every pipe can carry it.
    return json.dumps(value, ensure_ascii=True)


def _screened(line: _Line, *, screen: Screen, band: Band | None, side: Side, now: datetime) -> dict[str, Any]:
    language = language_named(line.lang)
    history = tuple(Exchanged(said.who, said.text) for said in line.history)
    watch = watch_replayed(history, screen=screen, band=band, language=language, now=now)
    start = time.perf_counter()
    if side == "message":
        found = screen.check_message(line.text, history=history, band=band, language=language, watch=watch, now=now)
    else:
        found = screen.check_whole_reply(line.text, history=history, band=band, language=language, watch=watch)
    return {"id": line.id, **shown(found, side), "ms": round((time.perf_counter() - start) * 1000, 3)}


def watch_replayed(
    history: Iterable[Exchanged], *, screen: Screen, band: Band | None, language: Language, now: datetime
) -> WatchState:
    """The watch as it would stand after these lines, had they been said here just now."""
    watch = WatchState()
    before: list[Exchanged] = []
    for said in history:
        if said.who == "user":
            found = screen.check_message(said.text, history=before, band=band, language=language, watch=watch, now=now)
            watch = found.watch
        before.append(said)
    return watch


def shown(found: Screening, side: Side) -> dict[str, Any]:
    """A screening as JSON has it."""
    decision = found.decision
    return {
        "action": decision.action,
        "severity": decision.severity,
        "level": decision.level if side == "message" else None,
        "playbook": decision.playbook,
        "reason": decision.reason,
        "scores": {name: round(score, 4) for name, score in found.scores.items()},
        "spans": [[span.start, span.end, span.type] for span in found.spans],
        "watch": list(found.signals),
        "hits": hits_kept(found.hits),
        "lang": found.language,
        "policy": decision.policy,
    }
