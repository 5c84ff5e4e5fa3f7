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
