"""The one place that composes cryptography: AES-256-GCM with associated data. No Django, no storage.

A sealed value is `version (1 byte) | nonce (12 bytes) | ciphertext and tag`. A nonce is fresh for each seal.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
_VERSION = b"\x01"


class CryptoError(Exception):
    """Something could not be opened or a key is not a key. Never carries plaintext."""


def new_key() -> bytes:
    """32 random bytes."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, plaintext: bytes, *, bound_to: bytes) -> bytes:
    """Encrypt. `bound_to` is what the value belongs to; opening needs the same bytes."""
    nonce = os.urandom(NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to)


def unseal(key: bytes, sealed: bytes, *, bound_to: bytes) -> bytes:
    """Decrypt. Raises CryptoError for a wrong key, a moved value, or a changed byte."""
    if sealed[:1] != _VERSION or len(sealed) < 1 + NONCE_BYTES + 16:
        raise CryptoError("not a sealed value of a version that this program knows")
    nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, bound_to)
    except InvalidTag:
        # DANGER: `from None`, so that no traceback keeps the ciphertext's frame with it.
        raise CryptoError("the value does not open with this key in this place") from None


def key_name(key: bytes) -> str:
    """A short public name of a key, so that a row can say which master key wrapped it."""
    return hashlib.sha256(b"abraco key name" + key).hexdigest()[:12]


def encode_key(key: bytes) -> str:
    """A key as one line of text."""
    return base64.urlsafe_b64encode(key).decode("ascii")


def decode_key(text: str) -> bytes:
    """A key from its line of text. Raises CryptoError when it is not 32 bytes."""
    try:
        key = base64.urlsafe_b64decode(text.strip().encode("ascii"))
    except (binascii.Error, ValueError, UnicodeEncodeError):
        raise CryptoError("a master key is 32 bytes as url-safe base64; this line is not") from None
    if len(key) != KEY_BYTES:
        raise CryptoError(f"a master key is {KEY_BYTES} bytes; this line has {len(key)}")
    return key
