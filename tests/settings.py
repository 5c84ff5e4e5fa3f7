"""The product's settings with a cheap password hash, a fixed key, and files in a folder of the run."""

import os
import tempfile

os.environ.setdefault("ABRACO_VAR", tempfile.mkdtemp(prefix="abraco-tests-"))
os.environ.setdefault("SECRET_KEY", "tests")
os.environ.setdefault("ABRACO_MASTER_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
os.environ.setdefault("ABRACO_HTTPS", "0")

from chatbot.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
# The shipped helplines are unchecked, and most tests are not about that.
HELP_REQUIRED = False

# whitenoise looks at the folder when the application is made.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405  from the product's settings

# A file, as in production: in-memory databases lock tables between threads without waiting.
DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "tests.sqlite3")}  # noqa: F405  from the product's settings
