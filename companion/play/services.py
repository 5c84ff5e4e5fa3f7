"""What a person plays: read for a turn, kept after it, forgotten. And the shelf of what was made together."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from chatbot.core.erasure import copies_drop
from chatbot.core.gone import gone_note
from chatbot.core.rows import only_row
from companion.play.models import Keepsake, Play
from companion.skills.api import Made, Playing

OPEN_FOR = timedelta(hours=3)  # a game that nobody touched for longer is put away
SHELF = 200  # things; the oldest go
GONE = "keepsake"
WORD = "word"  # the kind of a thing that is one


@dataclass(frozen=True)
class Kept:
    """One thing on the shelf."""

    id: uuid.UUID
    kind: str
    title: str
    text: str
    at: datetime


def play_read(
    *, owner_id: uuid.UUID, conversation_id: uuid.UUID, turn_id: uuid.UUID, now: datetime, remembers: bool
) -> dict[str, Playing]:
    """By name, how this person left each skill, as it was before this turn. `active` only in the conversation where it
    is played, and for three hours. remembers: whether anything from earlier may be used."""
    row = only_row(Play.objects.filter(owner_id=owner_id))
    if row is None:
        return {}
    skills = {**row.skills, **(row.before if row.turn_id == turn_id else {})}
    found = {}
    for name, given in skills.items():
        if given is None:  # it was not there before this turn
            continue
        here = given["conversation"] == str(conversation_id)
        fresh = datetime.fromisoformat(given["at"]) + OPEN_FOR > now
        active = bool(given["active"]) and here and fresh
        if active or remembers:
            kept = given["kept"] if remembers else given["here"]
            found[name] = Playing(
                name, given["state"], kept, active=active, missed=given["missed"], language=given["language"]
            )
    return found


def play_keep(
    *, owner_id: uuid.UUID, conversation_id: uuid.UUID, turn_id: uuid.UUID, rows: Iterable[Playing], made: Made | None,
    now: datetime, remembers: bool,
) -> None:  # fmt: skip
    """Keep how a turn left the skills that it changed. Without `remembers` open games stay until they close, what was
    kept before stays as it was, and nothing is added to it."""
    with transaction.atomic():
        play = only_row(Play.objects.select_for_update().filter(owner_id=owner_id))
        if play is None:
            play = Play(owner_id=owner_id, skills={}, before={})
        skills, before = dict(play.skills), dict(play.before) if play.turn_id == turn_id else {}
        for row in rows:
            old = skills.get(row.skill)
            before.setdefault(row.skill, old)
            told = _told(row, conversation_id, now)
            if not remembers:
                told |= {"kept": old["kept"] if old else {}, "here": row.kept if row.active else {}}
                told["state"] = row.state if row.active else None
            skills[row.skill] = told
        play.skills = {name: one for name, one in skills.items() if one["active"] or one["kept"] or one["state"]}
        play.before, play.turn_id = before, turn_id
        play.save()
        if made is not None and remembers:
            shelf_add(owner_id=owner_id, turn_id=turn_id, made=made)


def _told(row: Playing, conversation_id: uuid.UUID, now: datetime) -> dict[str, Any]:
    return {
        "state": row.state, "kept": row.kept, "here": {}, "active": row.active, "missed": row.missed,
        "conversation": str(conversation_id), "at": now.isoformat(), "language": row.language,
    }  # fmt: skip


def play_close(owner_id: uuid.UUID) -> None:
    """Put every open game away: something graver is talked about. Where they stood stays."""
    with transaction.atomic():
        play = only_row(Play.objects.select_for_update().filter(owner_id=owner_id))
        if play is not None and any(one["active"] for one in play.skills.values()):
            play.skills = {name: {**one, "active": False} for name, one in play.skills.items()}
            play.before = {}
            play.save()


def shelf_add(*, owner_id: uuid.UUID, turn_id: uuid.UUID, made: Made) -> None:
    """Put something on the shelf, once a turn."""
    if Keepsake.objects.filter(turn_id=turn_id).exists():
        return
    thing = {"kind": made.kind, "title": made.title, "text": made.text}
    Keepsake.objects.create(owner_id=owner_id, turn_id=turn_id, thing=thing)
    old = Keepsake.objects.filter(owner_id=owner_id).order_by("-id").values_list("id", flat=True)[SHELF:]
    Keepsake.objects.filter(id__in=list(old)).delete()


def shelf_of(owner_id: uuid.UUID) -> list[Kept]:
    """What stands on the shelf, oldest first."""
    rows = Keepsake.objects.filter(owner_id=owner_id).order_by("id")
    return [Kept(row.id, row.thing["kind"], row.thing["title"], row.thing["text"], row.at) for row in rows]


def shelf_remove(*, owner_id: uuid.UUID, keepsake_id: uuid.UUID) -> bool:
    """Take one thing off the shelf for good. Whether it was there."""
    with transaction.atomic():
        return _off_the_shelf(owner_id, [keepsake_id]) == 1


def _off_the_shelf(owner_id: uuid.UUID, ids: Collection[uuid.UUID]) -> int:
    """Those of these that are the person's. A backup does not bring them back, and a copy made of them goes too."""
    theirs = list(Keepsake.objects.filter(owner_id=owner_id, id__in=ids).values_list("id", flat=True))
    if theirs:
        gone_note(GONE, theirs)
        copies_drop(owner_id)
    return Keepsake.objects.filter(id__in=theirs).delete()[0]


