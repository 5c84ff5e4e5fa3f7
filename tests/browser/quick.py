"""The product's settings where browsers of tests come by the dozen, all of them from one address: a cheap password hash
(of the product's own each sign-in costs a fifth of a second), and no limit a minute on who signs in from there."""

from chatbot.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ACCOUNT_RATE_LIMITS = {"login": "600/m/ip", "signup": "600/m/ip"}
