"""The product's settings with a cheap password hash, a fixed key, and files in a folder of the run."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

# Two workers and some fifty processes import the same modules: each would compile them anew, in half a second (and in
# seven where it collects the tests), wherever the environment says that no bytecode is to be kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
if "ABRACO_VAR" not in os.environ:  # workers of pytest -n get it from the one that starts them
    os.environ["ABRACO_VAR"] = tempfile.mkdtemp(prefix="abraco-tests-")
    atexit.register(shutil.rmtree, os.environ["ABRACO_VAR"], ignore_errors=True)
# The bank's vectors as `make install` left them; without them the first test that asks makes them, in half a minute.
_INSTALLED = Path(__file__).resolve().parents[1] / "var" / "cache"
if _INSTALLED.is_dir():
    os.environ.setdefault("ABRACO_CACHE", str(_INSTALLED))
os.environ.setdefault("SECRET_KEY", "tests")
os.environ.setdefault("ABRACO_MASTER_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
os.environ.setdefault("ABRACO_HTTPS", "0")

from chatbot.settings import *  # noqa: E402, F403  the environment comes first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
# The shipped helplines are unchecked, and most tests are not about that.
HELP_REQUIRED = False
# Each client of each test makes the application anew. Static files are looked for when they are asked for, not then:
# that was half of what the tests of all addresses took.
WHITENOISE_AUTOREFRESH = True

# whitenoise looks at the folder when the application is made.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405  from the product's settings

if DATABASE_URL:  # noqa: F405  from the product's settings
    # Without the pool: its threads would keep connections to a database that is dropped after the tests.
    DATABASES["default"]["OPTIONS"].pop("pool", None)  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": f"{DATABASES['default']['NAME']}_tests"}  # noqa: F405
else:
    # A file, as in production: in-memory databases lock tables between threads without waiting.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "tests.sqlite3")}  # noqa: F405
