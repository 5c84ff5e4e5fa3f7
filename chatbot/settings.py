"""Settings, read from the environment once. Nothing else reads the environment."""

from __future__ import annotations

import secrets
from pathlib import Path

from csp.constants import NONCE, NONE, SELF
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
    "chatbot.chat",
    "chatbot.me",
    "chatbot.family",
    "chatbot.widget",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
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
            ]
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": env.str("ABRACO_DATABASE", str(VAR_DIR / "abraco.sqlite3")),
        # Without these, writers that meet fail at once with "database is locked", the time-out notwithstanding.
        "OPTIONS": {
            "timeout": 10,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
        },
        "CONN_MAX_AGE": 0,
    }
}
# DANGER: rate limits live here. With Django's own 300 entries a flood of other names throws a spent limit out.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "chatbot.accounts.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "chatbot.accounts.forms.SignupForm"
ACCOUNT_USERNAME_MIN_LENGTH = 3
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

# The companion
ENGINE = env.str("ABRACO_ENGINE", "embedded")
ENGINE_MODEL = env.str("ABRACO_MODEL", "")
# What the engine `scripted` says: a JSON list of words and seconds of pause, for demonstrations and tests.
ENGINE_SCRIPT = env.str("ABRACO_SCRIPT", "")
CACHE_DIR = Path(env.str("ABRACO_CACHE", str(VAR_DIR / "cache")))
MESSAGE_DAYS = env.int("ABRACO_MESSAGE_DAYS", 30)
OPERATOR_NAME = env.str("ABRACO_HOST_NAME", "")
# Outside the demo, chat opens only where somebody has checked the country's helplines (docs/operations.md).
HELP_REQUIRED = not DEBUG
# Who reads /metrics: a token in "Authorization: Bearer ...". Without one nobody may, in the demo this machine only.
METRICS_TOKEN = env.str("ABRACO_METRICS_TOKEN", "")
