"""`{{ names|skill_titles }}`: skills by what they are called in the language of the page."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from chatbot.chat.skill_list import skill_title
from companion.folding import plain

register = template.Library()


@register.filter
def skill_titles(names: Iterable[str]) -> str:
    """Their titles in order, with commas."""
    return ", ".join(sorted((skill_title(name) for name in names), key=plain))
