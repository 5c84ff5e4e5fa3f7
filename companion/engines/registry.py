"""Engines by name. Nothing of an engine is imported before it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

from companion.engines.base import Engine, EngineError

BUILT_IN: Mapping[str, str] = {
    "embedded": "companion.engines.embedded.engine:EmbeddedEngine",
    "scripted": "companion.engines.scripted:ScriptedEngine",
    "transformers": "companion.engines.transformers_.engine:TransformersEngine",
}


def engine_names() -> tuple[str, ...]:
    return tuple(BUILT_IN)


def engine_named(name: str, options: Mapping[str, Any] | None = None) -> Engine:
    """The engine with its options: a built-in name (a trailing underscore is fine), or `package.module:Class` of an
    installed package. Raises EngineError for an unknown name or an option that the engine doesn't have."""
    target = BUILT_IN.get(name.rstrip("_"), name)
    module_name, colon, class_name = target.partition(":")
    if not colon:
        raise EngineError(f"no engine is called {name!r}; there are {', '.join(BUILT_IN)}, or package.module:Class")
    try:
        made = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise EngineError(f"the engine {name!r} can't be imported: {error}") from error
    try:
        return cast(Engine, made(**(options or {})))
    except TypeError as error:
        raise EngineError(f"the engine {name!r} was given options that don't fit: {error}") from error
