"""`manage.py recall --jsonl`: the memory's own index and ranking over documents handed in, for measuring it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chatbot.core import clock, logging
from chatbot.core.encoder import EncoderError, encode, encoder_close
from companion.memory.ranking import Index
from companion.memory.said import Said

MOST = 20_000
Text = Annotated[str, Field(max_length=20_000)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    text: Text
    at: str | None = None
    who: str | None = None

    def signed(self) -> str:
        """As its sense is taken: who said it belongs to it."""
        return f"{self.who}: {self.text}" if self.who else self.text


class _Query(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    text: Text


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    documents: Annotated[list[_Document], Field(max_length=MOST)]
    queries: Annotated[list[_Query], Field(max_length=MOST)]
    k: Annotated[int, Field(ge=1)] = 10


class BadLine(Exception):
    """An input line that can't be used; the sentence says why, without the text that was in it."""


class Command(BaseCommand):
    help = "Rank documents for queries with the memory's own index. One JSON object a line, in and out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--jsonl", action="store_true", help="read lines from standard input (the only way so far)")

    def handle(self, *args: Any, jsonl: bool, **options: Any) -> None:
        if not jsonl:
            raise CommandError("Say --jsonl, and hand in one JSON object a line.")
        logging.configure(to_stderr=True)
        bad = False
        try:
            for number, line in enumerate(sys.stdin, start=1):
                if not line.strip():
                    continue
                try:
                    answer = ranked(line)
                except BadLine as error:
                    bad, answer = True, {"error": str(error), "line": number}
                self.stdout.write(json.dumps(answer, ensure_ascii=False))
                self.stdout.flush()
        except EncoderError as error:
            raise CommandError(f"The sentence encoder can't be used: {error}") from error
        finally:
            encoder_close()
        if bad:
            sys.exit(1)


def _read(text: str) -> _Line:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise BadLine("this line is not JSON") from None
    if not isinstance(given, dict):
        raise BadLine("a line is an object")
    try:
        return _Line.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadLine(f"{where}: {first['msg']}") from None


def indexed(documents: Sequence[_Document]) -> Index:
    """Documents in the order in which they were said. Raises EncoderError."""
    texts = [document.text for document in documents]
    vectors = [one.array for one in encode([document.signed() for document in documents])]
    bare = [one.array for one in encode([document.text for document in documents if document.who])]
    own = iter(bare)
    said = [Said(document.who, document.at or "", next(own)) if document.who else None for document in documents]
    return Index(texts, vectors, said=said)


def ranked(text: str) -> dict[str, Any]:
    """One input line and its answer. Raises BadLine, EncoderError."""
    line = _read(text)
    for name, ids in (("documents", line.documents), ("queries", line.queries)):
        if len({one.id for one in ids}) != len(ids):
            raise BadLine(f"{name}: two of them have the same id")
    start = clock.monotonic()
    index = indexed(line.documents)
    built = clock.monotonic()
    results: dict[str, list[str]] = {}
    for query in line.queries:
        vector = encode([query.text])[0].array
        found = index.rank(query.text, vector, limit=min(line.k, index.size))
        results[query.id] = [line.documents[one.place].id for one in found]
    mean = (clock.monotonic() - built) / len(line.queries) if line.queries else 0.0
    took = {"index": round((built - start) * 1000, 2), "query_mean": round(mean * 1000, 2)}
    return {"id": line.id, "results": results, "ms": took}
