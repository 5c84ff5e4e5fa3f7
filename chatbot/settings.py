"""Settings, read from the environment once. Nothing else reads the environment."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("ABRACO_VAR", str(BASE_DIR / "var")))

DEBUG = env.bool("DEBUG", False)
CI = env.str("CI", "").lower() in ("1", "true")  # a check that is skipped because a tool is missing is a failure there


def _secret_key() -> str:
    """From the environment, else kept in var/ with mode 0600 (made on first start)."""
    given = env.str("SECRET_KEY", "")
    if given:
        return given
    path = VAR_DIR / "secret.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50), encoding="ascii")
    return path.read_text(encoding="ascii")


SECRET_KEY = _secret_key()
MASTER_KEY = env.str("ABRACO_MASTER_KEY", "")
MASTER_KEY_FILE = env.str("ABRACO_MASTER_KEY_FILE", str(VAR_DIR / "master.key"))
# What was deleted for good, by its ids. Beside the database and never in it: see docs/operations.md.
GONE_FILE = env.str("ABRACO_GONE_FILE", str(VAR_DIR / "gone.list"))
# An operator's stricter rules over moderation/policy.yaml: see docs/safety.md.
POLICY_FILE = env.str("ABRACO_POLICY_FILE", "")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "chatbot.core",
    "chatbot.accounts",
    "moderation.incidents",
    "companion.profile",
    "companion.memory",
    "companion.play",
    "chatbot.chat",
    "chatbot.me",
    "chatbot.family",
    "chatbot.widget",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "chatbot.core.static.PackedFiles",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "chatbot.accounts.middleware.PersonPlace",
    "chatbot.accounts.middleware.LeftQuickly",
    "chatbot.accounts.devices.DeviceSeen",
    "chatbot.accounts.middleware.KeyMissingPage",
    "chatbot.pages.errors.HouseNotFound",
]

ROOT_URLCONF = "chatbot.urls"
ASGI_APPLICATION = "chatbot.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "chatbot.accounts.context.house",
                "chatbot.chat.context.looks",
            ]
        },
    }
]

# The most connections that one process holds: 8 for its turns (core/database.py), the rest for pages and jobs.
DATABASE_CONNECTIONS = env.int("ABRACO_DATABASE_CONNECTIONS", 20)


def sqlite_at(path: str) -> dict[str, Any]:
    """A database in one file."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # Without these, writers that meet fail at once with "database is locked", the time-out notwithstanding.
        "OPTIONS": {
            "timeout": 10,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
        },
        "CONN_MAX_AGE": 0,
    }


def database_at(url: str) -> dict[str, Any]:
    """DATABASE_URL, read. DANGER: it may hold a password, so no sentence and no traceback repeats it."""
    wrong = (
        "DATABASE_URL can't be read. Write it like postgresql://USER:PASSWORD@HOST:5432/NAME (signs such as @ or / in "
        "the password as %40 or %2F), or leave it out: then a file in var/ is the database."
    )
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except Exception:
        raise ImproperlyConfigured(wrong) from None
    if found.get("ENGINE") == "django.db.backends.sqlite3" and found.get("NAME"):
        return sqlite_at(str(found["NAME"]))
    if found.get("ENGINE") != "django.db.backends.postgresql" or not found.get("NAME"):
        raise ImproperlyConfigured(wrong)
    if DATABASE_CONNECTIONS < 10:
        raise ImproperlyConfigured("ABRACO_DATABASE_CONNECTIONS is too small: turns alone take 8. Set 10 or more.")
    # Short waits: while the database is away, danger still has to be answered, and soon.
    pool = {"min_size": 1, "max_size": DATABASE_CONNECTIONS, "timeout": 2.0, "reconnect_timeout": 2.0}
    found["OPTIONS"] = {"connect_timeout": 5, **found.get("OPTIONS", {}), "pool": pool}
    # Health checks: a connection that lay in the pool while the server restarted is thrown away, not handed out.
    return {**found, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "DISABLE_SERVER_SIDE_CURSORS": True}


def redis_at(url: str) -> str:
    """REDIS_URL, looked at. Empty is none. DANGER: as above, it may hold a password."""
    wrong = (
        "REDIS_URL can't be read. Write it like redis://:PASSWORD@HOST:6379/0 (rediss:// with TLS), or leave it out: "
        "then one process does everything by itself."
    )
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("redis", "rediss") and parts.hostname and (parts.port or 6379) > 0
        numbered = parts.path in ("", "/") or parts.path[1:].isdecimal()
    except ValueError:
        raise ImproperlyConfigured(wrong) from None
    if url and not (known and numbered):
        raise ImproperlyConfigured(wrong)
    return url


