"""What happens over a conversation: pure transitions of the watch state.

`settle` lets time pass, `consider` lets the conversation speak (goodbyes, jokes, the written sequence, slow patterns),
`advance` is the next state. None of them sees a word of the text: only the decision, the names of signals and the time.

Levels. A level rises at once. It falls one step for each 24 hours without a sign of danger. A joke or role-play frame
never lowers it. A second rise within 7 days puts it one level higher.

The written sequence. Each danger has a playbook told in steps: first, second, third, then `stay` for as long as it
takes (crisis/flow.py counts the steps). While a sequence runs, a message without any sign of its own ("ok", "no", "my
mom is here") gets the next step, and no engine is asked. It ends when
- the topic has changed twice without a sign, and the level lets it go: L1 and playbooks without a level at once, L2
  after the second step, L3 and L4 only after the teen has said that they are safe or with somebody, and the third step;
- the teen asks for another topic in so many words, at L1 or without a level, after the second step;
- "I was joking" at L2 and below, once, or "I'm safe now", once what must be said was said (leaving.py);
- 24 hours pass without a sign.
A stronger or other danger starts its own sequence; a weaker one of the same kind goes on with the one that runs.

Goodbyes. An ordinary goodbye is let go, after one sad message too. It is danger (`farewell_danger`) with final thanks
or things given away, with a sign of L1 or L2 in it, while the level is L1 or higher, or at the end of a low day: two
low messages within 24 hours, the goodbye itself counted, or one that gives up on everything. A goodbye with a plan in
it ("see you tomorrow", "dinner's ready") is held to be ordinary unless it is final.

Grooming is often told in harmless pieces: one soft sign (an older stranger, gifts, "mature for my age", another app) is
only marked, the second within 14 days is answered. So is eating ("I'm so fat", "I won't eat today"); nothing light is
said to such a message, nor to one that is unkind to its writer.

Drift. A message of which the classifier is not sure is marked as a doubt about eating, delusion, dependency, grooming.
The third such mark within a week, sure ones counted, is answered. A doubt about the teen's own life or safety counts
for a day, and then they are asked (asking.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, Final

from moderation import asking, leaving
from moderation.leaving import JOKING, SAFE, way_out
from moderation.taxonomy import CRISIS_PLAYBOOKS, DANGER, QUESTIONS, SEQUENCE_CATEGORY, SEQUENCES, SUICIDE
from moderation.types import LEVELS, UNSURE, Action, Decision, Level, Mark, Sequence, WatchState, level_rank

__all__ = [
    "JOKING", "SAFE", "Mark", "Sequence", "WatchState", "advance", "consider", "from_json", "patterns", "settle",
    "to_json", "way_out",
]  # fmt: skip

FALL: Final = timedelta(hours=24)
RISES_WINDOW: Final = timedelta(days=7)
MARKS_WINDOW: Final = timedelta(days=14)
MARKS_KEPT: Final = 50
DRIFT: Final = 3  # marks of one kind within a week that are answered, though each was a doubt
LOW_DAY: Final = 2  # low messages that make a bare goodbye a sign of danger

# Why a decision was made by the conversation and not by the message: Decision.reason.
FOLLOW_UP: Final = "sequence"
FAREWELL: Final = "farewell"

_STAYS: Final = frozenset({"short", "stays", "low", "farewell", "safe", "safe_now", "joking", "distress"})
_HARD: Final = frozenset({"low", "distress", "unkind", "eating_soft"})  # nothing light is said to it
_HOME: Final = frozenset({"T08", "T31", "T07"})


def settle(state: WatchState, now: datetime) -> WatchState:
    """The state after time has passed, with nothing said."""
    level, signal_at, sequence = state.level, state.signal_at, state.sequence
    if signal_at is not None and now - signal_at >= FALL:
        steps = int((now - signal_at) / FALL)
        level = LEVELS[max(0, level_rank(level) - steps)]
        signal_at = signal_at + FALL * steps if level != "L0" else None
        sequence = None
    quiet = state.low_at is None or now - state.low_at >= FALL
    joked = state.joked_at if state.joked_at is not None and now - state.joked_at < FALL else None
    return replace(
        state,
        level=level,
        signal_at=signal_at,
        sequence=sequence,
        rises=tuple(at for at in state.rises if now - at < RISES_WINDOW),
        low_streak=0 if quiet else state.low_streak,
        lows=0 if quiet else state.lows,
        low_at=None if quiet else state.low_at,
        joked_at=joked,
        marks=tuple(mark for mark in state.marks if now - mark.at < MARKS_WINDOW)[-MARKS_KEPT:],
    )


def is_danger(decision: Decision) -> bool:
    """Does the message itself carry a sign of danger (and not only stand within a sequence)?"""
    own = decision.reason not in {FOLLOW_UP, JOKING, SAFE, asking.ASKED}
    return own and decision.severity >= 2 and decision.playbook in SEQUENCES


def consider(state: WatchState, decision: Decision, signals: Collection[str], now: datetime) -> Decision:
    """The decision once the conversation is taken into account. `decision` is what policy said about the message."""
    state = settle(state, now)
    named = frozenset(signals)
    if is_danger(decision):
        raised = _raised(state, decision)
        own = decision.level is not None and decision.about != "friend" and level_rank(raised.level) < 3
        return _goodbye(state, raised, named) if own and _ends(named) else raised
    if named & {"farewell", "final"} and _final_goodbye(state, named):
        return _goodbye(state, decision, named)
    heard = asking.answered(state, decision, named)
    if heard is not None or decision.reason == asking.ASKED:
        return heard or decision
    left = leaving.left(state, decision, named)
    if left is not None:
        return replace(_said(decision, left.playbook, state, left.reason), categories=left.categories)
    if state.sequence is not None and not _over(state, state.sequence, decision, named):
        return _said(decision, state.sequence.playbook, state, FOLLOW_UP)
    decision = _drifted(_slow_patterns(state, decision, named), state, now)
    ended = state.sequence is not None and state.sequence.playbook != "joking_check"
    if named & _HARD or (ended and decision.action == "allow"):
        decision = replace(decision, low=True)
    return decision


def _raised(state: WatchState, decision: Decision) -> Decision:
    """A level never sinks within the day, and a second rise within a week counts one more."""
    if decision.level is None or decision.about == "friend":
        return decision
    rank, known = level_rank(decision.level), level_rank(state.level)
    if rank > known and state.rises and known < 4:
        rank = min(4, rank + 1)
    rank = max(rank, known)
    level: Level = LEVELS[rank]
    playbook = decision.playbook
    ladder = playbook in SUICIDE.values() or (playbook == "self_harm" and rank >= 3)
    if ladder and playbook is not None:
        playbook = SUICIDE[level]
    return replace(decision, level=level, playbook=playbook, incident=decision.incident or rank >= 2)


def _ends(named: frozenset[str]) -> bool:
    """Is there a goodbye in this message, and no plan for later?"""
    return "final" in named or ("farewell" in named and "anchored" not in named)


def _final_goodbye(state: WatchState, named: frozenset[str]) -> bool:
    if "final" in named:
        return True
    if "anchored" in named:
        return False
    return state.level != "L0" or state.lows + _lowness(named) >= LOW_DAY


def _lowness(named: frozenset[str]) -> int:
    """How much a message adds to a low day."""
    return 2 if "distress" in named else int("low" in named)


def _goodbye(state: WatchState, decision: Decision, named: frozenset[str]) -> Decision:
    rank = max(level_rank(state.level), level_rank(decision.level), 3 if "final" in named else 2)
    if rank == 4:
        return _said(decision, SUICIDE["L4"], state, FOLLOW_UP)
    return Decision(
        "crisis", max(decision.severity, 3), LEVELS[rank], _with(decision, "T01"), "farewell_danger",
        incident=True, about="self", low=True, policy=decision.policy, reason=FAREWELL,
    )  # fmt: skip


def _with(decision: Decision, category: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((category, *decision.categories)))


def _said(decision: Decision, playbook: str, state: WatchState, reason: str) -> Decision:
    """The written answer of a sequence, to a message that carries no sign itself."""
    crisis = playbook in CRISIS_PLAYBOOKS
    return Decision(
        action="crisis" if crisis else "support",
        severity=max(decision.severity, 2),
        level=state.level if state.level != "L0" else None,
        categories=_with(decision, SEQUENCE_CATEGORY[playbook]),
        playbook=playbook,
        incident=decision.incident,
        about="self",
        low=True,
        policy=decision.policy,
        reason=reason,
    )


def _changes_topic(named: frozenset[str]) -> bool:
    return "topic" in named or not named & _STAYS


def _over(state: WatchState, sequence: Sequence, decision: Decision, named: frozenset[str]) -> bool:
    """Does this message, without a sign of danger, end the sequence?"""
    if sequence.playbook in QUESTIONS:
        return True
    if not _changes_topic(named) or DANGER.intersection(decision.categories):
        return False
    rank = level_rank(state.level)
    if rank <= 1 and "topic" in named and sequence.step >= 2:
        return True
    if sequence.changes + 1 < 2:
        return False
    if rank >= 3:
        return sequence.safe and sequence.step >= 3
    return rank <= 1 or sequence.step >= 2


def _slow_patterns(state: WatchState, decision: Decision, named: frozenset[str]) -> Decision:
    """Patterns that no single message shows. Only where policy had nothing stronger to say."""
    if decision.action not in {"allow", "support"} or decision.playbook is not None:
        return decision
    kinds = [mark.kind for mark in state.marks]
    for kind, (action, severity, category, reason) in _SECOND.items():
        if f"{kind}_soft" in named and kind in kinds:
            told = kind in {"grooming", "eating"}  # of their own life
            return replace(
                decision, action=action, severity=severity, categories=_with(decision, category), playbook=kind,
                incident=decision.incident or kind == "grooming", about="self" if told else decision.about,
                low=True, reason=reason,
            )  # fmt: skip
    facts = {kind for kind in (*kinds, *named) if kind.startswith("pii:")}
    if len(facts) >= 3 and any(name.startswith("pii:") for name in named):
        return replace(
            decision, action="support", severity=2, categories=_with(decision, "T18"), playbook="personal_data",
            reason="contact_exchange",
        )  # fmt: skip
    return decision


def _drifted(decision: Decision, state: WatchState, now: datetime) -> Decision:
    """What no single message shows, and several of one week do."""
    kind = _doubt(decision)
    if kind is None:
        return decision
    week = [mark.kind for mark in state.marks if now - mark.at < RISES_WINDOW]
    if week.count(kind) + week.count(f"{asking.MARK}{kind}") < DRIFT - 1:
        return decision
    return replace(
        decision, action="support", severity=2, playbook=kind, incident=kind == "grooming", about="self", low=True,
        reason=f"{kind}_drift",
    )  # fmt: skip


def _doubt(decision: Decision) -> str | None:
    """What a message is in doubt of, where that counts; None when there is no doubt."""
    if decision.severity != UNSURE or decision.action != "support" or decision.playbook is not None:
        return None
    return next((_MARKED[name] for name in decision.categories if _MARKED.get(name) in _DRIFTS), None)


def advance(state: WatchState, decision: Decision, now: datetime, *, signals: Collection[str] = ()) -> WatchState:
    """The state after this message. `decision` is the one that `consider` gave."""
    state = settle(state, now)
    named = frozenset(signals)
    state = _with_marks(state, decision, named, now)
    low = bool(named & {"low", "distress"}) or is_danger(decision)
    state = replace(
        state,
        low_streak=state.low_streak + 1 if low else (state.low_streak if "short" in named else 0),
        lows=state.lows + _lowness(named),
        low_at=now if low else state.low_at,
        home_danger=state.home_danger or ("home" in named and bool(_HOME.intersection(decision.categories))),
    )
    answered = leaving.advanced(state, decision, now) or asking.advanced(state, decision, now)
    if answered is not None:
        return answered
    if is_danger(decision):
        return _with_danger(state, decision, now)
    if state.sequence is None:
        return state
    if decision.reason == FOLLOW_UP:
        changes = state.sequence.changes + (1 if _changes_topic(named) else 0)
        safe = state.sequence.safe or not named.isdisjoint({"safe", SAFE})
        return replace(state, sequence=replace(state.sequence, changes=changes, safe=safe))
    changed = replace(state.sequence, changes=state.sequence.changes + _changes_topic(named))
    if changed.playbook == SAFE and changed.changes < 2:  # no joke yet (4.8)
        calm = replace(state, sequence=changed)
    else:
        calm = replace(state, sequence=None, low_streak=0, lows=0, low_at=None)
    return calm


def _with_danger(state: WatchState, decision: Decision, now: datetime) -> WatchState:
    rank = level_rank(decision.level) if decision.about != "friend" else 0
    rises = state.rises
    if rank > level_rank(state.level):
        rises = (*rises, now)
    running = state.sequence
    playbook = decision.playbook or ""
    if running is not None and running.playbook == playbook:
        deniable = running.deniable and decision.deniable
        sequence = replace(running, changes=0, safe=False, deniable=deniable, guessed=False)
    else:
        guessed = decision.learned and running is None
        sequence = Sequence(playbook, deniable=decision.deniable, guessed=guessed)
    return replace(
        state, level=LEVELS[max(rank, level_rank(state.level))], signal_at=now, rises=rises, sequence=sequence
    )


_MARKED: Final = {"T06": "romance", "T21": "dependency", "T02": "eating", "T07": "grooming", "T22": "delusion"}

_DRIFTS: Final = frozenset({"eating", "delusion", "dependency", "grooming"})  # and their playbooks

# What the second sign of a kind means: action, severity, category, reason.
_SECOND: Final[dict[str, tuple[Action, int, str, str]]] = {
    "romance": ("refuse", 2, "T06", "romance_creep"),
    "dependency": ("support", 2, "T21", "dependency"),
    "grooming": ("support", 3, "T07", "grooming_stages"),
    "eating": ("support", 2, "T02", "eating_stages"),
}


def _with_marks(state: WatchState, decision: Decision, named: frozenset[str], now: datetime) -> WatchState:
    doubt = _doubt(decision)
    sure = decision.categories if decision.severity > UNSURE else ()
    kinds = [_MARKED[category] for category in sure if category in _MARKED]
    kinds += [f"{asking.MARK}{doubt}"] if doubt else []
    kinds += [asked] if (asked := asking.doubted(decision)) else []
    if decision.reason == FOLLOW_UP:
        kinds = []
    kinds += [kind for kind in _SECOND if f"{kind}_soft" in named]
    held = {mark.kind for mark in state.marks}
    kinds += sorted(name for name in named if name.startswith("pii:") and name not in held)
    marks = (*state.marks, *(Mark(kind, now) for kind in dict.fromkeys(kinds)))
    if decision.reason == "contact_exchange":
        marks = tuple(mark for mark in marks if not mark.kind.startswith("pii:"))
    return replace(state, marks=marks[-MARKS_KEPT:])


def patterns(state: WatchState, now: datetime) -> tuple[str, ...]:
    """Names of the conversation patterns that stand now, for the screening, the panel and `moderate`."""
    week = [mark.kind for mark in state.marks if now - mark.at < RISES_WINDOW]
    kinds = [mark.kind for mark in state.marks]
    table = (
        ("escalating", len(state.rises) >= 2),
        ("grooming_stages", kinds.count("grooming") >= 2),
        ("romance_creep", kinds.count("romance") >= 2),
        ("dependency", kinds.count("dependency") >= 2),
        ("eating_drift", week.count("eating") >= 3),
        ("delusion_loop", kinds.count("delusion") >= 3),
        ("contact_exchange", len({kind for kind in kinds if kind.startswith("pii:")}) >= 3),
        ("low_streak", state.low_streak >= 2),
        ("home_danger", state.home_danger),
        ("sequence", state.sequence is not None),
    )
    return tuple(name for name, stands in table if stands)


def lift_home_danger(state: WatchState) -> WatchState:
    """By staff or by the teen themselves: home is safe again."""
    return replace(state, home_danger=False)


# --- JSON ------------------------------------------------------------------------------------------------------------


def to_json(state: WatchState) -> str:
    """As it is stored (encrypted) per person."""
    return json.dumps(asdict(state), default=_time, separators=(",", ":"))


def _time(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not for a watch state: {type(value).__name__}")


def from_json(text: str) -> WatchState:
    """The state again. Raises ValueError for anything else than what `to_json` wrote."""
    try:
        data = json.loads(text)
        sequence = data["sequence"]
        return WatchState(
            level=LEVELS[level_rank(data["level"])],
            signal_at=_moment(data["signal_at"]),
            rises=tuple(datetime.fromisoformat(at) for at in data["rises"]),
            sequence=Sequence(**sequence) if sequence else None,
            home_danger=bool(data["home_danger"]),
            low_streak=int(data["low_streak"]),
            lows=int(data.get("lows", 0)),
            low_at=_moment(data["low_at"]),
            joked_at=_moment(data["joked_at"]),
            denied_at=_moment(data.get("denied_at")),
            cards=int(data["cards"]),
            said=tuple(str(name) for name in data.get("said", ())),
            marks=tuple(Mark(mark["kind"], datetime.fromisoformat(mark["at"])) for mark in data["marks"]),
        )
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"no watch state: {error}") from None


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
