"""Policy: what is done about what the detectors found. `decide` is pure; the table is policy.yaml."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moderation.taxonomy import CATEGORIES, PLAYBOOKS, SEQUENCES, SUICIDE
from moderation.types import Action, Band, Decision, Hit, Level, Side, WatchState, level_rank

SHIPPED: Final = Path(__file__).resolve().parent / "policy.yaml"
_HELPS: Final = frozenset({"crisis", "support"})
_TURNS_AWAY: Final = frozenset({"refuse", "block"})
# How much an action protects. Care in danger stands above every refusal: see weight().
_RANK: Final[Mapping[Action, int]] = {"allow": 0, "support": 1, "warn": 2, "refuse": 3, "block": 4, "crisis": 7}
_CARE: Final = 6

Words = tuple[str, ...]


class PolicyError(Exception):
    """The policy can't be used. The sentence names the file, the line and the row."""


class ByBand(BaseModel):
    """One action for each band."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    young: Action = Field(alias="13-15")
    older: Action = Field(alias="16-17")
    adult: Action = Field(alias="18+")

    def of(self, band: Band) -> Action:
        return {"13-15": self.young, "16-17": self.older, "18+": self.adult}[band]


class Row(BaseModel):
    """From `severity` on: this action."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    severity: int = Field(ge=1, le=4)
    action: Action | ByBand
    playbook: str | None = None
    incident: bool = False
    plain: Action | None = None

    def of(self, band: Band, *, plain: bool = False) -> Action:
        if plain and self.plain is not None:
            return self.plain
        return self.action.of(band) if isinstance(self.action, ByBand) else self.action


class CategoryPolicy(BaseModel):
    """The rows of one category."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    message: tuple[Row, ...] = Field(min_length=1)
    reply: tuple[Row, ...] = Field(min_length=1)
    by_playbook: dict[str, Action] = Field(default_factory=dict)
    locked: bool = False

    def row(self, side: Side, severity: int) -> Row | None:
        """The last row whose severity is reached."""
        fitting = [row for row in (self.message if side == "message" else self.reply) if row.severity <= severity]
        return fitting[-1] if fitting else None


class Policy(BaseModel):
    """The whole table. `version` is the semantic version with a hash of the content."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str = Field(pattern=r"^\d+\.\d+\.\d+(\+[0-9a-f.]+)?$")
    always_open: Words
    categories: dict[str, CategoryPolicy]


_BANDS: Final[tuple[Band, ...]] = ("13-15", "16-17", "18+")


def weight(decision: Decision) -> int:
    """How much a decision protects: crisis, then care in danger, then block, refuse, warn, support, allow."""
    if decision.action == "support" and decision.playbook in SEQUENCES:
        return _CARE
    return _RANK[decision.action]


def decide(
    hits: Iterable[Hit], *, side: Side, band: Band, watch: WatchState, policy: Policy, plain: bool = False
) -> Decision:
    """The decision about one text. Pure: no clock, no settings, no files.

    Every hit gets its own decision from the table; the most protective one gives action and playbook. Severity, level
    and categories are those of all hits together, and more severity never gives a weaker decision.
    """
    ordered = sorted(hits, key=lambda hit: (-hit.severity, hit.category, hit.rule))
    singles = [(hit, _single(hit, side=side, band=band, watch=watch, policy=policy, plain=plain)) for hit in ordered]
    spoken = [(hit, decision) for hit, decision in singles if decision is not None]
    spoken = _told_of_friends(spoken)
    if not spoken:
        return Decision("allow", policy=policy.version)
    first, best = max(spoken, key=lambda pair: _urgency(*pair))
    together = tuple(dict.fromkeys(hit.category for hit, _ in spoken))
    level = _level(hit for hit, _ in spoken) if side == "message" else None
    return Decision(
        action=best.action,
        severity=max(hit.severity for hit, _ in spoken),
        level=level,
        categories=together,
        playbook=best.playbook,
        incident=any(decision.incident for _, decision in spoken) or (side == "message" and level_rank(level) >= 2),
        about=first.about,
        low=best.action != "allow",
        policy=policy.version,
        reason=first.rule if best.action != "allow" else None,
    )