DATABASE_URL = env.str("DATABASE_URL", "")
DATABASES = {
    "default": database_at(DATABASE_URL)
    if DATABASE_URL
    else sqlite_at(env.str("ABRACO_DATABASE", str(VAR_DIR / "abraco.sqlite3")))
}
# One Redis for three things, each under a prefix of its own: who is to look again, limits, the queue of jobs.
REDIS_URL = redis_at(env.str("REDIS_URL", ""))
if REDIS_URL:
    CACHES: dict[str, Any] = {
        "default": {"BACKEND": "chatbot.core.cache.SharedCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "abraco:cache"}
    }
    CHANNEL_LAYERS: dict[str, Any] = {
        "default": {"BACKEND": "chatbot.core.layer.SharedLayer", "CONFIG": {"url": REDIS_URL}}
    }
else:
    # DANGER: rate limits live here. With Django's own 300 entries a flood of other names throws a spent limit out.
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
    }
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
# The pool names each attempt to reach a database that is away; we say it once, in a sentence.
LOGGING = {"version": 1, "disable_existing_loggers": False, "loggers": {"psycopg.pool": {"level": "ERROR"}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "chatbot.accounts.sign_up_rules.NotTheName"},
    {"NAME": "chatbot.accounts.sign_up_rules.LongEnough", "OPTIONS": {"min_length": 8}},
    {"NAME": "chatbot.accounts.sign_up_rules.NotCommon"},
    {"NAME": "chatbot.accounts.sign_up_rules.NotOnlyNumbers"},
]
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "chatbot.accounts.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "chatbot.accounts.forms.SignupForm"
# The second factor of staff (accounts/second_factor.py). Tolerance stays 0: one code a half minute, used up.
MFA_FORMS = {
    "authenticate": "chatbot.accounts.second_factor_forms.CodeForm",
    "reauthenticate": "chatbot.accounts.second_factor_forms.CodeAgainForm",
}
MFA_ADAPTER = "chatbot.accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_TOLERANCE = 0
ACCOUNT_USERNAME_MIN_LENGTH = 3
ACCOUNT_USERNAME_VALIDATORS = "chatbot.accounts.sign_up_rules.USER_NAME"
ACCOUNT_USERNAME_BLACKLIST = ["admin", "abraco", "moderator", "operator", "system"]
ACCOUNT_LOGOUT_ON_GET = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/chat/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("pt-br", _("Português (Brasil)")), ("es", _("Español")), ("fr", _("Français"))]
LOCALE_PATHS = [BASE_DIR / "chatbot" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "chatbot" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

SESSION_ENGINE = "chatbot.accounts.sign_ins"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SAMESITE = "Lax"
HTTPS = env.bool("ABRACO_HTTPS", not DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
# A week: long enough to matter, short enough that a house which loses its certificate is not shut for a year.
SECURE_HSTS_SECONDS = 7 * 24 * 3600 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "chatbot.pages.views.stale_form"
SILENCED_SYSTEM_CHECKS: list[str] = []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "font-src": [NONE],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Checks a user name or a companion name: a dotted path, since the safety layer stands above accounts.
NAME_SCREEN = "chatbot.chat.names.name_is_fine"
# Whether a country still takes new accounts: as above, the helplines stand above accounts.
SIGNUP_SCREEN = "chatbot.chat.help_ready.signups_open"
# Told a person's id when their sign-in ended somewhere, by the same way.
SIGN_OUT_TELLS = "chatbot.chat.live.person_signed_out"
# Whether something about a person still waits for staff: a guardian's request to delete waits for it too.
ERASURE_WAITS = "moderation.incidents.selectors.incident_open_for"


def mail_at(url: str) -> dict[str, Any]:
    """EMAIL_URL, read. DANGER: it may hold a password, so no sentence repeats it."""
    wrong = (
        "EMAIL_URL can't be read. Write it like smtps://USER:PASSWORD@HOST:465 or submission://USER:PASSWORD@HOST:587 "
        "(signs such as @ or / as %40 or %2F), or leave it out: then no mails are sent."
    )
    try:
        parts = urlsplit(url)
        port, known = parts.port, parts.scheme in ("smtp", "smtps", "submission") and parts.hostname
    except ValueError:
        raise ImproperlyConfigured(wrong) from None
    if parts.scheme == "file" and parts.path:  # for trying it out: each mail becomes a file in that folder
        return {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": parts.path}
    if not known:
        raise ImproperlyConfigured(wrong)
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or {"smtp": 25, "smtps": 465, "submission": 587}[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "submission",
        "EMAIL_TIMEOUT": 20,
    }


# Mails to guardians, and only those. Without it none are sent.
EMAIL_URL = env.str("EMAIL_URL", "")
if EMAIL_URL:
    vars().update(mail_at(EMAIL_URL))
DEFAULT_FROM_EMAIL = env.str("ABRACO_MAIL_FROM", "abraco@localhost")
# Where this house is reached, for the link in a mail: https://abraco.example.org. Without it the mail names no address.
HOUSE_URL = env.str("ABRACO_URL", "").rstrip("/")
# Spends the ticket in a socket's first frame: the widget makes them, and stands above the chat.
TICKET_SCREEN = "chatbot.widget.services.ticket_redeem"

# The companion
ENGINE = env.str("ABRACO_ENGINE", "embedded")
ENGINE_MODEL = env.str("ABRACO_MODEL", "")
# An optional guard model beside rules and classifier: its family (moderation/detectors/guard), its folder or hub id.
GUARD = env.str("ABRACO_GUARD", "")
GUARD_MODEL = env.str("ABRACO_GUARD_MODEL", "")
# What the engine `scripted` says: a JSON list of words and seconds of pause, for demonstrations and tests.
ENGINE_SCRIPT = env.str("ABRACO_SCRIPT", "")
# A folder of further skills, <language>/<name>.yaml (docs/skills.md), and names of skills that are switched off here.
SKILLS_DIR = Path(env.str("ABRACO_SKILLS")) if env.str("ABRACO_SKILLS", "") else None
SKILLS_OFF: frozenset[str] = frozenset(env.list("ABRACO_SKILLS_OFF", default=[]))
CACHE_DIR = Path(env.str("ABRACO_CACHE", str(VAR_DIR / "cache")))
MESSAGE_DAYS = env.int("ABRACO_MESSAGE_DAYS", 30)
OPERATOR_NAME = env.str("ABRACO_HOST_NAME", "")
# Outside the demo, chat opens only where somebody has checked the country's helplines (docs/operations.md).
HELP_REQUIRED = not DEBUG
# Who reads /metrics: a token in "Authorization: Bearer ...". Without one nobody may, in the demo this machine only.
METRICS_TOKEN = env.str("ABRACO_METRICS_TOKEN", "")
