"""The small list that the browser keeps, so that a message in danger shows help at once while nothing can be sent.

The rules of the server are the real screen; this list only bridges an offline minute. A test holds every phrase of it
to those rules. Compared as folded text: small letters, no accents, no apostrophes, no punctuation.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moderation.types import Language

FILE: Final = Path(__file__).resolve().parent / "phrases.yaml"


class PhrasesError(Exception):
    """phrases.yaml can't be used."""


class _Phrases(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    phrases: dict[Language, tuple[str, ...]] = Field(min_length=4)


@lru_cache(maxsize=2)
def offline_phrases(path: Path = FILE) -> dict[Language, tuple[str, ...]]:
    """The phrases by language. Raises PhrasesError."""
    try:
        return _Phrases.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).phrases
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise PhrasesError(f"{path.name}: {error}") from None
