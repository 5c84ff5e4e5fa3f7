"""Data keys of persons: made on first use, wrapped by the operator's master key, destroyed on erasure.

A destroyed key leaves an empty row for a while, which says to every process: gone, and not to be made again.
"""

from __future__ import annotations

import itertools
import os
import stat
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from chatbot.core import clock, crypto
from chatbot.core.leftovers import log_empty
from chatbot.core.models import PersonKey

_CACHE_SIZE = 512
_AT_ONCE = 500
# How long an unwrapped key is used without asking: so long may another process use one that was destroyed here.
KNOWN_S = 30.0
# The `master` of an empty row.
_GONE = ""
# Owners whose key this process destroyed. A turn that is still running must not make them a new one, nor keep the old.
_destroyed: set[uuid.UUID] = set()
_looks: list[Callable[[uuid.UUID], bool]] = []


class KeyMissing(crypto.CryptoError):
    """The person's key is not there: what it sealed can't be read."""


class KeyDestroyed(KeyMissing):
    """It was destroyed, with all that it sealed. There is no other for this person."""


class KeyLost(KeyMissing):
    """Its row is gone and nobody destroyed it: a backup may have it. Until then there is no other for this person, or
    what the lost one sealed and what a new one seals would stand side by side."""


class MasterKeyError(crypto.CryptoError):
    """The master key is missing, unreadable, or not the one that wrapped the data."""


