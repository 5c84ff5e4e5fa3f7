"""The second factor of staff: a code of an authenticator app. allauth checks it; here is when, for whom, and how kept.

When a sign-in last gave a code stands in the sign-in itself, and goes with it.
"""

from __future__ import annotations

import base64
import uuid
from datetime import datetime
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_used
from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatbot.accounts import gate
from chatbot.accounts.devices import devices_end
from chatbot.accounts.models import User
from chatbot.core import clock, crypto, keys
from chatbot.core.audit import audit_record

PASSED = "second_factor_at"
PERIOD_S = 30
# The house's own data key, wrapped and rotated like a person's: what it seals belongs to no one person's chats.
HOUSE = uuid.UUID("0b7a5e5c-5a1d-5f6e-9a59-3f2a8a1c0de5")
_BOUND = b"second factor"
_QUIET = 4


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """allauth's hooks: secrets are sealed, the picture is drawn into the page, and wrong codes get a sentence."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _(
            "That code isn't right, or was used already. Type the one your app shows now. A recovery code works once."
        ),
    }

    def get_totp_issuer(self) -> str:
        return settings.OPERATOR_NAME or "Abraço"

    def encrypt(self, text: str) -> str:
        sealed = crypto.seal(keys.data_key(HOUSE, make=True), text.encode("utf-8"), bound_to=_BOUND)
        return base64.b64encode(sealed).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        sealed = base64.b64decode(encrypted_text)
        return crypto.unseal(keys.data_key(HOUSE), sealed, bound_to=_BOUND).decode("utf-8")

    def build_totp_svg(self, url: str) -> SafeString:
        return qr_drawn(url)


def qr_drawn(text: str) -> SafeString:
    """A QR code as markup: the policy of the pages allows neither pictures in addresses nor styles in pages."""
    import qrcode

    code = qrcode.QRCode(border=0, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    rows = code.get_matrix()
    side = len(rows) + 2 * _QUIET
    path = "".join(
        f"M{x + _QUIET} {y + _QUIET}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    label = gettext("QR code for your authenticator app. The same key stands below as letters.")
    # DANGER: nothing of the text goes into the markup, only where its dots are; the label is ours.
    return mark_safe(  # noqa: S308
        f'<svg class="qr" viewBox="0 0 {side} {side}" role="img" aria-label="{label}" shape-rendering="crispEdges">'
        f'<rect width="{side}" height="{side}" fill="#FFFFFF"/><path fill="#000000" d="{path}"/></svg>'
    )


def is_set(person: User) -> bool:
    """Whether this person has an authenticator app here."""
    return bool(apps_of(person))


def apps_of(person: User) -> list[Authenticator]:
    """Their authenticator app, if there is one."""
    return list(Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP))


def code_spend(app: Authenticator, step: int) -> bool:
    """Use up the code of this half minute, and every earlier one. False when it was used already."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=app.pk)
        if row.data.get("spent", 0) >= step:
            return False
        row.data["spent"] = step
        row.save(update_fields=["data"])
    app.data = row.data
    return True


def passed_at(request: HttpRequest) -> datetime | None:
    """When this sign-in of this person last gave a code; None when it never did."""
    kept = request.session.get(PASSED)
    if not isinstance(kept, dict) or kept.get("person") != str(getattr(request.user, "id", "")):
        return None
    return datetime.fromisoformat(kept["at"])


def passed_note(request: HttpRequest, person: User) -> None:
    """This sign-in gave a code just now."""
    request.session[PASSED] = {"person": str(person.id), "at": clock.now().isoformat()}


def may_review(request: HttpRequest, person: User) -> None:
    """The gate's question, with what this sign-in has shown. Raises gate.Refused."""
    gate.may_review(person, has_factor=is_set(person), passed_at=passed_at(request), now=clock.now())


def second_factor_reset(person: User, *, reason: str) -> bool:
    """The phone is lost: app and recovery codes go, and every sign-in ends. False when there was none. Audited."""
    with transaction.atomic():
        removed, _rows = Authenticator.objects.filter(user=person).delete()
        if not removed:
            return False
        detail = {"reason": reason}
        audit_record(actor="operator", subject=person.id, action="second_factor_reset", detail=detail)
    devices_end(person.id)
    return True


@receiver(authenticator_used, dispatch_uid="accounts.second_factor.used")
def _used(sender: object, request: HttpRequest, user: User, authenticator: Any, **_more: object) -> None:
    passed_note(request, user)
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        audit_record(actor="self", subject=user.id, action="second_factor_code_used")
