"""What is unsafe about this installation, and how each of it is put right. Some of it keeps a server from starting."""

from __future__ import annotations

import difflib
import hashlib
import shlex
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings

from chatbot.accounts import gate, second_factor
from chatbot.accounts.management.commands.seed_demo import CAST, PASSWORD
from chatbot.accounts.models import Role, User
from chatbot.chat import health
from chatbot.chat.playing import skills
from chatbot.core import catalogues, clock, crypto, gone, keys, parts
from chatbot.core.audit import audit_broken_at, audit_record
from chatbot.core.choices import choice, choice_set
from chatbot.core.database import migrations_missing
from moderation import screen
from moderation.crisis.helplines import helplines, region_ready
from moderation.crisis.texts import FOLDER, TextsError, faults, texts_of
from moderation.types import LANGUAGES, Language

ACCEPTED = "crisis_texts_accepted"
LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
SHORTEST_SECRET = 32


@dataclass(frozen=True)
class Finding:
    """One thing. `red` is unsafe, `warn` is worth knowing; with `stops` no server outside DEBUG starts."""

    level: Literal["red", "warn"]
    what: str
    fix: str
    stops: bool = False


def tables() -> Iterator[Finding]:
    """Why nothing else can be looked at, if so."""
    if wrong := parts.database_wrong():
        yield Finding("red", *wrong)
    elif behind := migrations_missing():
        what = f"The database is {behind} steps behind this version, so nothing else could be looked at."
        yield Finding("red", what, "`python manage.py migrate`, then again")


def _public() -> list[str]:
    return [host for host in settings.ALLOWED_HOSTS if host not in LOCAL]


def _debug() -> Iterator[Finding]:
    if settings.DEBUG and _public():
        yield Finding("red", f"DEBUG is on, and the house answers to {', '.join(_public())}.", "set DEBUG=0")
    if "*" in settings.ALLOWED_HOSTS:
        yield Finding("red", "Any host name is answered.", "set ALLOWED_HOSTS=chat.example.org")


def _https() -> Iterator[Finding]:
    if _public() and not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        fix = "put HTTPS in front (docs/operations.md) and set ABRACO_HTTPS=1"
        yield Finding("red", "Cookies travel without HTTPS.", fix)
    plain = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if origin.startswith("http://")]
    if plain:
        yield Finding("red", f"{', '.join(plain)} is trusted without HTTPS.", "write https:// in CSRF_TRUSTED_ORIGINS")


