"""The one door of the panel: staff, with a second factor, not too fast; nothing of it is kept by a browser."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from chatbot.accounts import gate, second_factor
from chatbot.accounts.views import person_of, refused
from chatbot.core import ratelimit

View = Callable[..., HttpResponse]
POSTS_A_MINUTE = 40


def reviewed(view: View) -> View:
    """For every view of the panel. Who lacks the second factor is led to it, and comes back."""

    @never_cache
    @login_required
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = person_of(request)
        try:
            second_factor.may_review(request, person)
        except gate.SecondFactorUnset:
            return redirect("mfa_activate_totp")
        except gate.SecondFactorStale:
            here = request.get_full_path() if request.method == "GET" else reverse("review:queue")
            return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': here})}")
        except gate.Refused as error:
            return refused(request, error)
        if request.method == "POST" and ratelimit.allowed(f"review:{person.id}", most=POSTS_A_MINUTE, per_s=60):
            return render(request, "429.html", {"back": reverse("review:queue")}, status=429)
        return view(request, *args, **kwargs)

    return inner
