"""The operator's side: which sites may show the companion, from which origins, signed with which secrets."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db import transaction

from chatbot.accounts.models import User
from chatbot.core.audit import audit_record
from chatbot.core.keys import key_destroy
from chatbot.widget.models import Site, Visitor
from companion.profile.services import COLOURS
from companion.types import LANGUAGES

# What an app's own web view states in the place of an origin: it has none.
WEBVIEW = "webview"
LIVE_SECRETS = 2
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
_AT_HOME = ("localhost", "127.0.0.1", "::1")


class SiteError(ValueError):
    """The site can't be made like that. The sentence says what to do."""


@dataclass(frozen=True)
class NewSecret:
    """Shown once: what the site's server signs with."""

    site: Site
    secret: str


def origin_read(text: str) -> str:
    """An origin as browsers write it. Raises SiteError for anything else, and for http off this machine."""
    text = text.strip()
    if text == WEBVIEW:
        return text
    wrong = SiteError(f"{text} is not an origin: write it like https://school.example, without a path or a *.")
    try:
        if any(char.isspace() for char in text):  # urlsplit would look past a line's end
            raise wrong
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        host = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii").lower()
    except (UnicodeError, ValueError):
        raise wrong from None
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    origin = f"{parts.scheme}://{host}" + ("" if port in (None, usual) else f":{port}")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username or not _ORIGIN.fullmatch(origin):
        raise wrong
    if parts.scheme == "http" and parts.hostname not in _AT_HOME:
        raise SiteError(f"{text} has to be https: over http anybody on the way could read along.")
    return origin


def site_add(
    *,
    name: str,
    origins: Sequence[str],
    languages: Sequence[str] = (),
    accent: str = "honey",
    host_consents: bool = False,
) -> NewSecret:
    """A new site. Its secret comes back here and nowhere else. Raises SiteError."""
    name = " ".join(name.split())
    if not name or len(name) > 64 or not name.isprintable():
        raise SiteError("A site's name has 1 to 64 letters.")
    if not origins:
        raise SiteError("Name at least one origin: --origin https://school.example")
    unknown = [one for one in languages if one not in LANGUAGES]
    if unknown or accent not in COLOURS:
        raise SiteError(f"Languages are {', '.join(LANGUAGES)}; accents are {', '.join(COLOURS)}.")
    secret = _secret()
    site = Site(
        public_key=f"site_{secrets.token_hex(10)}",
        name=name,
        origins=list(dict.fromkeys(origin_read(one) for one in origins)),
        languages=list(languages) or list(LANGUAGES),
        accent=accent,
        host_consents=host_consents,
    )
    site.secrets, site.pepper = [secret], secrets.token_urlsafe(32)
    with transaction.atomic():
        site.save()
        audit_record(actor="operator", subject=None, action="site_added", detail={"site": site.public_key})
    return NewSecret(site, secret)


def site_rotate(site: Site) -> NewSecret:
    """A new secret; the one before stays live until the next rotation, so that the host can change in peace."""
    secret = _secret()
    with transaction.atomic():
        site = Site.objects.select_for_update().get(id=site.id)
        site.secrets = [secret, *site.secrets][:LIVE_SECRETS]
        site.save(update_fields=["secrets"])
        audit_record(actor="operator", subject=None, action="site_rotated", detail={"site": site.public_key})
    return NewSecret(site, secret)


def site_change(site: Site, *, origins: Sequence[str] | None = None, host_consents: bool | None = None) -> Site:
    """Other origins, or whether the host's word on consent counts. Raises SiteError."""
    if origins is not None:
        site.origins = list(dict.fromkeys(origin_read(one) for one in origins))
    if host_consents is not None:
        site.host_consents = host_consents
    with transaction.atomic():
        site.save(update_fields=["origins", "host_consents"])
        audit_record(actor="operator", subject=None, action="site_changed", detail={"site": site.public_key})
    return site


def site_remove(site: Site) -> int:
    """The site may show nothing any more; its visitors lose their way in. Number of visitors left behind.

    They are people with rights: what they said goes by its own time, or when they are erased.
    """
    count = site.visitors.count()
    with transaction.atomic():
        User.objects.filter(id__in=site.visitors.values("person_id")).update(is_active=False)
        audit_record(
            actor="operator", subject=None, action="site_removed", detail={"site": site.public_key, "visitors": count}
        )
        Site.objects.filter(id=site.id).delete()
    key_destroy(site.id)
    return count


def sites_all() -> list[Site]:
    """Every site, the oldest first."""
    return list(Site.objects.order_by("made_at"))


def site_by_key(public_key: str) -> Site | None:
    """The site of a public key. One that no database could hold is nobody's."""
    if not (public_key.isascii() and public_key.isprintable()):
        return None
    return Site.objects.filter(public_key=public_key).first()


def visitors_count(site: Site) -> int:
    """How many people came through this site."""
    return Visitor.objects.filter(site=site).count()


def _secret() -> str:
    return f"abraco_{secrets.token_urlsafe(32)}"
