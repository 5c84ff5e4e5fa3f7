"""In the demo, a missing page looks like the house's own, as in production, and not like a page for developers."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from chatbot.pages.views import not_found


class HouseNotFound:
    """With DEBUG, Django answers a 404 with a page of its own, whose inline style our policy forbids. This is ours."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.answer(request)
        if not settings.DEBUG or response.status_code != 404 or response.streaming:
            return response
        return not_found(request) if b"DEBUG = True" in response.content[-2000:] else response