class _Cache:
    """Unwrapped keys, a bounded number of them, in memory only."""

    def __init__(self) -> None:
        self._keys: OrderedDict[uuid.UUID, tuple[bytes, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, owner_id: uuid.UUID) -> bytes | None:
        with self._lock:
            key, since = self._keys.get(owner_id, (None, 0.0))
            if key is None:
                return None
            if clock.monotonic() - since >= KNOWN_S:
                del self._keys[owner_id]
                return None
            self._keys.move_to_end(owner_id)
            return key

    def put(self, owner_id: uuid.UUID, key: bytes) -> None:
        with self._lock:
            if owner_id in _destroyed:  # read just before it was destroyed
                return
            self._keys[owner_id] = (key, clock.monotonic())
            while len(self._keys) > _CACHE_SIZE:
                self._keys.popitem(last=False)

    def drop(self, owner_id: uuid.UUID | None = None) -> None:
        with self._lock:
            if owner_id is None:
                self._keys.clear()
            else:
                self._keys.pop(owner_id, None)


_cache = _Cache()


def master_keys() -> list[bytes]:
    """The operator's master keys, the current one first. From the environment, else from the key file.

    Raises MasterKeyError with a sentence that says what to do.
    """
    text: str = settings.MASTER_KEY
    if not text:
        path = Path(settings.MASTER_KEY_FILE)
        try:
            text = path.read_text(encoding="ascii")
        except FileNotFoundError:
            raise MasterKeyError(
                f"There is no master key: set ABRACO_MASTER_KEY, or put your saved key back at {path}, "
                "or run `python manage.py master_key --make` on a new installation."
            ) from None
        except (OSError, UnicodeDecodeError):
            raise MasterKeyError(f"The key file {path} can't be read: check its owner and its mode (0600).") from None
    keys = [crypto.decode_key(line) for line in text.replace(",", "\n").splitlines() if line.strip()]
    if not keys:
        raise MasterKeyError("The master key is empty: put your saved key back.")
    return keys


def master_key_make() -> bool:
    """Write a new master key where none is configured. True if one was made; never overwrites.

    Refuses when wrapped keys exist already: a new master key could not open them.
    """
    path = Path(settings.MASTER_KEY_FILE)
    if settings.MASTER_KEY or path.exists():
        return False
    if PersonKey.objects.exclude(master=_GONE).exists():
        raise MasterKeyError(f"The key file {path} is missing and this database needs it: put your saved copy back.")
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_keys(path, [crypto.new_key()])
    return True


def _write_keys(path: Path, keys: list[bytes]) -> None:
    new = path.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write("".join(crypto.encode_key(key) + "\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _bound(owner_id: uuid.UUID) -> bytes:
    return b"person key " + owner_id.bytes


def _unwrap(row: PersonKey) -> bytes:
    for master in master_keys():
        if crypto.key_name(master) == row.master:
            return crypto.unseal(master, bytes(row.wrapped), bound_to=_bound(row.owner_id))
    raise MasterKeyError("This database was written with another master key: put that key back.")


def data_key(owner_id: uuid.UUID, *, make: bool = False) -> bytes:
    """The person's data key. With `make`, one is made for somebody of whom nothing is sealed yet (only writing a first
    value does that).

    Raises KeyDestroyed after erasure, KeyLost, MasterKeyError when the operator's key is not the right one.
    """
    known = _cache.get(owner_id)
    if known is not None:
        return known
    row = _row(owner_id)
    destroyed = owner_id in _destroyed if row is None else row.master == _GONE
    if destroyed:
        raise KeyDestroyed("this person's key was destroyed")
    if row is None:
        if not make:
            raise KeyLost("this person's key is missing")
        row = _key_make(owner_id)
    key = _unwrap(row)
    _cache.put(owner_id, key)
    return key


def key_missing(owner_id: uuid.UUID) -> KeyMissing | None:
    """Why what is sealed of this person can't be read; None where it can, or nothing is sealed yet. Raises
    MasterKeyError."""
    try:
        data_key(owner_id)
    except KeyLost as error:
        return error if _holds_sealed(owner_id) else None
    except KeyMissing as error:
        return error
    return None


def keys_lost(owner_ids: Iterable[uuid.UUID]) -> int:
    """How many of these people have lost their key."""
    left, lost = iter(owner_ids), 0
    while some := list(itertools.islice(left, _AT_ONCE)):
        rows = PersonKey.objects.filter(owner_id__in=some)
        bare = set(some) - set(rows.values_list("owner_id", flat=True))
        lost += sum(_holds_sealed(one) for one in bare)
    return lost


def keys_there(owner_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Of these people those who have a key."""
    rows = PersonKey.objects.filter(owner_id__in=owner_ids).exclude(master=_GONE)
    return set(rows.values_list("owner_id", flat=True))


def holds_sealed(look: Callable[[uuid.UUID], bool]) -> None:
    """Register what says whether anything sealed of a person is stored (core/fields.py)."""
    _looks.append(look)


def _holds_sealed(owner_id: uuid.UUID) -> bool:
    return any(look(owner_id) for look in _looks)


def _row(owner_id: uuid.UUID) -> PersonKey | None:
    return PersonKey.objects.filter(owner_id=owner_id).first()


def _key_make(owner_id: uuid.UUID) -> PersonKey:
    if _holds_sealed(owner_id):
        # Looked for once more: whoever made the first one meanwhile has sealed something with it, too.
        made = _row(owner_id)
        if made is None:
            raise KeyLost("this person's key is missing")
        return made
    master = master_keys()[0]
    row = PersonKey(
        owner_id=owner_id,
        wrapped=crypto.seal(master, crypto.new_key(), bound_to=_bound(owner_id)),
        master=crypto.key_name(master),
        created_at=clock.now(),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # another process made it first: that one counts
        return PersonKey.objects.get(owner_id=owner_id)
    return row


def key_destroy(owner_id: uuid.UUID) -> bool:
    """Destroy the person's key, so that nothing it sealed can be read.

    A backup of the whole database has the key of its day: core/gone.py has that one destroyed again. The row stays,
    empty, until `key_forget`: a turn that another process still runs must not make a new key.
    """
    _destroyed.add(owner_id)
    with transaction.atomic():
        destroyed = PersonKey.objects.filter(owner_id=owner_id).exclude(master=_GONE).update(wrapped=b"", master=_GONE)
        if not destroyed:
            PersonKey.objects.get_or_create(
                owner_id=owner_id, defaults={"wrapped": b"", "master": _GONE, "created_at": clock.now()}
            )
    _cache.drop(owner_id)
    log_empty()  # it may still hold the wrapped key that was just overwritten in the file
    return destroyed > 0


def key_forget(owner_id: uuid.UUID) -> None:
    """Delete what a destroyed key left, once no process can be busy with this person any more."""
    PersonKey.objects.filter(owner_id=owner_id, master=_GONE).delete()


def master_rotate() -> int:
    """Make a new current master key, wrap every person's key with it, and drop the old one. Number of keys wrapped.

    Only for a key file: a key in the environment is the operator's to change (put the new one before the old,
    separated by a comma, then run this).
    """
    if settings.MASTER_KEY:
        keys = master_keys()
        return _rewrap(keys[0])
    path = Path(settings.MASTER_KEY_FILE)
    keys = [crypto.new_key(), *master_keys()]
    # DANGER: the new key is on disk before any row needs it, and the old one stays until no row does.
    _write_keys(path, keys)
    count = _rewrap(keys[0])
    _write_keys(path, keys[:1])
    return count


def _rewrap(master: bytes) -> int:
    name, count = crypto.key_name(master), 0
    with transaction.atomic():
        for row in PersonKey.objects.exclude(master__in=(name, _GONE)).select_for_update().iterator():
            key = _unwrap(row)
            row.wrapped = crypto.seal(master, key, bound_to=_bound(row.owner_id))
            row.master = name
            row.save(update_fields=["wrapped", "master"])
            count += 1
    _cache.drop()
    return count


def forget_cached() -> None:
    """Drop every unwrapped key from memory (tests, and after a key was destroyed by another process)."""
    _cache.drop()
