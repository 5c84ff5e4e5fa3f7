"""The chat's pages: the chat itself, earlier ones to read, search, and shaping the companion. Gates first, always."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chatbot.accounts import gate
from chatbot.accounts.forms import PROFILE_LANGUAGES
from chatbot.accounts.guardianship import links_of
from chatbot.accounts.models import User
from chatbot.accounts.views import person_of
from chatbot.chat import dangers, selectors, services
from chatbot.chat.context import looks_keep
from chatbot.chat.material import language_of
from chatbot.chat.models import Author, Conversation
from chatbot.chat.names import name_is_fine
from chatbot.chat.skill_list import skills_offered, starters
from chatbot.core import clock
from companion.personas.characters import personas_in
from companion.profile.services import NAME_LENGTH, Shape, ShapeError, companion_for, companion_shape, companion_shaped
from companion.types import LANGUAGES, Language
from moderation.crisis import help_card
from moderation.crisis.phrases import offline_phrases

SOCKET_PATH = "/ws/chat"
BESIDE = 30
QUERY_LENGTH = 200
SNIPPET = 160
FRIEND_SHOWN = "friend_shown"

# Why somebody has no chat, as a page. What is not named here gets the plain one.
CLOSED_PAGES = {
    "region_unset": "accounts/region_closed.html",
    "region_closed": "accounts/region_closed.html",
    "consent_needed": "accounts/consent_needed.html",
    "guardian_needed": "accounts/consent_needed.html",
    "consent_withdrawn": "accounts/consent_needed.html",
    "no_chat_here": "accounts/no_chat_here.html",
    "locked": "accounts/locked.html",
}
View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Found:
    """A message that search found: where it stands, and the words around the hit."""

    message_id: uuid.UUID
    conversation_id: uuid.UUID
    before: uuid.UUID
    own: bool
    at: datetime
    words: str


def gated(view: View) -> View:
    """Only for somebody who may have a chat and confirmed the deal; others get the page that says why, with help.

    Quiet hours, limits and breaks close nothing here: they are about talking now, and the socket tells them.
    """

    @never_cache
    @login_required
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = person_of(request)
        try:
            gate.may_enter(person, now=clock.now())
        except gate.Refused as refusal:
            template = CLOSED_PAGES.get(refusal.code, "403.html")
            context = {"sentence": refusal.sentence(), "code": refusal.code}
            return render(request, template, context, status=403)
        if person.deal_confirmed_at is None:
            return redirect("accounts:deal")
        return view(request, person, *args, **kwargs)

    return inner


def _page_language() -> Language:
    return next((name for name in LANGUAGES if name == PROFILE_LANGUAGES.get(get_language() or "")), "en")


def _own(person: User, conversation_id: uuid.UUID) -> Conversation:
    try:
        return selectors.conversation_of(person, conversation_id)
    except gate.Refused:
        raise Http404 from None


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


def _device_key(person: User) -> str:
    """What drafts on this device are filed under: says nothing about whose they are."""
    return salted_hmac("chatbot.chat.pages.device", str(person.id)).hexdigest()[:16]


@gated
@require_safe
def chat(request: HttpRequest, person: User) -> HttpResponse:
    """The chat; on the very first visit, naming the companion comes before it. `play`: a skill by its name, whose words
    are put into the box: what an address brings is never said by itself."""
    asked, play = request.GET.get("conversation"), request.GET.get("play")
    wanted = _own(person, _uuid(asked)).id if asked else None
    past = selectors.conversations_of(person, limit=BESIDE)
    if not past and wanted is None and not request.session.get(FRIEND_SHOWN) and not companion_shaped(person.id):
        return redirect("chat:friend")
    companion, language = companion_for(person.id), _page_language()
    looks_keep(request, companion)
    now, crisis = clock.now(), dangers.crisis_shown(person)
    card = help_card(person.country, language, now=now, production=not settings.DEBUG)
    offers = skills_offered(
        language_of(person), off=gate.limits_of(person, now).skills_off | settings.SKILLS_OFF,
        plain_mode=gate.may_enter(person, now=now), grave=bool(crisis["pinned"]),
    )  # fmt: skip
    boot = {
        "companion": asdict(companion),
        "conversation": str(wanted) if wanted else None,
        "socket": SOCKET_PATH,
        "language": language,
        "person": _device_key(person),
        "help": card.to_json(),
        # The card stays in sight while it matters, and so does the way out: over a reload, on another device.
        **crisis,
        "starters": starters(offers, f"{_device_key(person)}/{now:%j}"),
        "play": next((one.say for one in offers if one.name == play), ""),
        "phrases": [phrase for phrases in offline_phrases().values() for phrase in phrases],
        "earlier": reverse("chat:conversations"),
        "memory": reverse("me:memory"),
        "page": selectors.PAGE,
        "drawings": static("stickers/"),
    }
    guardians = [link.guardian.username for link in links_of(person)]  # supervision is never hidden (R31)
    context = {
        "boot": boot, "conversations": past, "guardians": guardians,
        "offers": offers, "chat_language": language_of(person),
    }  # fmt: skip
    return render(request, "chat/chat.html", context)


@gated
@require_POST
def new(request: HttpRequest, person: User) -> HttpResponse:
    """A fresh conversation by a tap. One that is still empty is taken again instead of piling up others."""
    return redirect(f"{reverse('chat:chat')}?conversation={services.conversation_fresh(person=person).id}")


@gated
@require_safe
def conversations(request: HttpRequest, person: User) -> HttpResponse:
    """One's own conversations, the latest first."""
    found = selectors.conversations_of(person)
    return render(request, "chat/conversations.html", {"conversations": found, "days": settings.MESSAGE_DAYS})


