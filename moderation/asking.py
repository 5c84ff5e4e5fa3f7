"""A guess asks before it acts. Pure.

A rule says what never must be missed, and is acted on at once. The classifier guesses from how a message reads, and in
an ordinary talk one of twenty messages reads like danger to it: a heavy dog asleep on a foot, forty questions of maths.
Where nothing but such a guess speaks, and it is likely but not sure, the teen is asked in one line whether it is so
(`check_self`, `check_safe`). What they answer decides: a yes, or a second sign, begins the written conversation that
the guess was about; a no is believed, said to be heard (`check_clear`), and they are not asked again for six hours
unless something surer comes. Of a less likely guess, and of what can't be asked in a line (eating, grooming ...), a
doubt is made: an answer with care. Doubts of one day add up, with the sad messages of that day: the third asks.

A written conversation that a guess began is given up when nothing has spoken for it in two answers: somebody who can't
sleep is not sent to an ambulance twelve times. It ends with a no as well, given in more than a word, and so does one
that a rule began about anything but one's own life. Staff see it all the same; of a guess a guardian is told when a
second sign comes, or a yes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from moderation.taxonomy import CRISIS_PLAYBOOKS, SEQUENCE_CATEGORY, SEQUENCES, SUICIDE
from moderation.types import UNSURE, Decision, Hit, Level, WatchState, level_rank
from moderation.types import Sequence as Running

SURE: Final = 0.97  # of the classifier's `any`; from here a guess is acted on at once
CERTAIN: Final = 0.98  # ... of somebody who was asked already and said no, or who says goodbye
ASKS: Final = 0.65  # from here a guess asks; under it a doubt: ordinary talk has two guesses under it for one above
LESSER: Final = 0.65  # ... of a lesser matter, which one written answer is for, or a no
QUIET: Final = timedelta(hours=6)
DAY: Final = timedelta(hours=24)
ADDS_UP: Final = 2  # doubts of one matter and sad messages within the day, with which one more guess asks
UNCONFIRMED: Final = 2  # written answers to a guess for which nothing that is said speaks; then it is given up

ASKED: Final = "asked"
CLEARED: Final = "cleared"
OWNED: Final = "owned_up"
DOUBT: Final = "doubt"
MARK: Final = "doubt:"  # of a doubt among the marks of a watch, before what is in doubt
SELF, SAFE, CLEAR = "check_self", "check_safe", "check_clear"
CHECKS: Final = frozenset({SELF, SAFE})
_HURT: Final = frozenset({"friend_in_danger", "medical", "abuse", "assault", "threat", "runaway"})
_NO: Final = frozenset({"denies", "joking", "safe"})
_FELT: Final = frozenset({"low", "distress", "final"})
_SPEAKS_FOR_IT: Final = _FELT | {
    "owns_up",
    "safe",
}  # who says who is with them has not said that nothing was the matter


def asked_first(
    said: Decision, hits: Sequence[Hit], state: WatchState, named: Collection[str], *, likely: float, now: datetime
) -> Decision:
    """What policy said, or the question in its place. named: signals. likely: the classifier's `any`, 0 to 1."""
    running = state.sequence
    if said.playbook is None or not _guessed(hits, state, named):
        return replace(said, deniable=said.playbook in SEQUENCES and all(_may_be_denied(hit) for hit in hits))
    if said.playbook not in SEQUENCES:  # one written answer, or a no, in the middle of something else
        return _doubt(said) if said.action in ("support", "refuse") and likely < LESSER else said
    denied = state.denied_at is not None and now - state.denied_at < QUIET
    if "denies" in named and (denied or is_check(running) or (running is not None and running.deniable)):
        return _doubt(said)
    if running is not None and running.playbook not in CHECKS:
        return said  # a second sign, and no word against the first: it counts as said
    # "I'll just google it. bye" reads like a farewell to a guess: a goodbye makes it no surer.
    careful = denied or "farewell" in named
    if likely >= (CERTAIN if careful else SURE):
        return replace(said, learned=True, deniable=True)
    # Of somebody who leaves it is asked in any case: there may be no other chance.
    due = is_check(running) or "farewell" in named or _adds_up(said, state, now)
    hardly = likely < ASKS and not due
    return _doubt(said) if denied or hardly else _asked(said)


