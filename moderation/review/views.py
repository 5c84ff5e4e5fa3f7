"""The moderator's panel. Summary first; the words only for who holds the incident, and every look is written down."""

from __future__ import annotations

import uuid
from functools import wraps
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from chatbot.accounts import gate
from chatbot.accounts.views import person_of, refused
from chatbot.core import clock
from chatbot.core.keys import KeyMissing
from moderation.incidents import selectors as incidents
from moderation.incidents import services
from moderation.review import selectors
from moderation.review.door import View, reviewed
from moderation.review.forms import DecideForm, HomeForm, ReleaseForm

LANGUAGES: Final = dict(settings.LANGUAGES)


def _gone(request: HttpRequest) -> HttpResponse:
    """404: erased with its person, or past its days. Open tabs come here too."""
    return render(request, "review/gone.html", status=404)


def _page(request: HttpRequest, incident_id: uuid.UUID, *, status: int = 200, **more: Any) -> HttpResponse:
    moderator = person_of(request)
    try:
        page = selectors.page(moderator, incident_id, now=clock.now())
    except gate.Refused as error:
        return refused(request, error)
    if page is None:
        return _gone(request)
    context = {
        "page": page,
        "one": page.summary,
        "zone": gate.zone_of(moderator),
        "decide_form": DecideForm(),
        "release_form": ReleaseForm(prefix="release"),
        "safe_form": HomeForm(prefix="home"),
        **more,
    }
    return render(request, "review/incident.html", context, status=status)


def touching(view: View) -> View:
    """Before anything is done with an incident: it and its person are there, and it isn't one's own."""

    @reviewed
    @require_POST
    @sensitive_post_parameters()
    @wraps(view)
    def inner(request: HttpRequest, incident_id: uuid.UUID) -> HttpResponse:
        try:
            if not selectors.is_there(person_of(request), incident_id):
                return _gone(request)
        except gate.Refused as error:
            return refused(request, error)
        return view(request, incident_id)

    return inner


def _not_possible(request: HttpRequest, incident_id: uuid.UUID, **more: Any) -> HttpResponse:
    """409: somebody was first, the claim ran out, or it is decided. The page as it is now says which."""
    page = selectors.page(person_of(request), incident_id, now=clock.now())
    if page is None:
        return _gone(request)
    one = page.summary
    if one.state == "claimed" and not one.mine:
        sentence = _("%(name)s has it now. Nothing was changed.") % {"name": one.holder}
    elif one.state == "decided":
        sentence = _("It is decided already. Nothing was changed.")
    elif one.state == "open":
        sentence = _("You don't hold it: a claim lasts 30 minutes. Claim it, then go on. Nothing was changed.")
    else:
        sentence = _("That can't be done now. Nothing was changed.")
    return _page(request, incident_id, status=409, sentence=sentence, **more)


@reviewed
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """What waits, what one holds, what was decided; with `of`, everything that waits of one incident's person."""
    moderator, now, of = person_of(request), clock.now(), request.GET.get("of")
    if of is not None:
        return _queue_of(request, of)
    show, language = request.GET.get("show", ""), request.GET.get("language", "")
    show = show if show in selectors.FILTERS else "open"
    language = language if language in LANGUAGES else ""
    found = selectors.queue(moderator, show=show, language=language, page=request.GET.get("page", ""), now=now)
    labels = {"open": pgettext("incidents", "Open"), "mine": _("Mine"), "decided": _("Decided")}
    kept = f"&language={language}" if language else ""
    context = {
        "queue": found,
        "show": show,
        "tabs": [(name, f"show={name}{kept}", labels[name], found.counts[name]) for name in selectors.FILTERS],
        "language": language,
        "language_name": LANGUAGES.get(language, ""),
        "languages": LANGUAGES.items(),
        "pages": f"show={show}{kept}",
        "zone": gate.zone_of(moderator),
    }
    return render(request, "review/queue.html", context)


def _queue_of(request: HttpRequest, of: str) -> HttpResponse:
    moderator = person_of(request)
    try:
        incident_id = uuid.UUID(of)
        found = selectors.queue_of(moderator, incident_id, page=request.GET.get("page", ""), now=clock.now())
    except ValueError:
        return _gone(request)
    except gate.Refused as error:
        return refused(request, error)
    if found is None:
        return _gone(request)
    context = {"queue": found, "pages": f"of={incident_id}", "zone": gate.zone_of(moderator)}
    return render(request, "review/queue.html", context)