def _open_to_others(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _secrets() -> Iterator[Finding]:
    secret = settings.SECRET_KEY
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < 10 or secret.startswith("django-insecure"):
        fix = "remove SECRET_KEY from the environment (one is made in var/secret.key), or set 50 random characters"
        yield Finding("red", "SECRET_KEY is easy to guess.", fix)
    try:
        keys.master_keys()
    except crypto.CryptoError as error:
        yield Finding("red", "The master key can't be used.", str(error), stops=True)
    for path in (Path(settings.MASTER_KEY_FILE), settings.VAR_DIR / "secret.key", Path(settings.GONE_FILE)):
        if _open_to_others(path):
            yield Finding("red", f"Others on this machine can read {path}.", f"chmod 600 {path}")
    if not settings.MASTER_KEY and Path(settings.MASTER_KEY_FILE).parent == settings.VAR_DIR:
        fix = "keep it elsewhere and set ABRACO_MASTER_KEY_FILE, and keep a copy away from this machine"
        yield Finding("warn", "The master key lies beside the database: who copies var/ can read everything.", fix)


def _regions() -> Iterator[Finding]:
    if not choice("regions", {}):
        yield Finding(
            "red",
            "No region was chosen, so nobody under 18 can chat.",
            "read docs/safety.md, then `python manage.py setup --region US-CA=allow` (or BR, or * for the rest)",
            stops=True,
        )


def _helplines() -> Iterator[Finding]:
    today = clock.now().date()
    fix = "call or open each that `python manage.py helpline` lists, then `python manage.py helpline LINE --right`"
    for country in health.places_open():
        if not region_ready(country, production=True, today=today):
            yield Finding("red", f"{country} is open, and none of its helplines was checked.", fix, stops=True)
    countries = sorted({row.country for row in helplines().lines} - {"EU", "any"})
    never = [country for country in countries if not region_ready(country, production=True, today=today)]
    if health.open_everywhere() and never:
        what = f"Every country is open, and {len(never)} have no checked helpline, so the chat stays shut there."
        yield Finding("warn", what, fix)
    said = health.helplines_warning()
    if said:
        yield Finding("warn", f"Helplines: {said.partition(':')[0]}.", fix)


def texts_digest() -> str:
    """Names the crisis texts as they are, so that an acceptance holds for these and no others."""
    digest = hashlib.sha256()
    for language in LANGUAGES:
        path = FOLDER / f"{language}.yaml"
        digest.update(path.read_bytes() if path.exists() else b"missing")
    return digest.hexdigest()[:16]


def unsigned() -> list[Language]:
    """The languages whose crisis texts nobody signed. Those that can't be read count as unsigned."""
    found: list[Language] = []
    for language in LANGUAGES:
        try:
            signed = texts_of(language).signed
        except TextsError:
            signed = False
        if not signed:
            found.append(language)
    return found


def unsigned_accept(*, reason: str) -> None:
    """The operator takes it on themselves that the texts as they are were not reviewed. Audited."""
    choice_set(ACCEPTED, texts_digest())
    audit_record(actor="operator", subject=None, action="unsigned_texts_accepted", detail={"reason": reason})


def _texts() -> Iterator[Finding]:
    for language in LANGUAGES:
        try:
            broken = list(faults(texts_of(language)))
        except TextsError as error:
            yield Finding("red", f"Crisis texts: {str(error).splitlines()[0]}", "restore the file", stops=True)
            continue
        if broken:
            what = f"Crisis texts ({language}): {len(broken)} lines break their rules, the first: {broken[0]}"
            yield Finding("red", what, f"correct moderation/crisis/texts/{language}.yaml")
    names = ", ".join(unsigned())
    if not names:
        return
    if choice(ACCEPTED) == texts_digest():
        yield Finding("warn", f"Crisis texts without a reviewer ({names}), as you accepted.", "have them reviewed")
        return
    yield Finding(
        "red",
        f"No professional has signed the crisis texts ({names}).",
        "have them reviewed and signed, or take it on yourself: "
        "`python manage.py doctor --accept-unsigned-texts --reason WHY`",
        stops=True,
    )


def _languages() -> Iterator[Finding]:
    old = catalogues.stale(settings.LOCALE_PATHS[0])
    if old:
        fix = "`python manage.py catalogues`, then start again"
        yield Finding("warn", f"The pages speak English where they should speak {', '.join(old)}.", fix)


def _safety_layer() -> Iterator[Finding]:
    for problem in screen.problems():
        yield Finding("red", f"Safety layer: {problem}", "restore or correct that file", stops=True)


def _people() -> Iterator[Finding]:
    contact = choice("duty_contact")
    fix = "`python manage.py setup --duty-contact 'NAME, PHONE, HOURS'`, or 'nobody', which the pages then say"
    if contact is None:
        yield Finding("red", "Nobody is named who is told about danger.", fix)
    elif not contact:
        yield Finding("warn", "Nobody watches live, and the pages say so.", fix)
    if not User.objects.filter(role=Role.OPERATOR, is_active=True).exists():
        yield Finding("warn", "There is no operator yet.", "`python manage.py setup --operator NAME`")
    staff = User.objects.filter(role__in=gate.STAFF, is_active=True).order_by("username")
    bare = [person.username for person in staff if not second_factor.is_set(person)]
    if bare:
        fix = "let them sign in and open /review/, which leads to their second key (docs/moderators.md)"
        yield Finding("warn", f"So far a password alone opens these staff accounts: {', '.join(bare)}.", fix)
    names = [name for name, *_ in CAST]
    known = [user.username for user in User.objects.filter(username__in=names) if user.check_password(PASSWORD)]
    if known and not settings.DEBUG:
        what = f"The demo's people are here, and their password is public: {', '.join(known)}."
        yield Finding("red", what, "start with a fresh database, or delete them", stops=True)


def _trail() -> Iterator[Finding]:
    broken = audit_broken_at()
    if broken is not None:
        fix = "find out who changed the database, and restore the table from a backup"
        yield Finding("red", f"The audit trail is broken at entry {broken}.", fix)
    if choice("replies_stopped", False):
        yield Finding("warn", "Free replies are stopped.", "`python manage.py stop_replies --resume` when it is time")


def _skills() -> Iterator[Finding]:
    folder = "" if settings.SKILLS_DIR is None else f" --directory {shlex.quote(str(settings.SKILLS_DIR))}"
    fix = f"correct or remove it, and start again (docs/skills.md; `python -m companion.skills.lint{folder}`)"
    for problem in skills().problems:
        yield Finding("warn", f"Skills: {' '.join(problem.split()).rstrip('.')}.", fix)
    names = skills().names()
    for name in sorted(settings.SKILLS_OFF - set(names)):
        near = difflib.get_close_matches(name, names, n=1)
        known = f"take it out (`python -m companion.skills --list{folder}`)"
        fix = f"write {near[0]} there" if near else known
        yield Finding("warn", f"ABRACO_SKILLS_OFF names {name!r}, but no skill is called that.", fix)


def _gone() -> Iterator[Finding]:
    said = gone.gone_wrong()
    if said:
        what = "What is deleted for good can't be written down, so a backup would bring it back."
        yield Finding("red", what, said)
    lost = keys.keys_lost(User.objects.values_list("id", flat=True).iterator())
    if lost:
        what = f"{lost} of the people here can't open their own things: their keys are not in the database."
        yield Finding(
            "red", what, 'put their rows of core_personkey back from a backup ("Backups", docs/operations.md)'
        )


def _shared() -> Iterator[Finding]:
    said = parts.redis_wrong() or parts.jobs_degraded()
    if said:
        fix = 'see "A school" in docs/operations.md; the house serves meanwhile'
        yield Finding("warn", f"{said[0].upper()}{said[1:]}.", fix)
    redis, database = urlsplit(settings.REDIS_URL), settings.DATABASES["default"]
    if settings.REDIS_URL and not redis.password and redis.hostname not in LOCAL:
        fix = "set one (requirepass), and write it into REDIS_URL"
        yield Finding("warn", "Redis on another machine is asked without a password.", fix)
    there = str(database.get("HOST") or "")
    if there and not there.startswith("/") and there not in LOCAL and "sslmode" not in database["OPTIONS"]:
        fix = "add ?sslmode=require to DATABASE_URL"
        yield Finding("warn", "The database on another machine is asked without TLS.", fix)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _regions, _people, _texts, _helplines, _safety_layer, _languages, _secrets, _https, _debug, _shared, _skills,
    _trail,
)  # fmt: skip
# Nothing of these stops a start, and they go through everybody.
SLOW: tuple[Callable[[], Iterator[Finding]], ...] = (_gone,)


def findings() -> list[Finding]:
    """Everything, the unsafe first. Where the database is away or behind this version, only that."""
    behind = list(tables())
    if behind:
        return behind
    found = [finding for check in (*CHECKS, *SLOW) for finding in check()]
    return sorted(found, key=lambda finding: finding.level != "red")


def start_refusals() -> list[str]:
    """Why this server must not start, one sentence each with its fix. Empty with DEBUG: the demo is a demo."""
    if settings.DEBUG:
        return []
    found = [finding for check in CHECKS for finding in check() if finding.stops]
    return [f"{finding.what} Do this: {finding.fix.rstrip('.')}." for finding in found]
