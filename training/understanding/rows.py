"""What the heads learn from: rows that people wrote, and what the bank's situations and the words of each subject say
to the about-head.

`rows/<language>/<about>.tsv` holds `does<TAB>feeling<TAB>message`, `words/<language>/<about>.txt` a word or a phrase a
line. One message in five, by a hash of its words, is held back for choosing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from companion.bank import bank_for
from companion.types import ABOUTS, DOES, LANGUAGES, About, Does, Language

FOLDER: Final = Path(__file__).parent
HELD_SHARE: Final = 5  # one in so many


class RowError(Exception):
    """A row can't be read: which file, which line, and why."""


@dataclass(frozen=True)
class Row:
    """does, feeling None: not known, nothing is learnt from it for that head."""

    language: Language
    text: str
    about: About
    does: Does | None = None
    feeling: int | None = None
    banked: bool = False

    @property
    def held(self) -> bool:
        return hashlib.sha256(self.text.encode()).digest()[0] % HELD_SHARE == 0


def rows_written(folder: Path = FOLDER / "rows") -> Iterator[Row]:
    """Raises RowError."""
    for language in LANGUAGES:
        for path in sorted((folder / language).glob("*.tsv")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if line.strip():
                    yield _row(line, language=language, about=path.stem, where=f"{language}/{path.name}:{number}")


def _row(line: str, *, language: Language, about: str, where: str) -> Row:
    does, feeling, text = (*line.split("\t"), "", "")[:3]
    if about not in ABOUTS:
        raise RowError(f"{where}: no subject is called {about!r}")
    if does not in DOES:
        raise RowError(f"{where}: {does!r} is nothing that a message does")
    if feeling not in ("-2", "-1", "0", "1", "2") or not text.strip():
        raise RowError(f"{where}: wanted are does, feeling (-2 to 2) and the message, with tabs between them")
    return Row(language, text.strip(), cast(About, about), cast(Does, does), int(feeling))


def rows_of_words(folder: Path = FOLDER / "words") -> Iterator[Row]:
    """Without `does` and `feeling`: words that give a subject away. Raises RowError."""
    for language in LANGUAGES:
        for path in sorted((folder / language).glob("*.txt")):
            if path.stem not in ABOUTS:
                raise RowError(f"{language}/{path.name}: no subject is called {path.stem!r}")
            for words in path.read_text(encoding="utf-8").split("\n"):
                if words.strip():
                    yield Row(language, words.strip(), cast(About, path.stem))


def rows_banked() -> Iterator[Row]:
    """Without `does` and `feeling`: what the bank's exchanges answer, where their file says what it is about."""
    for language in LANGUAGES:
        for exchange in bank_for(language).exchanges:
            if exchange.about is not None and exchange.act is None:
                yield from (Row(language, said, exchange.about, banked=True) for said in exchange.said)
