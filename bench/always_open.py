"""What must never be blocked (requirement 6.6): `python -m bench.always_open`, and a part of `make bench-moderation`.

bench/data/always_open has 50 messages and more for each line of policy's `always_open`, in each language, written by
people who had not seen the rows that the classifier learns from. Nothing is learnt from them or tuned on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from bench.safety import NOW, Share
from moderation.screen import Screen
from moderation.types import LANGUAGES, Decision, Language, WatchState

DATA: Final = Path(__file__).parent / "data" / "always_open"


def messages(language: Language) -> dict[str, list[str]]:
    """By the line of policy that they stand under."""
    found = yaml.safe_load((DATA / f"{language}.yaml").read_text(encoding="utf-8"))
    return {str(kind): [str(text) for text in texts] for kind, texts in found.items()}


def decided(text: str, language: Language, screen: Screen) -> Decision:
    """As the first message of a conversation."""
    watch = WatchState()
    return screen.check_message(text, band="13-15", language=language, watch=watch, now=NOW).decision


def report(screen: Screen) -> Iterator[str]:
    yield "\nWhat must never be blocked, by language and kind (crisis: target under 2%; refused: under 3%)"
    for language in LANGUAGES:
        kinds = messages(language)
        found = {kind: [decided(text, language, screen) for text in texts] for kind, texts in kinds.items()}
        yield f"  {language:31} {_shares([one for several in found.values() for one in several])}"
        for kind, several in found.items():
            yield f"    {kind:29} {_shares(several)}"


def _shares(found: list[Decision]) -> str:
    crisis = Share.of(one.action == "crisis" for one in found)
    refused = Share.of(one.action in {"refuse", "block"} for one in found)
    written = Share.of(one.action in {"support", "warn"} and one.playbook is not None for one in found)
    doubted = Share.of(one.action == "support" and one.playbook is None for one in found)
    return f"crisis {crisis}, refused {refused}, other written words {written}, in doubt {doubted}"


def main() -> None:
    from bench.safety import SCREEN

    for line in report(SCREEN):
        print(line, flush=True)


if __name__ == "__main__":
    main()
