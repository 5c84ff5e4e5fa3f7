"""The process's engine, by settings; `embedded` when the chosen one can't load or breaks."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from django.conf import settings

from companion.engines.base import Engine, EngineError
from companion.engines.registry import engine_named
from companion.engines.scripted import Stall, Step
from companion.types import Delta, Limits, Prompt

log = structlog.get_logger()
FALLBACK = "embedded"
_engines: dict[str, Engine] = {}
_loading: dict[str, Engine] = {}
_broken: set[str] = set()


def _options(name: str) -> dict[str, object]:
    if name == FALLBACK:
        return {"cache_dir": settings.CACHE_DIR}
    if name == "scripted":
        return {"script": _script(settings.ENGINE_SCRIPT)} if settings.ENGINE_SCRIPT else {}
    return {"model": settings.ENGINE_MODEL} if settings.ENGINE_MODEL else {}


def _script(text: str) -> list[Step]:
    """A script from JSON: what is said, and between it the seconds of a pause. Raises EngineError."""
    try:
        steps = json.loads(text)
        if not isinstance(steps, list) or not all(isinstance(step, str | int | float) for step in steps):
            raise ValueError("not a list of words and numbers")
    except ValueError as error:
        raise EngineError(f'ABRACO_SCRIPT is a JSON list like ["One. ", 2, "Two."]: {error}') from error
    return [step if isinstance(step, str) else Stall(float(step)) for step in steps]


def engine_loaded() -> str | None:
    """Which engine answers in this process now; None while none is loaded. Loads nothing."""
    for name in dict.fromkeys((settings.ENGINE, FALLBACK)):
        if name in _engines:
            return _engines[name].name
    return None


async def _ready(name: str, *, all_of_it: bool = True) -> Engine | None:
    """The engine, loaded; None where it can't be. Without `all_of_it` the fallback loads a language when asked."""
    if name in _broken:
        return None
    if name in _engines:
        return _engines[name]
    try:
        # One that loads is shared: the warm-up and a first message may come at the same moment.
        engine = _loading.get(name) or engine_named(name, _options(name))
        _loading[name] = engine
    except Exception as error:  # as in engine_stream
        _broken.add(name)
        log.error("engine_unavailable", engine=name, reason=str(error))
        return None
    try:
        if all_of_it or name != FALLBACK:
            await engine.ready()
    except Exception as error:  # as in engine_stream
        log.error("engine_unavailable", engine=name, reason=str(error))
        if name != FALLBACK:
            _broken.add(name)
            await engine.close()
            return None
        # Behind the fallback stands nobody: it answers what it can, and each turn finds out what that is.
    finally:
        _loading.pop(name, None)
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


async def engine_stream(prompt: Prompt, limits: Limits) -> AsyncGenerator[tuple[str, Delta], None]:
    """The reply with the name of who gives it. The fallback answers only where nothing was said yet."""
    for name in dict.fromkeys((settings.ENGINE, FALLBACK)):
        engine, said = await _ready(name, all_of_it=False), False
        if engine is None:
            continue
        try:
            async with aclosing(engine.stream(prompt, limits)) as pieces:
                async for delta in pieces:
                    said = True
                    yield engine.name, delta
            return
        except Exception as error:  # an engine may be anybody's code: whatever breaks in it is the same news
            # An engine's own errors are written for the operator; what another one says may hold anything.
            reason = str(error) if isinstance(error, EngineError) else type(error).__name__
            log.error("engine_failed", engine=name, reason=reason)
            if said:
                raise EngineError("the engine broke off") from error
    raise EngineError("no engine can answer")


async def engines_close() -> None:
    """Free what the engines hold."""
    for engine in _engines.values():
        await engine.close()
    _engines.clear()
    _broken.clear()
