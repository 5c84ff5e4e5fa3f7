"""Encrypted columns. A model that has one gives `key_owner_id`, the person whose key seals it.

The value is sealed in `pre_save`, since only there a field sees the row it stands in, and opened on first access
through a descriptor. It is bound to table, column, row and owner, so a sealed value can't be moved elsewhere.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Protocol, cast

from django.apps import apps
from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Combinable

from chatbot.core import crypto, keys

if TYPE_CHECKING:
    _Binary = models.BinaryField[Any, Any]
else:
    _Binary = models.BinaryField  # generic for the type checker only


# The column that says whose a row is. A row without one hangs on another row that has it.
OWNERS = ("owner_id", "person_id")


class Owned(Protocol):
    """A row with encrypted columns."""

    pk: Any
    key_owner_id: uuid.UUID


class _Sealed(bytes):
    """Bytes as they stand in the database, not opened yet."""


class _Descriptor:
    def __init__(self, field: _EncryptedField) -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        value = instance.__dict__.get(self.field.attname)
        if isinstance(value, _Sealed):
            value = self.field.open(instance, value)
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class _EncryptedField(_Binary):
    """Shared by the text and the JSON column."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Descriptor(self))

    def to_bytes(self, value: Any) -> bytes:
        return str(value).encode("utf-8")

    def from_bytes(self, value: bytes) -> Any:
        return value.decode("utf-8")

    def _bound(self, row_id: Any, owner_id: uuid.UUID) -> bytes:
        if row_id is None:
            raise FieldError("a row needs its primary key before an encrypted column is sealed")
        return f"{self.model._meta.db_table}:{self.column}:{row_id}:{owner_id}".encode()

    def open(self, instance: models.Model, sealed: bytes) -> Any:
        return self.open_of(instance.pk, cast("Owned", instance).key_owner_id, sealed)

    def open_of(self, row_id: Any, owner_id: uuid.UUID, sealed: bytes) -> Any:
        return self.from_bytes(crypto.unseal(keys.data_key(owner_id), sealed, bound_to=self._bound(row_id, owner_id)))

    def seal(self, instance: models.Model, value: Any) -> _Sealed:
        owner_id = cast("Owned", instance).key_owner_id
        key, bound = keys.data_key(owner_id, make=True), self._bound(instance.pk, owner_id)
        return _Sealed(crypto.seal(key, self.to_bytes(value), bound_to=bound))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if value is None or isinstance(value, _Sealed):
            return value
        return self.seal(model_instance, value)

    def from_db_value(self, value: Any, expression: Combinable, connection: BaseDatabaseWrapper) -> _Sealed | None:
        return None if value is None else _Sealed(bytes(value))

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        # DANGER: `QuerySet.update()` and look-ups come here without a row. Plain text must not reach the database.
        if value is not None and not isinstance(value, _Sealed):
            raise FieldError(f"{self.name} is encrypted: load the row and save it; it can't be updated or searched")
        return super().get_db_prep_value(value, connection, prepared)

    def value_from_object(self, obj: models.Model) -> Any:
        return getattr(obj, self.attname)


class EncryptedTextField(_EncryptedField):
    """Text, sealed with its owner's key."""


class EncryptedJSONField(_EncryptedField):
    """Anything that JSON can hold, sealed with its owner's key."""

    def to_bytes(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    def from_bytes(self, value: bytes) -> Any:
        return json.loads(value)


def sealed(row: models.Model, name: str, value: Any) -> Any:
    """A value for that column of that row, for a counted update: `filter(id=row.id, ...).update(name=sealed(...))`.

    DANGER: it opens in this row and in no other, so the update must name the row by its key.
    """
    return _encrypted(type(row), name).seal(row, value)


def opened(model: type[models.Model], name: str, value: Any, *, row_id: Any, owner_id: uuid.UUID) -> Any:
    """What stands in that column of that row, where many were read as values: a row object for each costs more than
    opening it."""
    return None if value is None else _encrypted(model, name).open_of(row_id, owner_id, value)


def _encrypted(model: type[models.Model], name: str) -> _EncryptedField:
    field = model._meta.get_field(name)
    if not isinstance(field, _EncryptedField):
        raise FieldError(f"{name} is not encrypted")
    return field


def sealed_exists(owner_id: uuid.UUID) -> bool:
    """Whether anything sealed of this person is stored. Asked once a person, before their key is made."""
    for model in apps.get_models():
        fields = model._meta.concrete_fields
        owner = next((field.name for field in fields if field.name in OWNERS), None)
        for field in fields if owner is not None else ():
            if isinstance(field, _EncryptedField):
                rows = model._default_manager.filter(**{str(owner): owner_id, f"{field.name}__isnull": False})
                if rows.exists():
                    return True
    return False


keys.holds_sealed(sealed_exists)
