"""`manage.py openapi FILE`: write the description of the REST API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from chatbot.chat.api import api


class Command(BaseCommand):
    help = "Write /api/v1's OpenAPI document."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", default="docs/api/openapi.json")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        schema = api.get_openapi_schema(path_prefix="/api/v1/")
        text = json.dumps(schema, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
        Path(file).write_text(text + "\n", encoding="utf-8")
