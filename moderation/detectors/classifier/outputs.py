"""What the classifier says: one probability for each name, in this order, which is also that of the weights file."""

from __future__ import annotations

from typing import Final

from moderation.taxonomy import CATEGORIES

# T05, T27 and T29 are asked too, so that what only looks like danger has a name to be put under.
_CATEGORIES: Final = tuple(CATEGORIES)
LEVELS: Final = ("L1", "L2", "L3", "L4")  # "this level or a higher one, about the writer"
SEVERITIES: Final = (2, 3, 4)  # "this severity or a higher one", of whatever is there

MESSAGE: Final = (
    *(f"message/{category}" for category in _CATEGORIES),
    *(f"message/{level}" for level in LEVELS),
    "message/friend",  # T01, and about somebody else
    *(f"message/severity{severity}" for severity in SEVERITIES),
    "message/any",  # anything of severity 2 and over
    "message/toxic",  # what people call toxic in open sets; no category of ours, a help in learning
)
REPLY: Final = (
    *(f"reply/{category}" for category in _CATEGORIES),
    *(f"reply/severity{severity}" for severity in SEVERITIES),
    "reply/any",
)
OUTPUTS: Final = MESSAGE + REPLY
AT: Final = {name: place for place, name in enumerate(OUTPUTS)}
