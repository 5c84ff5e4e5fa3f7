"""The rows that people wrote for this: `rows/<language>/<theme>.txt`. The form is described in rows/README.md.

Each was read again by somebody who did not see its labels (`second/<language>.tsv`, by key): where the two readings
differ about an output, that output is not learnt from in that row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from moderation.types import LANGUAGES, Language, Side
from training.moderation.examples import Example, Label, Labels
from training.moderation.relabelled import key_of, labels_read

ROWS: Final = Path(__file__).parent / "rows"
SECOND: Final = Path(__file__).parent / "second"
MOST_CHARS: Final = 1200
WEIGHT: Final = 3.0


class RowError(ValueError):
    """A line can't be read. The sentence names the file, the line and what is wrong."""


@dataclass(frozen=True)
class Row:
    """One written row. lines: the teen's messages, the last one is meant; for a reply, what it answers."""

    side: Side
    labels: tuple[Label, ...]
    lines: tuple[str, ...]
    reply: str
    language: Language
    theme: str
    scene: str
    place: str  # file and line

    @property
    def text(self) -> str:
        """What is judged."""
        return self.reply if self.side == "reply" else self.lines[-1]

    @property
    def before(self) -> tuple[str, ...]:
        """What is read with it."""
        return self.lines if self.side == "reply" else self.lines[:-1]

    @property
    def key(self) -> str:
        """What a second reading is kept under."""
        said = " // ".join(self.lines)
        return key_of(f"{self.language}: {said} => {self.reply}" if self.reply else f"{self.language}: {said}")

    @property
    def harmless(self) -> bool:
        return Labels(self.side, self.labels).targets().get(f"{self.side}/any", 1) == 0


def rows_read(folder: Path = ROWS) -> Iterator[Row]:
    """All rows, by language and file. Raises RowError."""
    for language in LANGUAGES:
        for path in sorted((folder / language).glob("*.txt")):
            yield from _file(path, language)


def agreed(row: Row, second: Labels | None) -> dict[str, int]:
    """What both readings say of it."""
    first = Labels(row.side, row.labels).targets()
    other = first if second is None else Labels(row.side, second.labels).targets()
    return {name: value for name, value in first.items() if other.get(name) == value}


def examples_written(folder: Path = ROWS, second: Path = SECOND) -> Iterator[Example]:
    again = labels_read(second)
    for row in rows_read(folder):
        yield Example(
            text=row.text,
            targets=agreed(row, again.get(row.key)),
            language=row.language,
            source="written",
            scene=f"{row.language}/{row.theme}/{row.scene}",
            weight=WEIGHT,
            before=row.before,
        )


def _file(path: Path, language: Language) -> Iterator[Row]:
    scene = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        place = f"{language}/{path.name}:{number}"
        if not line.strip():
            continue
        if line.startswith("## "):
            scene = line[3:].strip()
            continue
        left, bar, text = line.partition(" | ")
        if not bar or not scene or not text.strip() or len(text) > MOST_CHARS:
            raise RowError(f"{place}: a row is 'labels | text' of at most {MOST_CHARS} characters, under a '## scene'")
        try:
            yield _row(left.split(), text, language=language, theme=path.stem, scene=scene, place=place)
        except ValueError as error:
            raise RowError(f"{place}: {error}") from None


def _row(left: list[str], text: str, *, language: Language, theme: str, scene: str, place: str) -> Row:
    side: Side = "message"
    if left and left[0] == "R":
        side, left = "reply", left[1:]
    if not left or ("-" in left and len(left) > 1):
        raise ValueError("labels, or one '-'")
    labels = () if left == ["-"] else tuple(Label.read(written) for written in left)
    said, arrow, reply = text.partition(" => ") if side == "reply" else (text, "", "")
    if side == "reply" and not arrow:
        raise ValueError("a reply is 'what was said => what is answered'")
    lines = tuple(part.strip() for part in said.split(" // ") if part.strip())
    return Row(side, labels, lines, reply.strip(), cast("Language", language), theme, scene, place)
