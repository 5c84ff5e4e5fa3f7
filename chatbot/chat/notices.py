"""Notices: slips across the log that the house writes, never a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from chatbot.accounts import gate
from chatbot.accounts.key_missing import CODE, key_sentence
from chatbot.chat.frames import Disclosure, ErrorFrame, Notice, NoticeAction
from chatbot.core.keys import KeyMissing
from moderation.crisis import CrisisAnswer

# Wording of the New York law, used for New York in capitals (safety-requirements, 2.1).
NEW_YORK = "US-NY"


def disclosure(region: str) -> Disclosure:
    """Said first, in words, before anything else (R3)."""
    body = _("You're talking with a computer program, not a person. It can be wrong, and it can't feel.")
    if region == NEW_YORK:
        body = "THIS IS A COMPUTER PROGRAM AND NOT A HUMAN BEING. IT IS UNABLE TO FEEL HUMAN EMOTION."
    return Disclosure(title=_("This is an AI"), body=body)


def break_notice() -> Notice:
    """R5 and R6: the reminder, and a break; the box opens again by a tap."""
    return Notice(
        kind="break",
        title=_("Time for a breather"),
        body=_(
            "You've been here a while. This is an AI, not a person. Stretch, drink something, look out of a window."
        ),
        actions=[NoticeAction(kind="ack", label=_("I'm back"), value="break")],
    )


def refusal_notice(refusal: gate.Refused) -> Notice:
    """Why the chat is closed just now."""
    return Notice(kind=refusal.notice, title=_("Not just now"), body=refusal.sentence(), data={"code": refusal.code})


def card_notice(card: Mapping[str, Any]) -> Notice:
    """The helpline card, drawn by code from data."""
    return Notice(kind="crisis_card", title=str(card["title"]), body=str(card["body"]), data=dict(card))


def turn_notices(trace: Mapping[str, Any]) -> list[Notice]:
    """What a turn shows besides its reply: the card, or why there is no reply."""
    found = [card_notice(trace["card"])] if trace.get("card") is not None else []
    return [*found, Notice.model_validate(trace["notice"])] if "notice" in trace else found


def crisis_notice(answer: CrisisAnswer) -> Notice:
    """The written flow for a message that could not be stored: words and card in one."""
    card: dict[str, Any] = answer.card.to_json() if answer.card is not None else {"title": "", "body": ""}
    return Notice(kind="crisis_card", title=str(card["title"]), body="\n".join(answer.bubbles), data=card or None)


def not_stored(cause: Exception | None) -> ErrorFrame:
    """That nothing can be saved just now: because of that key, or because of whatever is away."""
    if isinstance(cause, KeyMissing):
        return ErrorFrame(code=CODE, message=key_sentence(cause))
    sentence = _("I can't save messages right now, so nothing was sent. It's still in your box; try in a minute.")
    return ErrorFrame(code="not_stored", message=sentence, retry_after=30)
