"""Rules of the house that no linter sees."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import ForeignKey

ROOT = Path(__file__).resolve().parents[2]
RANK = {
    "core": 0,
    "accounts": 1,
    "incidents": 2,
    "memory": 2,
    "play": 2,
    "profile": 2,
    "chat": 3,
    "me": 4,
    "family": 4,
    "widget": 4,
}


def test_check_and_the_url_map_load_no_torch() -> None:
    code = (
        "import django, sys; django.setup();"
        "from django.core.management import call_command; call_command('check');"
        "import chatbot.urls, chatbot.asgi, companion.engines.embedded.engine;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]


def test_foreign_keys_point_downwards() -> None:
    for model in apps.get_models():
        label = model._meta.app_label
        for field in model._meta.get_fields():
            if label in RANK and isinstance(field, ForeignKey):
                target = field.related_model._meta.app_label
                assert RANK.get(target, 0) <= RANK[label], f"{model.__name__}.{field.name} points up"


def test_every_app_with_tables_has_a_rank() -> None:
    packages = ("chatbot", "companion", "moderation")
    ours = {config.label for config in apps.get_app_configs() if config.name.split(".")[0] in packages}
    assert {label for label in ours if list(apps.get_app_config(label).get_models())} <= set(RANK)


def test_the_protocol_s_schemas_are_as_written(tmp_path: Path) -> None:
    call_command("protocol", str(tmp_path))
    for name in ("client", "server"):
        written = json.loads((ROOT / "docs" / "protocol" / f"{name}.json").read_text(encoding="utf-8"))
        assert json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8")) == written


@pytest.mark.parametrize("package", ["chatbot", "companion", "moderation"])
def test_no_module_is_longer_than_400_lines(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        if "migrations" not in path.parts:
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path


def test_the_schema_has_no_streaks_points_or_levels_of_love() -> None:
    words = ("streak", "points", "score", "affection", "love", "birth")
    for model in apps.get_models():
        for field in model._meta.get_fields():
            assert not any(word in field.name for word in words), f"{model.__name__}.{field.name}"
