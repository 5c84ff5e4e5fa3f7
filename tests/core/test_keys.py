from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection

from chatbot.core import clock, crypto, keys
from chatbot.core.fields import opened, sealed
from chatbot.core.ids import new_id
from chatbot.core.models import PersonKey
from companion.profile.models import Companion

pytestmark = pytest.mark.django_db


@pytest.fixture
def key_file(tmp_path: Path, settings: object) -> Path:
    settings.MASTER_KEY = ""  # type: ignore[attr-defined]  # pytest-django's settings take any name
    settings.MASTER_KEY_FILE = str(tmp_path / "keys" / "master.key")  # type: ignore[attr-defined]  # as above
    keys.master_key_make()
    return tmp_path / "keys" / "master.key"


def companion_named(name: str) -> Companion:
    row = Companion(owner_id=new_id(), name=name)
    row.save()
    return row


def test_an_encrypted_column_reads_back_and_is_not_in_the_table() -> None:
    row = companion_named("Pipoca")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM profile_companion")
        stored = bytes(cursor.fetchone()[0])
    assert b"Pipoca" not in stored
    assert Companion.objects.get(pk=row.pk).name == "Pipoca"


def test_a_sealed_value_can_not_be_moved_to_another_person() -> None:
    one, other = companion_named("Pipoca"), companion_named("Bento")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM profile_companion WHERE owner_id = %s", [one.owner_id.hex])
        sealed = cursor.fetchone()[0]
        cursor.execute("UPDATE profile_companion SET name = %s WHERE owner_id = %s", [sealed, other.owner_id.hex])
    with pytest.raises(crypto.CryptoError):
        _ = Companion.objects.get(pk=other.pk).name


def test_an_encrypted_column_refuses_update_and_search() -> None:
    companion_named("Pipoca")
    with pytest.raises(FieldError):
        Companion.objects.update(name="Bento")
    with pytest.raises(FieldError):
        Companion.objects.filter(name="Pipoca").exists()


def test_a_value_sealed_for_an_update_opens_in_its_own_row_alone() -> None:
    one, other = companion_named("Pipoca"), companion_named("Bento")
    Companion.objects.update(name=sealed(one, "name", "Luna"))
    assert Companion.objects.get(pk=one.pk).name == "Luna"
    with pytest.raises(crypto.CryptoError):
        _ = Companion.objects.get(pk=other.pk).name
    stored = Companion.objects.filter(pk=one.pk).values_list("name", flat=True).get()
    assert opened(Companion, "name", stored, row_id=one.pk, owner_id=one.owner_id) == "Luna"
    with pytest.raises(crypto.CryptoError):
        opened(Companion, "name", stored, row_id=other.pk, owner_id=one.owner_id)
    with pytest.raises(FieldError):
        sealed(one, "colour", "sky")


def test_after_the_key_is_destroyed_nothing_opens() -> None:
    row = companion_named("Pipoca")
    assert keys.key_destroy(row.owner_id)
    with pytest.raises(keys.KeyMissing):
        _ = Companion.objects.get(pk=row.pk).name
    assert not keys.key_destroy(row.owner_id)


def test_no_other_process_makes_a_destroyed_key_again_until_it_is_forgotten() -> None:
    owner = companion_named("Pipoca").owner_id
    keys.key_destroy(owner)
    keys._destroyed.discard(owner)  # another process, which knows nothing of it
    row = PersonKey.objects.get(owner_id=owner)
    assert (bytes(row.wrapped), row.master) == (b"", "")
    with pytest.raises(keys.KeyMissing):
        keys.data_key(owner, make=True)
    keys.key_forget(owner)
    assert not PersonKey.objects.filter(owner_id=owner).exists()


def test_nobody_gets_a_key_who_was_erased_before_there_was_one() -> None:
    owner = new_id()
    assert not keys.key_destroy(owner)
    keys._destroyed.discard(owner)
    with pytest.raises(keys.KeyMissing):
        keys.data_key(owner, make=True)


def test_forgetting_never_takes_a_key_that_is_in_use() -> None:
    row = companion_named("Pipoca")
    keys.key_forget(row.owner_id)
    assert Companion.objects.get(pk=row.pk).name == "Pipoca"


def test_a_key_that_another_process_destroyed_is_used_for_half_a_minute_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = companion_named("Pipoca")
    assert Companion.objects.get(pk=row.pk).name == "Pipoca"
    PersonKey.objects.filter(owner_id=row.owner_id).update(wrapped=b"", master="")
    later = clock.monotonic() + keys.KNOWN_S
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    with pytest.raises(keys.KeyMissing):
        _ = Companion.objects.get(pk=row.pk).name


def test_rotation_leaves_what_is_left_of_destroyed_keys_alone(key_file: Path) -> None:
    gone, there = companion_named("Pipoca"), companion_named("Bento")
    keys.key_destroy(gone.owner_id)
    call_command("master_key", "--rotate", verbosity=0)
    assert PersonKey.objects.get(owner_id=gone.owner_id).master == ""
    assert Companion.objects.get(pk=there.pk).name == "Bento"


def test_a_key_that_was_read_just_before_it_was_destroyed_is_not_kept() -> None:
    gone, there = companion_named("Pipoca").owner_id, companion_named("Bento").owner_id
    read = {owner: keys.data_key(owner) for owner in (gone, there)}
    keys.key_destroy(gone)
    keys.forget_cached()
    for owner, key in read.items():
        keys._cache.put(owner, key)
    assert keys._cache.get(gone) is None
    assert keys._cache.get(there) == read[there]


def test_the_key_file_is_made_once_and_only_its_owner_reads_it(key_file: Path) -> None:
    before = key_file.read_text()
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert not keys.master_key_make()
    assert key_file.read_text() == before


def test_rotation_wraps_every_key_and_drops_the_old_master(key_file: Path) -> None:
    row, old = companion_named("Pipoca"), key_file.read_text()
    call_command("master_key", "--rotate", verbosity=0)
    assert key_file.read_text() != old
    assert old.strip() not in key_file.read_text()
    assert PersonKey.objects.get().master == crypto.key_name(keys.master_keys()[0])
    assert Companion.objects.get(pk=row.pk).name == "Pipoca"


def test_a_missing_key_file_says_what_to_do_and_is_never_replaced(key_file: Path) -> None:
    companion_named("Pipoca")
    keys.forget_cached()
    key_file.unlink()
    with pytest.raises(keys.MasterKeyError, match="put your saved key back"):
        keys.master_keys()
    with pytest.raises(CommandError, match="put your saved copy back"):
        call_command("master_key", "--make")
    assert not key_file.exists()


def test_a_wrong_key_file_says_so_and_loses_nothing(key_file: Path) -> None:
    row, right = companion_named("Pipoca"), key_file.read_text()
    keys.forget_cached()
    key_file.write_text(crypto.encode_key(crypto.new_key()))
    with pytest.raises(keys.MasterKeyError, match="another master key"):
        _ = Companion.objects.get(pk=row.pk).name
    key_file.write_text(right)
    assert Companion.objects.get(pk=row.pk).name == "Pipoca"


@pytest.mark.parametrize("content", ["", "\n\n", "not a key"])
def test_a_broken_key_file_is_a_clear_error(key_file: Path, content: str) -> None:
    key_file.write_text(content)
    with pytest.raises(crypto.CryptoError):
        keys.master_keys()
