"""A language's files as they were parsed, kept beside what else a start would make anew. A broken, old or foreign file
is the same as none; of two processes that write at once the last one wins."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from chatbot.core.files import write_whole
from companion.bank import form
from companion.bank.form import FileForm
from companion.types import Language


class _Parsed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: str
    forms: tuple[FileForm, ...]


def _path(directory: Path, language: Language) -> Path:
    return directory / f"bank-{language}.json"


@functools.cache
def _parser() -> str:
    """Changes with what parses."""
    return hashlib.sha256(Path(form.__file__).read_bytes()).hexdigest()


def parsed_read(directory: Path, language: Language, digest: str) -> tuple[FileForm, ...] | None:
    """None where nothing is kept of exactly these files."""
    try:
        kept = _Parsed.model_validate_json(_path(directory, language).read_bytes())
    except (OSError, ValidationError):
        return None
    return kept.forms if kept.digest == f"{digest} {_parser()}" else None


def parsed_write(directory: Path, language: Language, digest: str, forms: tuple[FileForm, ...]) -> None:
    content = _Parsed(digest=f"{digest} {_parser()}", forms=forms).model_dump_json(exclude_defaults=True)
    with contextlib.suppress(OSError):  # a full or read-only disk costs time at the next start
        write_whole(_path(directory, language), content.encode())