def keepsakes_remove_again(ids: Collection[uuid.UUID]) -> int:
    """Delete those of these that are back, out of a backup. How many."""
    return Keepsake.objects.filter(id__in=ids).delete()[0]


def kept_of(owner_id: uuid.UUID) -> Mapping[str, Any]:
    """By skill, what it kept about this person: their words, their check-ins, their homework."""
    row = only_row(Play.objects.filter(owner_id=owner_id))
    return {} if row is None else {name: one["kept"] for name, one in row.skills.items() if one["kept"]}


def left_of(owner_id: uuid.UUID) -> dict[str, dict[str, Any]]:
    """By skill, all there is about this person, for their own copy: what it kept, where a game stands, since when."""
    row = only_row(Play.objects.filter(owner_id=owner_id))
    skills = {} if row is None else row.skills
    return {name: {"kept": one["kept"], "stands": one["state"], "at": one["at"]} for name, one in skills.items()}


def kept_drop(*, owner_id: uuid.UUID, skill: str, part: str, gone: Callable[[Mapping[str, Any]], bool]) -> int:
    """Take entries out of a list that a skill kept: its words, its days. How many went. An open game of that skill is
    put away, since it may be in the middle of one of them."""
    with transaction.atomic():
        play = only_row(Play.objects.select_for_update().filter(owner_id=owner_id))
        given = None if play is None else play.skills.get(skill)
        if play is None or given is None:
            return 0
        listed = given["kept"].get(part, [])
        left = [one for one in listed if not gone(one)]
        if len(left) == len(listed):
            return 0
        kept = {name: value for name, value in given["kept"].items() if name != part} | ({part: left} if left else {})
        skills = {name: one for name, one in play.skills.items() if name != skill}
        # Where nothing is left of it, that it was ever used goes as well.
        play.skills = skills | ({skill: {**given, "state": None, "active": False, "kept": kept}} if kept else {})
        play.before = {}  # of the last turn, as it was before it: what has just gone would be in there
        play.save()
        copies_drop(owner_id)
    return len(listed) - len(left)


def shelf_words_remove(*, owner_id: uuid.UUID, word: str | None = None) -> int:
    """Take words off the shelf, that one or all of them. How many went."""
    with transaction.atomic():
        rows = [row for row in Keepsake.objects.filter(owner_id=owner_id) if row.thing["kind"] == WORD]
        return _off_the_shelf(owner_id, [row.id for row in rows if word is None or row.thing["title"] == word])


def play_forget(owner_id: uuid.UUID) -> None:
    """Forget what skills kept, open games too, and the words that were taught. Stories stay: their owner wanted them on
    the shelf, and takes them off there."""
    with transaction.atomic():
        if Play.objects.filter(owner_id=owner_id).delete()[0]:
            copies_drop(owner_id)
        shelf_words_remove(owner_id=owner_id)


def person_forget(owner_id: uuid.UUID) -> None:
    """Delete the rows (erasure)."""
    with transaction.atomic():
        Play.objects.filter(owner_id=owner_id).delete()
        Keepsake.objects.filter(owner_id=owner_id).delete()
