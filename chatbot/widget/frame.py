"""What the page inside the frame needs: before anybody is known in it, and once somebody is."""

from __future__ import annotations

import uuid
from dataclasses import asdict

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from chatbot.accounts.models import User
from chatbot.chat import dangers, selectors
from chatbot.core import clock
from chatbot.widget.models import Site
from companion.profile.services import companion_for
from companion.types import LANGUAGES, Language
from moderation.crisis import help_card
from moderation.crisis.phrases import offline_phrases

SOCKET_PATH = "/ws/chat"
THEMES = ("light", "dark", "black")


def shell(site: Site) -> dict[str, object]:
    """For a page that knows nobody yet. The origins are no secret: each answer's policy names them."""
    return {
        "site": site.public_key,
        "origins": site.origins,
        "ticket": reverse("widget:ticket"),
        "forget": reverse("widget:forget"),
        "words": {
            "asking": _("One moment…"),
            "wrong_place": _("This site isn't allowed to show Abraço (ask its owner)."),
            "no_identity": _(
                "This site hasn't said who you are, so the chat stays shut. Reload the page to try again."
            ),
            "called": _("%(site)s says that you're {name}.") % {"site": site.name},
            "not_you": _("Good that you looked: nothing was opened. To chat yourself, open it from your own account."),
            "no_line": _("Abraço can't be reached just now. Nothing is lost; it tries again by itself."),
            "delete": _("Delete everything about me"),
            "delete_again": _("Tap again: all but today's minutes is gone for good"),
            "deleted": _("Deleted. Only how long you talked today is kept, for two days, so that your limit holds."),
            "delete_failed": _("That didn't work, so nothing was deleted. Try again in a minute."),
        },
    }


def card_of(person: User) -> dict[str, object]:
    """The helplines of the person's country, in their language."""
    return help_card(person.country, _language(person), now=clock.now(), production=not settings.DEBUG).to_json()


def boot_of(person: User, *, conversation: uuid.UUID | None = None) -> dict[str, object]:
    """What chat/main.js starts from. Nothing here leads to pages that need a cookie."""
    return {
        "companion": asdict(companion_for(person.id)),
        "conversation": conversation,
        "socket": SOCKET_PATH,
        "language": _language(person),
        "person": salted_hmac("chatbot.widget.frame.device", str(person.id)).hexdigest()[:16],
        "help": card_of(person),
        **dangers.crisis_shown(person),
        "phrases": [phrase for phrases in offline_phrases().values() for phrase in phrases],
        "earlier": "",
        "page": selectors.PAGE,
        "drawings": static("stickers/"),
        "deal": person.deal_confirmed_at is None,
    }


def _language(person: User) -> Language:
    return next((name for name in LANGUAGES if name == person.language), "en")
