from __future__ import annotations

import subprocess
import sys

import pytest

from companion.engines.base import EngineError
from companion.engines.registry import engine_named, engine_names


def test_every_built_in_engine_has_a_name_and_is_made_without_loading_a_model() -> None:
    code = (
        "import sys\n"
        "from companion.engines.registry import engine_named, engine_names\n"
        "for name in engine_names():\n"
        "    engine_named(name, {'model': '/nowhere'} if name == 'transformers' else {})\n"
        "assert not {'torch', 'transformers', 'django'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_trailing_underscore_of_the_package_is_fine() -> None:
    assert engine_named("transformers_", {"model": "/nowhere"}).name == "transformers"


@pytest.mark.parametrize(
    ("name", "options"),
    [("parrot", {}), ("no.such.module:Engine", {}), ("scripted", {"volume": 11}), ("transformers", {})],
)
def test_an_unknown_engine_or_option_is_refused_by_name(name: str, options: dict[str, object]) -> None:
    with pytest.raises(EngineError, match=name.split(":", maxsplit=1)[0]):
        engine_named(name, options)


def test_a_class_of_another_package_may_be_named() -> None:
    assert engine_named("companion.engines.scripted:ScriptedEngine").name in engine_names()
