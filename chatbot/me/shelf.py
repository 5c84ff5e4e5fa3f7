"""The shelf's pages: see it, take things off it, take it along as a zine. Works without JavaScript."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.chat.material import language_of
from chatbot.chat.skill_list import skill_chip
from chatbot.core import clock
from chatbot.me.export_views import FILE_POLICY
from chatbot.me.made import MOODS, STORIES, WORDS, faces_of, stories_of, words_of
from chatbot.me.memory import owned
from chatbot.me.overview import memory_state
from companion.play import services as play
from companion.profile.services import companion_for


@dataclass(frozen=True)
class Way:
    """A skill that brings something here, and the words that ask for it."""

    skill: str
    say: str


def _ways(person: User) -> dict[str, Way]:
    """What to say in the chat so that something comes here, by what comes: in the language of the chat, whatever the
    page's is. Nothing that is switched off."""
    off = gate.limits_of(person, clock.now()).skills_off | settings.SKILLS_OFF
    names = {"story": STORIES, "word": WORDS[0], "mood": MOODS[0]}
    language = language_of(person)
    chips = {what: (name, skill_chip(name, language)) for what, name in names.items() if name not in off}
    return {what: Way(name, chip) for what, (name, chip) in chips.items() if chip}


@owned
@require_safe
def shelf(request: HttpRequest, person: User) -> HttpResponse:
    """All of it, the newest story first."""
    context: dict[str, Any] = {
        "stories": stories_of(person)[::-1],
        "words": words_of(person),
        "faces": faces_of(person),
        "ways": _ways(person),
        "chat_language": language_of(person),
        "state": memory_state(person, now=clock.now()),
        "companion": companion_for(person.id),
        "zone": gate.zone_of(person),
    }
    return render(request, "me/shelf.html", context)


@owned
@require_safe
def zine(request: HttpRequest, person: User) -> HttpResponse:
    """Stories and words as one page to print: a file, with its style inside and nothing from elsewhere."""
    context = {
        "stories": stories_of(person),
        "words": words_of(person),
        "companion": companion_for(person.id),
        "now": clock.now(),
        "zone": gate.zone_of(person),
    }
    response = render(request, "me/zine.html", context)
    response["Content-Disposition"] = 'attachment; filename="zine.html"'
    response["Content-Security-Policy"] = FILE_POLICY
    return response


@owned
@require_POST
def take_off(request: HttpRequest, person: User, keepsake_id: uuid.UUID) -> HttpResponse:
    """One thing, in one tap. The same answer for one that doesn't exist and for somebody else's."""
    title = next((story.title for story in stories_of(person) if story.id == keepsake_id), "")
    if not play.shelf_remove(owner_id=person.id, keepsake_id=keepsake_id):
        raise Http404
    messages.success(request, _("“%(title)s” is off the shelf.") % {"title": title})
    return redirect("me:shelf")


@owned
@require_POST
def word_remove(request: HttpRequest, person: User) -> HttpResponse:
    """One word, in one tap: the companion doesn't know it any more."""
    word, (skill, part) = request.POST.get("word", ""), WORDS
    gone = play.kept_drop(owner_id=person.id, skill=skill, part=part, gone=lambda row: row["word"] == word)
    if not gone + play.shelf_words_remove(owner_id=person.id, word=word):
        raise Http404
    messages.success(request, _("“%(word)s” is out of the dictionary.") % {"word": word})
    return redirect("me:shelf")


@owned
@require_POST
def moods_forget(request: HttpRequest, person: User) -> HttpResponse:
    """All check-ins, in one tap."""
    skill, part = MOODS
    play.kept_drop(owner_id=person.id, skill=skill, part=part, gone=lambda row: True)
    messages.success(request, _("The check-ins are forgotten."))
    return redirect("me:shelf")
