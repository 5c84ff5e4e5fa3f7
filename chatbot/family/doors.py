"""Who comes in where, and what the pages share. A no is a page with one sentence, and gives nothing away."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from chatbot.accounts import gate
from chatbot.accounts.models import Role, User
from chatbot.accounts.views import person_of, refused

View = Callable[..., HttpResponse]


def _door(enters: Callable[[User], None]) -> Callable[[View], View]:
    def door(view: View) -> View:
        @never_cache
        @login_required
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            person = person_of(request)
            try:
                enters(person)
                return view(request, person, *args, **kwargs)
            except gate.Refused as refusal:
                if person.role == Role.TEEN and request.method == "GET":
                    return redirect("family:code")  # a teen's own way in
                return refused(request, refusal)

        return inner

    return door


def _either(person: User) -> None:
    if person.role != Role.TEEN:
        gate.may_guard(person)


guardians = _door(gate.may_guard)
families = _door(_either)
