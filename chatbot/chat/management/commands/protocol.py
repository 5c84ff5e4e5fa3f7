"""`manage.py protocol DIRECTORY`: write the JSON schemas of both directions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chatbot.chat.frames import schemas


class Command(BaseCommand):
    help = "Write abraco.v1's schemas as client.json and server.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", nargs="?", default="docs/protocol")

    def handle(self, *args: Any, directory: str, **options: Any) -> None:
        for name, schema in schemas().items():
            path = Path(directory) / f"{name}.json"
            path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