def _told_of_friends(spoken: list[tuple[Hit, Decision]]) -> list[tuple[Hit, Decision]]:
    """A sentence about a friend is about a friend, up to L2; from L3 on the teller is never explained away."""
    friends: dict[tuple[str, int, int], int] = {}
    for hit, _ in spoken:
        if hit.about == "friend":
            place = (hit.category, hit.start, hit.end)
            friends[place] = max(friends.get(place, 0), hit.severity)
    return [
        (hit, decision)
        for hit, decision in spoken
        if hit.about == "friend"
        or hit.category != "T01"
        or level_rank(hit.level) >= 3
        or hit.severity > friends.get((hit.category, hit.start, hit.end), 0)
    ]


def _urgency(hit: Hit, decision: Decision) -> tuple[int, int, int, int]:
    """Order among hits of one text: what protects most; then level; then severity; then the teller before a friend."""
    return weight(decision), level_rank(hit.level), hit.severity, int(hit.about != "friend")


def _single(hit: Hit, *, side: Side, band: Band, watch: WatchState, policy: Policy, plain: bool) -> Decision | None:
    rules = policy.categories[hit.category]
    row = rules.row(side, hit.severity)
    if row is None:
        return None
    action = row.of(band, plain=plain)
    playbook: str | None = None
    if side == "message" and action != "allow" and hit.severity >= 2:
        playbook = hit.playbook or _by_level(hit, watch) or row.playbook
        if playbook in rules.by_playbook:
            action = rules.by_playbook[playbook]
    return Decision(action, hit.severity, hit.level, (hit.category,), playbook, row.incident)


def _by_level(hit: Hit, watch: WatchState) -> str | None:
    """The playbook of T01 where the rule names none: by the level, and not below what is known already."""
    if hit.category != "T01":
        return None
    if hit.about == "friend":
        return "friend_in_danger"
    highest = max(level_rank(hit.level), level_rank(watch.level) if hit.level else 0)
    return SUICIDE.get(f"L{highest}")


def _level(hits: Iterable[Hit]) -> Level | None:
    """The highest level about the teller; without one, the highest about a friend."""
    found = [hit for hit in hits if hit.level is not None]
    own = [hit for hit in found if hit.about != "friend"] or found
    return max((hit.level for hit in own if hit.level is not None), key=level_rank, default=None)


# --- reading the table -----------------------------------------------------------------------------------------------


