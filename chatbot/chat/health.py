"""What /ready asks of the chat: does an engine answer, can the safety layer be used, were the helplines checked."""

from __future__ import annotations

from django.conf import settings

from chatbot.accounts.regions import table
from chatbot.chat import engine
from chatbot.chat.guard import guard_wrong
from chatbot.core import clock
from chatbot.core.choices import choice
from chatbot.core.views import check_add
from moderation import screen
from moderation.crisis.helplines import WARN_DAYS, HelplineError, Row, age_of, helplines, old_lines
from moderation.crisis.texts import TextsError, texts_of
from moderation.types import LANGUAGES


def engine_wrong() -> str | None:
    """Why no engine answers yet, if so."""
    name = engine.engine_loaded()
    return None if name is not None else "the engine is still loading, or can't be loaded (the log says which)"


def classifier_wrong() -> str | None:
    """Which file of the safety layer can't be used, if any."""
    broken = screen.house().classifier_problem()
    problems = [*screen.problems(), *([broken] if broken else [])]
    for language in LANGUAGES:
        try:
            texts_of(language)
        except TextsError as error:
            problems = [*problems, str(error).splitlines()[0]]
    return "; ".join(problems) or None


def places_open() -> list[str]:
    """The countries that the operator opened by name for people under 18."""
    chosen = dict(choice("regions", {}))
    places = [place for place, policy in chosen.items() if policy in ("allow", "plain_mode") and place != "*"]
    return sorted({place.partition("-")[0] for place in places} & set(table().countries))


def open_everywhere() -> bool:
    """Whether the rest of the world is open too."""
    return dict(choice("regions", {})).get("*") in ("allow", "plain_mode")


def lines_checked(country: str) -> list[Row]:
    """A country's helplines that somebody called or opened within the last half year."""
    today = clock.now().date()
    rows = [row for row in helplines().lines if row.country == country]
    return [row for row in rows if age_of(row, today) in ("fresh", "old")]


def helplines_warning() -> str | None:
    """How old the helplines' checks are, where that should worry somebody."""
    try:
        lines = helplines().lines
        old = old_lines(clock.now().date())
    except HelplineError as error:
        return str(error).splitlines()[0]
    never = [row for row in lines if age_of(row, clock.now().date()) == "never"]
    said = []
    if never:
        said.append(f"{len(never)} of {len(lines)} helplines were never checked")
    if old:
        said.append(f"{len(old)} were checked more than {WARN_DAYS} days ago")
    return None if not said else "; ".join(said) + ": call each, then `python manage.py helpline LINE --right`"


def register() -> None:
    """Have /ready ask these."""
    check_add("engine", engine_wrong)
    check_add("classifier", classifier_wrong)
    check_add("helplines", helplines_warning, warns=True)
    if settings.GUARD:  # without it rules, classifier and people's own lines go on: never a reason not to serve
        check_add("guard", lambda: None)
        check_add("guard", guard_wrong, warns=True)
