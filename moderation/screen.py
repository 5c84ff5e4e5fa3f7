"""The one way in: the process's screen. Settings are handed in by `configure`; see moderation.screening.Screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from moderation.detectors.classifier.detector import Classifier
from moderation.detectors.classifier.reading import Reading
from moderation.detectors.language import language_of
from moderation.detectors.personal.spans import personal_spans
from moderation.policy import policy_load
from moderation.screening import Detector, Screen
from moderation.types import Band, Decision, Exchanged, Language, Screening, WatchState

__all__ = [
    "Detector",
    "Screen",
    "check_danger",
    "check_message",
    "check_reply",
    "configure",
    "house",
    "problems",
    "read_message",
    "read_reply",
    "warm",
]

_house: Screen | None = None


def configure(*, policy_file: Path | None = None, detectors: Sequence[Detector] = (), learned: bool = True) -> Screen:
    """Build the process's screen: the shipped policy or an operator's file over it, and further detectors.

    learned: with the classifier. Only tests of other things do without.

    Raises PolicyError with the line that can't be used. Called at start; without a call the shipped policy counts.
    """
    global _house  # noqa: PLW0603  one screen for the process
    classifier = Classifier() if learned else None
    _house = Screen(policy=policy_load(policy_file), classifier=classifier, detectors=detectors)
    return _house


def house() -> Screen:
    """The process's screen."""
    return _house or configure()


def problems() -> list[str]:
    """One sentence for each content file that can't be used; for `/ready` and the start."""
    return house().problems()


def warm() -> None:
    """Load rules, the classifier and language models now, so that no message waits for them. What can't be loaded is
    told by `/ready` and by every screening."""
    house().problems()
    language_of("a sentence that is long enough", "en")
    personal_spans("hello")
    house().classifier_warm()


def check_danger(text: str, *, language: Language, watch: WatchState, now: datetime | None = None) -> Decision | None:
    """See Screen.check_danger."""
    return house().check_danger(text, language=language, watch=watch, now=now)


def check_message(
    text: str,
    *,
    reading: Reading | None = None,
    history: Sequence[Exchanged] = (),
    band: Band | None,
    language: Language,
    watch: WatchState,
    now: datetime,
    plain: bool = False,
    known: bool = False,
) -> Screening:
    """See Screen.check_message."""
    return house().check_message(
        text,
        reading=reading,
        history=history,
        band=band,
        language=language,
        watch=watch,
        now=now,
        plain=plain,
        known=known,
    )


def check_reply(
    sentence: str,
    *,
    so_far: str = "",
    history: Sequence[Exchanged] = (),
    band: Band | None,
    language: Language,
    watch: WatchState,
    plain: bool = False,
    written: bool = False,
    reading: Reading | None = None,
) -> Decision:
    """See Screen.check_reply."""
    return house().check_reply(
        sentence,
        so_far=so_far,
        history=history,
        band=band,
        language=language,
        watch=watch,
        plain=plain,
        written=written,
        reading=reading,
    )


async def read_message(text: str, history: Sequence[Exchanged]) -> Reading:
    """See Screen.read_message."""
    return await house().read_message(text, history)


async def read_reply(sentence: str, so_far: str, history: Sequence[Exchanged]) -> Reading | None:
    """See Screen.read_reply."""
    return await house().read_reply(sentence, so_far, history)
