"""Whether a drawing goes with a reply: now and then, where one fits, and never twice in a talk."""

from __future__ import annotations

from companion.bank import BankLine, Exchange
from companion.personas.drawings import drawings
from companion.types import Prompt

PAUSE = 6  # turns between two drawings
OFTEN = 3  # one of so many replies that one would fit
LIGHT_TONES = frozenset(("plain", "warm", "joke", "cheer", "tease"))


def drawing_for(prompt: Prompt, exchange: Exchange, line: BankLine, *, heavy: bool) -> str:
    """The name of one; empty for none. Nothing is drawn while something weighs, nor beside a question."""
    if prompt.low or heavy or line.tone not in LIGHT_TONES or line.asks or prompt.seed % OFTEN:
        return ""
    said = [one for one in prompt.history if one.who == "companion"]
    if any(one.drawing for one in said[-PAUSE:]):
        return ""
    sent = {one.drawing for one in said}
    fitting = [one.name for one in drawings().values() if one.fits(exchange.situation, exchange.act)]
    fresh = [name for name in fitting if name not in sent]
    return fresh[prompt.seed // OFTEN % len(fresh)] if fresh else ""
