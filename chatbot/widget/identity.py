"""Who a visitor is, in their site's word: signed, short-lived, for this site only, once. Pure; keeps nothing.

`v1.<base64url JSON>.<base64url HMAC-SHA256 over "v1.<base64url JSON>">`. docs/widget.md says it to site owners.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from chatbot.accounts.bands import Band
from chatbot.core import clock

VERSION = "v1"
MOST_CHARS = 4096
SKEW_S = 60
LIFE_S = 300
# Further off than this, it is no skew: somebody's clock is wrong.
CLOCK_S = 3600
_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")


class IdentityRefused(Exception):
    """The identity doesn't count. `owner` is for whoever runs the site, the sentence for the visitor."""

    def __init__(self, code: str, owner: str) -> None:
        super().__init__(owner)
        self.code, self.owner = code, owner

    def sentence(self) -> str:
        if self.code in ("replayed", "expired"):
            return _("This page has been open for a while. Reload it, and we go on.")
        return _("This site couldn't say who you are, so the chat stays shut. Whoever runs the site can mend it.")


class Identity(BaseModel):
    """What the site says about one visitor. `consent`: how a guardian agreed; false takes it back."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    sub: str = Field(min_length=1, max_length=255)
    aud: str = Field(max_length=64)
    exp: int
    nonce: str = Field(min_length=16, max_length=128)
    band: Band
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    region: str = ""
    lang: str = Field(default="", max_length=16)
    tz: str = Field(default="", max_length=64)
    consent: Annotated[str, Field(min_length=1, max_length=48)] | Literal[False] | None = None

    @field_validator("tz")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value and value not in clock.zones():
            raise ValueError("not a time zone")
        return value

    @model_validator(mode="after")
    def _placed(self) -> Identity:
        if self.region and not (_REGION.fullmatch(self.region) and self.region.startswith(self.country)):
            raise ValueError("the region is not in the country")
        return self


def signature(secret: str, signed: str) -> str:
    """The third part of an identity."""
    made = hmac.new(secret.encode("utf-8"), signed.encode("utf-8"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode("ascii")


def identity_read(token: str, *, secrets: Sequence[str], audience: str, now: datetime) -> Identity:
    """The identity in a token that one of the secrets signed. Raises IdentityRefused. A nonce is not looked up here."""
    if len(token) > MOST_CHARS:
        raise IdentityRefused("bad_identity", f"An identity has at most {MOST_CHARS} characters.")
    version, _dot, rest = token.partition(".")
    payload, _dot, given = rest.partition(".")
    if version != VERSION or not payload or not given or not token.isascii():
        raise IdentityRefused("bad_identity", "An identity is v1.<payload>.<signature>.")
    # DANGER: the signature before anything inside is looked at, and every secret is tried, in the same time.
    signed = f"{version}.{payload}"
    right = [hmac.compare_digest(signature(secret, signed).encode(), given.encode("utf-8")) for secret in secrets]
    if not any(right):
        raise IdentityRefused("bad_signature", "The signature is by none of this site's live secrets.")
    identity = _claims(payload)
    if identity.aud != audience:
        raise IdentityRefused("foreign", "This identity is for another site: aud has to be your site's public key.")
    _check_time(identity.exp, int(now.timestamp()))
    return identity


def _claims(payload: str) -> Identity:
    try:
        data = base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True)
        return Identity.model_validate(json.loads(data))
    except ValidationError as error:
        # DANGER: only the place leaves here; `input` holds the visitor's name at the site.
        place = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"][:1]) or "region"
        raise IdentityRefused("bad_claim", f"The claim {place} is missing or not as docs/widget.md says.") from None
    except (ValueError, binascii.Error, UnicodeError, RecursionError):
        raise IdentityRefused("bad_identity", "The payload is not base64url of a JSON object.") from None


def _check_time(exp: int, now: int) -> None:
    if not -CLOCK_S <= exp - now <= LIFE_S + CLOCK_S:
        hours = abs(exp - now) // 3600
        way = "ahead of" if exp > now else "behind"
        raise IdentityRefused(
            "clock", f"By exp, your server's clock is about {hours} h {way} this one. Set it by NTP, then try again."
        )
    if exp + SKEW_S < now:
        raise IdentityRefused("expired", "This identity has expired: make a fresh one for each time it is asked for.")
    if exp > now + LIFE_S + SKEW_S:
        raise IdentityRefused("too_long", f"An identity lives at most {LIFE_S} seconds: set exp nearer.")