def _asked(said: Decision) -> Decision:
    """The question; a doubt of what can't be asked in a line."""
    grave, question = level_rank(said.level) >= 3, _question(said.playbook)
    if question is None:
        return _doubt(said)
    return replace(
        said, action="crisis" if grave else "support", level=None, playbook=question, then=said.playbook or "",
        incident=said.incident and grave, low=True, reason=ASKED,
    )  # fmt: skip


def _may_be_denied(hit: Hit) -> bool:
    """Everything but what a rule has heard somebody say of taking their own life: "it's a dragon" ends an ambulance."""
    return hit.learned or hit.severity < 2 or hit.category != "T01" or hit.about == "friend"


def _guessed(hits: Sequence[Hit], state: WatchState, named: Collection[str]) -> bool:
    """Nothing but the classifier speaks: no rule, no word of how bad it is, nothing from before."""
    grave = [hit for hit in hits if hit.severity >= 2]
    before = state.level != "L0" and (state.sequence is None or not state.sequence.deniable)
    return all(hit.learned for hit in grave) and not before and not _FELT.intersection(named)


def _question(playbook: str | None) -> str | None:
    if playbook in SUICIDE.values() or playbook == "self_harm":
        return SELF
    return SAFE if playbook in _HURT else None


def _doubt(said: Decision) -> Decision:
    return Decision(
        "support", UNSURE, None, said.categories, then=said.playbook or "", low=True, policy=said.policy, reason=DOUBT
    )


def doubted(decision: Decision) -> str | None:
    """The mark of a doubt about the teen's own life or safety; None for any other decision."""
    question = _question(decision.then) if decision.reason == DOUBT else None
    return None if question is None else f"{MARK}{question}"


def _adds_up(said: Decision, state: WatchState, now: datetime) -> bool:
    """Whether what was in doubt today, and how low the day was, make one more guess worth the question."""
    mark = f"{MARK}{_question(said.playbook)}"
    return state.lows + sum(one.kind == mark and now - one.at < DAY for one in state.marks) >= ADDS_UP


def is_check(running: Running | None) -> bool:
    return running is not None and running.playbook in CHECKS


def answered(state: WatchState, decision: Decision, named: Collection[str]) -> Decision | None:
    """What comes of an answer to the question, or to a conversation that a guess began; None: what comes of it
    otherwise. `decision` is what was said of the answer itself, and it carries no sure sign."""
    running = state.sequence
    if running is None:
        return None
    no = _NO.intersection(named)
    if running.playbook in CHECKS:
        if not no and (decision.reason == ASKED or "owns_up" in named):
            return _owned(decision, running.then)
        return _cleared(decision) if no else None
    # Of a bare "no" nothing is known here, since the written conversation asks more than one thing; and whoever says
    # that somebody is there now has not said that nothing was the matter.
    heard = no - {"safe"} - ({"denies"} if "short" in named else set())
    if running.guessed and running.step >= UNCONFIRMED and not _SPEAKS_FOR_IT.intersection(named):
        return _cleared(decision)
    return _cleared(decision) if running.deniable and heard else None


def _owned(decision: Decision, playbook: str) -> Decision:
    level: Level | None = next((level for level, name in SUICIDE_LEVELS if name == playbook), None)
    return Decision(
        "crisis" if playbook in CRISIS_PLAYBOOKS else "support", 3, level, (SEQUENCE_CATEGORY[playbook],), playbook,
        incident=True, about="self", low=True, policy=decision.policy, reason=OWNED,
    )  # fmt: skip


def _cleared(decision: Decision) -> Decision:
    return Decision("support", 1, None, (), CLEAR, low=True, policy=decision.policy, reason=CLEARED)


def advanced(state: WatchState, decision: Decision, now: datetime) -> WatchState | None:
    """The state after a question or after a no; None for every other decision."""
    if decision.reason == ASKED and decision.playbook in CHECKS:
        return replace(state, sequence=Running(str(decision.playbook), then=decision.then))
    if decision.reason != CLEARED:
        return None
    guessed = state.sequence is not None and state.sequence.deniable
    calm = replace(state, sequence=None, denied_at=now, low_streak=0, lows=0, low_at=None)
    return replace(calm, level="L0", signal_at=None, rises=()) if guessed else calm


SUICIDE_LEVELS: Final[tuple[tuple[Level, str], ...]] = (
    ("L1", "suicide_L1"), ("L2", "suicide_L2"), ("L3", "suicide_L3"), ("L4", "suicide_L4"),
)  # fmt: skip
