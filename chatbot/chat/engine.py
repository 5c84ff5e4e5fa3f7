"""The process's engine, by settings; `embedded` when the chosen one can't load or breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog
from django.conf import settings

from companion.engines.base import Engine, EngineError
from companion.engines.registry import engine_named
from companion.types import Delta, Limits, Prompt

log = structlog.get_logger()
FALLBACK = "embedded"
_engines: dict[str, Engine] = {}
_broken: set[str] = set()


def _options(name: str) -> dict[str, object]:
    if name == FALLBACK:
        return {"cache_dir": settings.CACHE_DIR}
    return {"model": settings.ENGINE_MODEL} if settings.ENGINE_MODEL else {}


async def _ready(name: str) -> Engine | None:
    if name in _broken:
        return None
    if name in _engines:
        return _engines[name]
    try:
        engine = engine_named(name, _options(name))
        await engine.ready()
    except EngineError as error:
        _broken.add(name)
        log.error("engine_unavailable", engine=name, reason=str(error))
        return None
    _engines[name] = engine
    return engine


def engine_use(engine: Engine) -> None:
    """Put a made engine in the place of the chosen one (tests, the terminal)."""
    _engines[settings.ENGINE] = engine
    _broken.discard(settings.ENGINE)


async def engine_ready() -> str:
    """Load the chosen engine, or the fallback. The name of what answers. Raises EngineError when nothing does."""
    for name in dict.fromkeys((settings.ENGINE, FALLBACK)):
        engine = await _ready(name)
        if engine is not None:
            return engine.name
    raise EngineError("no engine can answer")


async def engine_stream(prompt: Prompt, limits: Limits) -> AsyncIterator[tuple[str, Delta]]:
    """The reply with the name of who gives it. The fallback answers only where nothing was said yet."""
    for name in dict.fromkeys((settings.ENGINE, FALLBACK)):
        engine, said = await _ready(name), False
        if engine is None:
            continue
        try:
            async for delta in engine.stream(prompt, limits):
                said = True
                yield engine.name, delta
            return
        except EngineError as error:
            log.error("engine_failed", engine=name, reason=type(error).__name__)
            if said:
                raise
    raise EngineError("no engine can answer")


async def engines_close() -> None:
    """Free what the engines hold."""
    for engine in _engines.values():
        await engine.close()
    _engines.clear()
    _broken.clear()
