"""The memory page: see, correct, forget, pause, take along. Works without JavaScript."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.models import Role, User
from chatbot.accounts.views import person_of
from chatbot.chat.learning import messages_let_go
from chatbot.chat.material import language_of
from chatbot.chat.selectors import messages_stand
from chatbot.chat.summing import forgetting_begins, talks_let_go
from chatbot.chat.terminal import memory_row
from chatbot.core import clock
from chatbot.me.export import talk_rows
from chatbot.me.keeping import NotKept, correction_keep
from chatbot.me.overview import memory_state
from chatbot.me.undo import SECONDS, undo_end, undo_give, undo_take
from companion.memory import services
from companion.memory.facts import KINDS, Kind
from companion.memory.services import LONGEST_CORRECTION, MemoryView
from companion.memory.summaries import SummaryNotFound, summary_forget, summary_list
from companion.play import services as play

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Shown:
    """A memory, and the address of the message that it came from, while that is there."""

    memory: MemoryView
    link: str


@dataclass(frozen=True)
class Group:
    """One kind of thing, what is true now and what was."""

    title: str
    now: tuple[Shown, ...]
    before: tuple[Shown, ...]


def _title(kind: Kind) -> str:
    return {
        "name": _("Your name"),
        "from": _("Where you come from"),
        "year": _("School year"),
        "pet": _("Pets"),
        "person": _("People"),
        "favourite": _("Favourites"),
        "like": _("What you like"),
        "dislike": _("What you don't like"),
        "does": _("What you do"),
        "plan": _("Plans"),
        "win": _("What went well"),
        "feeling": _("How you felt"),
        "joke": _("Between us"),
        "boundary": _("What I leave alone"),
    }[kind]


def owned(view: View) -> View:
    """For somebody signed in who chats; guardians and staff have no memory here, and see nobody else's."""

    @never_cache
    @login_required
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = person_of(request)
        if person.role != Role.TEEN:
            refusal = gate.NotATeen()
            return render(request, "403.html", {"sentence": refusal.sentence(), "code": refusal.code}, status=403)
        return view(request, person, *args, **kwargs)

    return inner


def _of(person: User) -> list[MemoryView]:
    at = clock.now().astimezone(gate.zone_of(person))
    return services.memory_list(owner_id=person.id, language=language_of(person), at=at)


def _one(person: User, memory_id: uuid.UUID) -> MemoryView:
    """One's own memory. The same answer for one that doesn't exist and for somebody else's."""
    found = next((view for view in _of(person) if view.id == memory_id), None)
    if found is None:
        raise Http404
    return found


def _links(person: User, views: Sequence[MemoryView]) -> list[str]:
    """Where each was said: the page of history that ends with its message; empty when the message is gone."""
    stand = messages_stand(person, [view.source for view in views if view.source is not None])
    links = []
    for view in views:
        place = stand.get(view.source) if view.source is not None else None
        if view.source is None or place is None:
            links.append("")
        else:
            page = reverse("chat:conversation", args=[place])
            links.append(f"{page}?before={uuid.UUID(int=view.source.int + 1)}#m-{view.source}")
    return links


@owned
@require_safe
def memories(request: HttpRequest, person: User) -> HttpResponse:
    """Everything remembered, by kind, in plain words."""
    views = _of(person)
    shown = [Shown(view, link) for view, link in zip(views, _links(person, views), strict=True)]
    groups = [
        Group(
            title=_title(kind),
            now=tuple(one for one in shown if one.memory.kind == kind and one.memory.until is None),
            before=tuple(one for one in shown if one.memory.kind == kind and one.memory.until is not None),
        )
        for kind in KINDS
    ]
    state, talks = memory_state(person, now=clock.now()), summary_list(owner_id=person.id)
    context = {
        "groups": [one for one in groups if one.now or one.before],
        "talks": talks,
        "days": settings.MESSAGE_DAYS,
        "state": state,
        "count": len(views) + len(talks),
        "played": bool(play.left_of(person.id)),
        "zone": gate.zone_of(person),
        "undo_s": SECONDS if state == "on" and undo_take(request, person) is not None else 0,
    }
    return render(request, "me/memory.html", context)


@owned
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, person: User, memory_id: uuid.UUID) -> HttpResponse:
    """The owner's own words in the place of what was understood."""
    view = _one(person, memory_id)
    context: dict[str, Any] = {"memory": view, "length": LONGEST_CORRECTION, "value": view.value}
    context["state"] = memory_state(person, now=clock.now())
    if request.method == "GET":
        return render(request, "me/memory_correct.html", context)
    context["value"] = " ".join(request.POST.get("value", "").split())
    try:
        correction_keep(person, memory_id, context["value"])
    except NotKept as refusal:
        context |= {"error": refusal.sentence, "answer": refusal.answer, "value": view.value}
    except gate.Refused as refusal:
        context["error"] = refusal.sentence()
        return render(request, "me/memory_correct.html", context, status=403)
    except services.MemoryNotFound:
        raise Http404 from None
    else:
        messages.success(request, _("Changed."))
        return redirect("me:memory")
    return render(request, "me/memory_correct.html", context, status=400)