@reviewed
@require_safe
def incident(request: HttpRequest, incident_id: uuid.UUID) -> HttpResponse:
    """One incident: the summary, what was done with it, and what can be done."""
    return _page(request, incident_id)


@touching
def claim(request: HttpRequest, incident_id: uuid.UUID) -> HttpResponse:
    """Take it, for half an hour."""
    moderator = person_of(request)
    try:
        services.incident_claim(incident_id=incident_id, moderator_id=moderator.id)
    except services.ImpossibleMove:
        row = incidents.incident_find(incident_id)
        if row is None or row.holder(clock.now()) != moderator.id:  # a second tap on the button is no mistake
            return _not_possible(request, incident_id)
    return redirect("review:incident", incident_id)


@touching
def excerpt(request: HttpRequest, incident_id: uuid.UUID) -> HttpResponse:
    """Open the words. They stand in this answer and nowhere else; a reload is another look, and is written down."""
    moderator = person_of(request)
    try:
        words = services.excerpt_open(incident_id=incident_id, moderator_id=moderator.id)
    except services.ImpossibleMove:
        return _not_possible(request, incident_id)
    except services.ExcerptGone:
        sentence = _("There are no words to open: none were kept, or the person was erased.")
        return _page(request, incident_id, status=409, sentence=sentence)
    except services.Pause as pause:
        context = {"until": pause.until, "zone": gate.zone_of(moderator), "most": services.SEVERE_AN_HOUR}
        return render(request, "review/pause.html", context, status=429)
    return _page(request, incident_id, words=words)


def _written(
    request: HttpRequest, incident_id: uuid.UUID, form: forms.Form, *, named: str, move: Any, said: str
) -> HttpResponse:
    """A step that needs a reason. What was typed is never lost, whatever stands in the way."""
    moderator = person_of(request)
    if not form.is_valid():
        return _page(request, incident_id, status=400, **{named: form})
    try:
        move(incident_id=incident_id, moderator_id=moderator.id, **form.cleaned_data)
    except KeyMissing:
        return _gone(request)
    except services.ImpossibleMove:
        return _not_possible(request, incident_id, **{named: form})
    messages.success(request, said)
    return redirect("review:incident", incident_id)


@touching
def decide(request: HttpRequest, incident_id: uuid.UUID) -> HttpResponse:
    """Close it, with what came of it and why."""
    form, said = DecideForm(request.POST), _("Decided. You can take it back for five minutes.")
    return _written(request, incident_id, form, named="decide_form", move=services.incident_decide, said=said)


@touching
def release(request: HttpRequest, incident_id: uuid.UUID) -> HttpResponse:
    """Give it back, with why."""
    form, said = ReleaseForm(request.POST, prefix="release"), _("Given back. Somebody else can take it now.")
    return _written(request, incident_id, form, named="release_form", move=services.incident_release, said=said)


@touching
def home_safe(request: HttpRequest, incident_id: uuid.UUID) -> HttpResponse:
    """Home is safe again, as far as staff know."""
    form, said = HomeForm(request.POST, prefix="home"), _("Noted: home is safe again.")
    return _written(request, incident_id, form, named="safe_form", move=services.incident_home_safe, said=said)


@touching
def undo(request: HttpRequest, incident_id: uuid.UUID) -> HttpResponse:
    """Take one's own decision back, within five minutes."""
    moderator = person_of(request)
    try:
        services.incident_undo(incident_id=incident_id, moderator_id=moderator.id)
    except services.ImpossibleMove:
        sentence = _("The five minutes are over, or it wasn't your decision. It stands.")
        return _page(request, incident_id, status=409, sentence=sentence)
    messages.success(request, _("Taken back. You hold it again."))
    return redirect("review:incident", incident_id)


@reviewed
@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    """ "I need to stop": everything one holds goes back at once, no reason asked."""
    released = services.claims_release(person_of(request).id)
    if released:
        said = ngettext(
            "%(n)d incident is back in the queue.", "%(n)d incidents are back in the queue.", released
        ) % {"n": released}  # fmt: skip
        messages.success(request, said)
    return redirect("review:stopped")


@reviewed
@require_safe
def stopped(request: HttpRequest) -> HttpResponse:
    """After "I need to stop"."""
    return render(request, "review/stopped.html")
