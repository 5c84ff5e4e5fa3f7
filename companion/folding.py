"""Text as it is compared: lower case, without accents, repeated letters once. One way for the whole companion."""

from __future__ import annotations

import re
import unicodedata

QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "«": '"', "»": '"'})
# One class, so linear. Over the whole bank at a start, re2 takes three times as long.
NOT_WORD = re.compile(r"[\W_]+")
_THRICE = re.compile(r"(.)\1\1", re.DOTALL)


def plain(text: str) -> str:
    """Lower case without accents, quotes straightened."""
    if text.isascii():
        return text.lower().replace("`", "'")
    folded = unicodedata.normalize("NFD", text.casefold().translate(QUOTES)).replace("œ", "oe").replace("æ", "ae")
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def squeezed(text: str) -> str:
    """Letters that repeat three times and more, once: sooo, heyyyy. (Laughter keeps its kkk.)"""
    if not _THRICE.search(text):
        return text
    out: list[str] = []
    run = 0
    for at, letter in enumerate(text):
        run = run + 1 if at and text[at - 1] == letter else 1
        if letter.isdigit():
            out.append(letter)  # 1000 is no laughter
        elif run == 3 and letter != "k":
            out[-2:] = [letter]
        elif run < 3 or (letter == "k" and run == 3):
            out.append(letter)
    return "".join(out)


def spelled(text: str) -> str:
    """The words alone, one space between them, apostrophes left out: "I'm DONE!!" is "im done"."""
    return " ".join(NOT_WORD.split(squeezed(plain(text)).replace("'", ""))).strip()
