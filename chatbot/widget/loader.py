"""The one script tag: its text with its words in every language, the same for every site, so that it has one hash."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.utils import translation
from django.utils.translation import gettext as _

from chatbot.accounts.forms import PROFILE_LANGUAGES

SOURCE = "js/widget/loader.js"
PLACE = "{/* words */}"


@dataclass(frozen=True)
class Loader:
    """`integrity` is what a site owner writes in the tag; `tag` is the same as an ETag."""

    text: bytes
    packed: bytes
    integrity: str

    @property
    def tag(self) -> str:
        return f'"{self.integrity}"'


def _words() -> dict[str, str]:
    return {
        "label": _("AI chat"),
        "open": _("Open the chat with Abraço, an AI"),
        "close": _("Close the chat"),
        "title": _("Chat with Abraço, an AI"),
        "fresh": _("{n} new"),
        "wait": _("Opening…"),
        "wrong": _("This site isn't allowed to show Abraço (ask its owner)."),
        "offline": _("You're offline. Try again when you're back."),
        "again": _("Try again"),
        "help": _("Help now"),
    }


@cache
def loader() -> Loader:
    """The script as it is served."""
    found = finders.find(SOURCE)
    if not isinstance(found, str):
        raise FileNotFoundError(f"{SOURCE} is missing from chatbot/static")
    words = {}
    for code, name in PROFILE_LANGUAGES.items():
        with translation.override(code):
            words[name.lower()] = _words()
    said = json.dumps(words, ensure_ascii=False, separators=(",", ":"))
    text = Path(found).read_text(encoding="utf-8").replace(PLACE, said).encode("utf-8")
    digest = base64.b64encode(hashlib.sha384(text).digest()).decode("ascii")
    return Loader(text, gzip.compress(text, 9, mtime=0), f"sha384-{digest}")