@owned
@require_POST
def forget(request: HttpRequest, person: User, memory_id: uuid.UUID) -> HttpResponse:
    """One thing, and what it had replaced. Always possible. It is gone from here at once; the answer holds it, sealed,
    and for some seconds may give it back. What isn't there (a second tap, and whatever isn't this person's) is gone."""
    forgetting_begins(person.id, language_of(person))
    try:
        taken = services.memory_taken(owner_id=person.id, memory_id=memory_id)
        services.memory_forget(owner_id=person.id, memory_id=memory_id)
    except services.MemoryNotFound:
        messages.success(request, _("That's gone already."))
        return redirect("me:memory")
    messages.success(request, _("Forgotten."))
    response = redirect("me:memory")
    undo_give(response, person, taken)
    return response


@owned
@require_POST
def forget_told(request: HttpRequest, person: User, message_id: uuid.UUID) -> HttpResponse:
    """All that one message taught, from the slip in the chat that said so. The same answer for what is gone already,
    was never there, and is somebody else's."""
    forgetting_begins(person.id, language_of(person))
    count = services.memory_forget_said(owner_id=person.id, source=message_id)
    return JsonResponse({"message": _("Forgotten.") if count else _("That's gone already.")})


@owned
@require_POST
def forget_talk(request: HttpRequest, person: User, summary_id: uuid.UUID) -> HttpResponse:
    """What is kept of one talk, and only that. The rest as in `forget`."""
    try:
        taken = summary_forget(owner_id=person.id, summary_id=summary_id)
    except SummaryNotFound:
        messages.success(request, _("That's gone already."))
        return redirect("me:memory")
    messages.success(request, _("Forgotten."))
    response = redirect("me:memory")
    undo_give(response, person, {"talks": [taken]})
    return response


@owned
@require_POST
def undo(request: HttpRequest, person: User) -> HttpResponse:
    """Back again, within the seconds, if its owner asks and memory is on."""
    taken = undo_take(request, person)
    if taken is None or memory_state(person, now=clock.now()) != "on":
        messages.warning(request, _("Too late: it is gone."))
    else:
        services.memory_restore(owner_id=person.id, taken=taken, language=language_of(person))
        messages.success(request, _("It's back."))
    response = redirect("me:memory")
    undo_end(response)
    return response


@owned
@require_POST
def forget_about(request: HttpRequest, person: User) -> HttpResponse:
    """Everything about a person or a thing, by its words. Always possible."""
    forgetting_begins(person.id, language_of(person))
    topic = request.POST.get("topic", "")[:LONGEST_CORRECTION]
    count = services.memory_forget_about(owner_id=person.id, topic=topic)
    said = ngettext("%(count)d thing forgotten.", "%(count)d things forgotten.", count) % {"count": count}
    messages.success(request, said if count else _("Nothing about that was remembered."))
    return redirect("me:memory")


@owned
@require_http_methods(["GET", "POST"])
def forget_all(request: HttpRequest, person: User) -> HttpResponse:
    """Everything, in two taps: the link here, and the button. What games kept goes too. Always possible."""
    if request.method == "GET":
        return render(request, "me/forget_all.html", {"count": services.memory_count(owner_id=person.id)})
    messages_let_go(person.id)  # first: a job that is at it keeps nothing any more
    talks_let_go(person.id)
    count = services.memory_forget_all(owner_id=person.id)
    play.play_forget(person.id)
    said = ngettext("%(count)d thing forgotten.", "%(count)d things forgotten.", count) % {"count": count}
    messages.success(request, said if count else _("Forgotten."))
    response = redirect("me:memory")
    undo_end(response)
    return response


@owned
@require_POST
def pause(request: HttpRequest, person: User) -> HttpResponse:
    """The person's own switch. One that a guardian or the operator set stays as it is."""
    paused = request.POST.get("pause") == "on"
    people.memory_pause(person, paused=paused)
    messages.success(request, _("Paused. Nothing new is kept.") if paused else _("Memory is on again."))
    return redirect("me:privacy" if request.POST.get("back") == "privacy" else "me:memory")


@owned
@require_safe
def export(request: HttpRequest, person: User) -> HttpResponse:
    """What `manage.py memory --json` says, as a file that says whose it is: in the shape of the copy of everything."""
    copy = {
        "exported_at": clock.now().isoformat(),
        "account": {"user_name": person.username},
        "memory": [memory_row(view) for view in _of(person)],
        "talks": [{name: _written(value) for name, value in row.items()} for row in talk_rows(person)],
    }
    response = JsonResponse(copy, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = 'attachment; filename="memory.json"'
    return response


def _written(value: Any) -> Any:
    """A moment as the copy of everything writes it."""
    return value.isoformat() if isinstance(value, datetime) else value