@gated
@require_safe
def conversation(request: HttpRequest, person: User, conversation_id: uuid.UUID) -> HttpResponse:
    """One conversation to read: a page of messages, and the way to older ones."""
    own = _own(person, conversation_id)
    asked = request.GET.get("before")
    before = _uuid(asked) if asked else None
    messages = selectors.conversation_messages(own, before=before)
    older = bool(messages) and bool(selectors.conversation_messages(own, before=messages[0].id, limit=1))
    context = {
        "conversation": own,
        "said": [{"id": one.id, "own": one.author == "user", "text": one.text, "at": datetime.fromisoformat(one.at),
                  "reaction": next(iter(one.reactions), ""), "off_record": one.off_record} for one in messages],
        "older": messages[0].id if older else None,
        "newest": before is None,
        "companion": companion_for(person.id),
    }  # fmt: skip
    return render(request, "chat/conversation.html", context)


@gated
@require_safe
def search(request: HttpRequest, person: User) -> HttpResponse:
    """One's own messages by their words. The query is not kept anywhere."""
    query = " ".join(request.GET.get("q", "").split())
    if len(query) > QUERY_LENGTH:
        sentence = _("That's a lot to look for. Try one or two words.")
        context = {"query": query[:QUERY_LENGTH], "error": sentence, "found": [], "companion": companion_for(person.id)}
        return render(request, "chat/search.html", context, status=400)
    found = [
        Found(
            message_id=row.id,
            conversation_id=row.conversation_id,
            # The page of history that ends with this very message.
            before=uuid.UUID(int=row.id.int + 1),
            own=row.author == Author.USER,
            at=row.at,
            words=_around(row.body, query),
        )
        for row in selectors.messages_search(person, query)
    ]
    context = {"query": query, "found": found, "companion": companion_for(person.id), "days": settings.MESSAGE_DAYS}
    return render(request, "chat/search.html", context)


def _around(text: str, query: str) -> str:
    """Some words before and after the first hit."""
    text = " ".join(text.split())
    if len(text) <= SNIPPET:
        return text
    at = max(0, text.casefold().find((query.split() or [""])[0].casefold()) - SNIPPET // 3)
    piece = text[at : at + SNIPPET]
    return ("… " if at else "") + piece.strip() + (" …" if at + SNIPPET < len(text) else "")


@gated
@require_http_methods(["GET", "POST"])
def friend(request: HttpRequest, person: User) -> HttpResponse:
    """Name, colour and manner of the companion."""
    request.session[FRIEND_SHOWN] = True
    companion, error, status = companion_for(person.id), "", 200
    first = not companion_shaped(person.id)
    if request.method == "POST":
        error = _shape(person, request)
        if not error:
            return redirect("chat:chat")
        companion, status = _as_typed(companion, request), 400
    context = {
        "companion": companion, "error": error, "first": first, "name_length": NAME_LENGTH,
        "personas": personas_in(language_of(person)),
    }  # fmt: skip
    return render(request, "chat/friend.html", context, status=status)


def _shape(person: User, request: HttpRequest) -> str:
    """Save what was typed; a sentence when it can't be, and then nothing is saved."""
    name = request.POST.get("name", "")
    # The length first: screening a very long text costs, and it can't become a name anyway.
    if len(name) <= NAME_LENGTH * 4 and not name_is_fine(name):
        return _("Let's find a kinder name than that one.")
    try:
        sliders = {key: int(request.POST.get(key, "50")) for key in ("playful", "curious", "gentle")}
        persona, colour = request.POST.get("persona", "classic"), request.POST.get("colour", "")
        companion_shape(owner_id=person.id, name=name, persona=persona, colour=colour, **sliders)
    except ShapeError as error:
        return {
            "name": _("A name has 1 to 24 letters. Nothing was saved yet."),
            "colour": _("Pick one of the six colours. Nothing was saved yet."),
            "persona": _("Pick one of the six characters. Nothing was saved yet."),
        }.get(str(error), _("The sliders go from 0 to 100. Nothing was saved yet."))
    except ValueError:
        return _("The sliders go from 0 to 100. Nothing was saved yet.")
    return ""


def _as_typed(companion: Shape, request: HttpRequest) -> Shape:
    """The form keeps what was typed, so that one wrong field doesn't cost the others."""
    typed = asdict(companion) | {"name": request.POST.get("name", "")[: NAME_LENGTH * 4]}
    for key in ("playful", "curious", "gentle"):
        value = request.POST.get(key, "")
        if value.isdecimal() and int(value[:4]) <= 100:
            typed[key] = int(value[:4])
    typed["colour"] = request.POST.get("colour", "")[:12]
    typed["persona"] = request.POST.get("persona", "")[:12]
    return Shape(**typed)
