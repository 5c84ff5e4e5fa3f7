"""`{% duty_contact as contact %}`: whom the operator named to be told about danger; empty where nobody is."""

from __future__ import annotations

from django import template

from chatbot.core.choices import choice

register = template.Library()


@register.simple_tag
def duty_contact() -> str:
    """Name, phone and hours, as the operator wrote them."""
    return str(choice("duty_contact") or "")
