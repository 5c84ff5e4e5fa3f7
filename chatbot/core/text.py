"""Text that every database can keep."""

from __future__ import annotations


def text_clean(text: str) -> str:
    """The text as it can be written: halves of a character (JSON allows them) become a sign, NUL goes (PostgreSQL
    refuses it)."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\x00", "")