def policy_load(override: Path | None = None, *, shipped: Path = SHIPPED) -> Policy:
    """The shipped policy, with an operator's file over it. Raises PolicyError naming file, line and row."""
    text, table = _read(shipped)
    base = _parse(text, table, shipped.name)
    _complete(base, text, shipped.name)
    digest = hashlib.sha256(text.encode("utf-8"))
    if override is None:
        return _versioned(base, digest.hexdigest())
    theirs, changes = _read(override)
    merged = _parse(theirs, _merge(table, changes), override.name)
    _complete(merged, theirs, override.name)
    _not_weaker(base, merged, theirs, override.name)
    digest.update(theirs.encode("utf-8"))
    return _versioned(merged, digest.hexdigest())


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        data = yaml.safe_load(text) or {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError(f"{path.name}: line {line}: no YAML: {error.problem}") from None
    except FileNotFoundError:
        raise PolicyError(f"{path.name}: the file is missing") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError(f"{path.name}: can't be read: {error}") from None
    if not isinstance(data, dict):
        raise PolicyError(f"{path.name}: line 1: a policy is a mapping")
    return text, data


@cache
def policy_shipped() -> Policy:
    """The policy as it ships, read once."""
    return policy_load()


def _versioned(policy: Policy, digest: str) -> Policy:
    return policy.model_copy(update={"version": f"{policy.version.partition('+')[0]}+{digest[:8]}"})


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Mappings are merged, everything else (rows too) is replaced."""
    out = dict(base)
    for key, value in changes.items():
        known = out.get(key)
        out[key] = _merge(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return out


def _parse(text: str, data: Any, file: str) -> Policy:
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple(part for part in first["loc"] if not isinstance(part, str) or "[" not in part)
        raise PolicyError(f"{file}: line {_line(text, where)}: {_path(where)}: {first['msg']}") from None


def _path(where: Iterable[object]) -> str:
    return ".".join(str(part) for part in where)


def _line(text: str, where: Iterable[object]) -> int:
    """The line of the deepest part of `where` that the text has; 1 where it has none."""
    node = yaml.compose(text)
    line = 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _fail(text: str, file: str, where: tuple[object, ...], why: str) -> PolicyError:
    return PolicyError(f"{file}: line {_line(text, where)}: {_path(where)}: {why}")


def _complete(policy: Policy, text: str, file: str) -> None:
    """Every category is there, severities rise, nothing gets weaker as severity rises, playbooks exist."""
    unknown = set(policy.categories) - set(CATEGORIES)
    missing = set(CATEGORIES) - set(policy.categories)
    for name in sorted(unknown | missing):
        raise _fail(text, file, ("categories", name), "unknown category" if name in unknown else "missing")
    for name, rules in policy.categories.items():
        sides: tuple[Side, ...] = ("message", "reply")
        for side in sides:
            _rising(rules, side, ("categories", name, side), text, file)
        for playbook in rules.by_playbook:
            if playbook not in PLAYBOOKS:
                raise _fail(text, file, ("categories", name, "by_playbook", playbook), "no such playbook")


def _rising(rules: CategoryPolicy, side: Side, where: tuple[object, ...], text: str, file: str) -> None:
    rows = rules.message if side == "message" else rules.reply
    for number, row in enumerate(rows):
        if row.playbook is not None and row.playbook not in PLAYBOOKS:
            raise _fail(text, file, (*where, number), f"no such playbook: {row.playbook}")
        if number == 0:
            continue
        before = rows[number - 1]
        if row.severity <= before.severity:
            raise _fail(text, file, (*where, number), "severities must rise")
        if any(_RANK[row.of(band)] < _RANK[before.of(band)] for band in _BANDS):
            raise _fail(text, file, (*where, number), "a higher severity must not get a weaker action")


def _not_weaker(base: Policy, merged: Policy, text: str, file: str) -> None:
    """DANGER: stricter must not mean abandoned. What an operator's file may not do is refused here, by line."""
    if not set(base.always_open) <= set(merged.always_open):
        raise _fail(text, file, ("always_open",), "these lines stay open and can't be dropped")
    for name, ours in base.categories.items():
        theirs = merged.categories[name]
        if (ours.locked or name == "T05") and theirs != ours:
            raise _fail(text, file, ("categories", name), "this category is locked")
        _still_helps(ours, theirs, name, text, file)
        _still_guards(ours, theirs, name, text, file)
        for playbook, action in ours.by_playbook.items():
            if theirs.by_playbook.get(playbook) != action:
                raise _fail(text, file, ("categories", name, "by_playbook"), f"{playbook} can't be changed")


_Which = Literal["message", "reply"]


def _still_helps(ours: CategoryPolicy, theirs: CategoryPolicy, name: str, text: str, file: str) -> None:
    where = ("categories", name, "message")
    if set(theirs.by_playbook) - set(ours.by_playbook):
        raise _fail(text, file, ("categories", name, "by_playbook"), "actions by playbook can't be added")
    for severity in range(1, 5):
        old, new = ours.row("message", severity), theirs.row("message", severity)
        for band in _BANDS:
            for plain in (False, True):
                before = old.of(band, plain=plain) if old else "allow"
                after = new.of(band, plain=plain) if new else "allow"
                number = theirs.message.index(new) if new else 0
                if before in _HELPS and after in _TURNS_AWAY:
                    raise _fail(text, file, (*where, number), f"{before} can't become {after}: danger is answered")
                if before in _HELPS and (after == "allow" or (before == "crisis" and after != "crisis")):
                    raise _fail(text, file, (*where, number), f"{before} can't become {after}")
        if old and new and ((old.incident and not new.incident) or (old.playbook and not new.playbook)):
            raise _fail(text, file, (*where, theirs.message.index(new)), "the playbook and the incident stay")


def _still_guards(ours: CategoryPolicy, theirs: CategoryPolicy, name: str, text: str, file: str) -> None:
    """Replies may be held stricter, never looser, except erotic content for adults, which stays off as well."""
    for severity in range(1, 5):
        old, new = ours.row("reply", severity), theirs.row("reply", severity)
        for band in _BANDS:
            before, after = (old.of(band) if old else "allow"), (new.of(band) if new else "allow")
            if _RANK[after] < _RANK[before]:
                number = theirs.reply.index(new) if new else 0
                raise _fail(text, file, ("categories", name, "reply", number), f"{before} can't become {after}")
