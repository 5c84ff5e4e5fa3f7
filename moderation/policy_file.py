"""Reading the table: the shipped one, and an operator's file over it, which may only be stricter.

DANGER: stricter must not mean abandoned. What an operator's file may not do is refused here, by line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from moderation.policy_table import BANDS, SEVERITIES, SIDES, TURNS_AWAY, CategoryPolicy, Policy, protection
from moderation.taxonomy import CATEGORIES, PLAYBOOKS
from moderation.types import Side

SHIPPED: Final = Path(__file__).resolve().parent / "policy.yaml"
_HELPS: Final = frozenset({"crisis", "support"})
_UNSURE: Final = frozenset({"allow", "support"})
_PLAIN: Final = (False, True)

Place = tuple[object, ...]


class PolicyError(Exception):
    """The policy can't be used. The sentence names the file, the line and the row."""


class _Wrong(Exception):
    """What is wrong with a table, and where in it."""

    def __init__(self, where: Place, why: str) -> None:
        super().__init__(why)
        self.where, self.why = where, why


def policy_load(override: Path | None = None, *, shipped: Path = SHIPPED) -> Policy:
    """The shipped policy, with an operator's file over it. Raises PolicyError naming file, line and row."""
    text, table = _read(shipped)
    base = _checked(text, table, shipped.name)
    digest = hashlib.sha256(text.encode("utf-8"))
    if override is None:
        return _versioned(base, digest.hexdigest())
    theirs, changes = _read(override)
    merged = _checked(theirs, _merge(table, changes), override.name, over=base)
    digest.update(theirs.encode("utf-8"))
    return _versioned(merged, digest.hexdigest())


@cache
def policy_shipped() -> Policy:
    """The policy as it ships, read once."""
    return policy_load()


def _versioned(policy: Policy, digest: str) -> Policy:
    return policy.model_copy(update={"version": f"{policy.version.partition('+')[0]}+{digest[:8]}"})


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        _once(yaml.compose(text, Loader=yaml.CSafeLoader))
        data = yaml.load(text, Loader=yaml.CSafeLoader) or {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError(f"{path.name}: line {line}: no YAML: {error.problem}") from None
    except FileNotFoundError:
        raise PolicyError(f"{path.name}: the file is missing") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError(f"{path.name}: can't be read: {error}") from None
    except RecursionError:
        raise PolicyError(f"{path.name}: can't be read: a part of it holds itself") from None
    if not isinstance(data, dict):
        raise PolicyError(f"{path.name}: line 1: a policy is a mapping")
    return text, data


def _once(node: Any) -> None:
    """YAML lets the second of two equal keys win, in silence: half of a file would not count."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} stands here twice", problem_mark=key.start_mark)
            seen.add(key.value)
            _once(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _once(value)


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Mappings are merged, everything else (rows too) is replaced."""
    out = dict(base)
    for key, value in changes.items():
        known = out.get(key)
        out[key] = _merge(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return out


def _checked(text: str, data: Any, file: str, *, over: Policy | None = None) -> Policy:
    """The table once nothing is wrong with it. over: what it must not be weaker than."""
    try:
        policy = _parse(data)
        _complete(policy)
        if over is not None:
            _not_weaker(over, policy)
    except _Wrong as wrong:
        place = ".".join(str(part) for part in wrong.where)
        raise PolicyError(f"{file}: line {_line(text, wrong.where)}: {place}: {wrong.why}") from None
    return policy


def _parse(data: Any) -> Policy:
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        found = error.errors()
        # Of an action it says that it is no word, and then which band is missing or wrong: that helps more.
        by_band = [one for one in found if "ByBand" in one["loc"] and not str(one["type"]).startswith("model_")]
        first = (by_band or found)[0]
        raise _Wrong(
            tuple(part for part in first["loc"] if part != "ByBand" and "[" not in str(part)), first["msg"]
        ) from None


def _line(text: str, where: Iterable[object]) -> int:
    """The line of the deepest part of `where` that the text has; 1 where it has none."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
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


# --- by itself --------------------------------------------------------------------------------------------------------


def _complete(policy: Policy) -> None:
    """Every category is there, severities rise, nothing gets weaker as severity rises or age falls, playbooks exist."""
    unknown = set(policy.categories) - set(CATEGORIES)
    missing = set(CATEGORIES) - set(policy.categories)
    for name in sorted(unknown | missing):
        raise _Wrong(("categories", name), "unknown category" if name in unknown else "missing")
    calm = [protection(policy.unsure.of(band), None) for band in BANDS]
    if any(younger < older for younger, older in pairwise(calm)):
        raise _Wrong(("unsure",), "a younger band must not get a weaker action than an older one")
    if any(policy.unsure.of(band) not in _UNSURE for band in BANDS):
        raise _Wrong(("unsure",), f"nobody is turned away on a doubt: {' or '.join(sorted(_UNSURE))}")
    for name, rules in policy.categories.items():
        for side in SIDES:
            _sound(rules, side, ("categories", name, side))
        for playbook in rules.by_playbook:
            if playbook not in PLAYBOOKS:
                raise _Wrong(("categories", name, "by_playbook", playbook), "no such playbook")


def _sound(rules: CategoryPolicy, side: Side, where: Place) -> None:
    rows = rules.rows(side)
    for number, row in enumerate(rows):
        if row.playbook is not None and row.playbook not in PLAYBOOKS:
            raise _Wrong((*where, number), f"no such playbook: {row.playbook}")
        if number and row.severity <= rows[number - 1].severity:
            raise _Wrong((*where, number), "severities must rise")
    for severity, plain in product(SEVERITIES, _PLAIN):
        here = _place(rules, side, severity, where)
        guard = [protection(*rules.does(side, severity, band, plain=plain)) for band in BANDS]
        if severity > 1:
            before = [protection(*rules.does(side, severity - 1, band, plain=plain)) for band in BANDS]
            if any(now < then for now, then in zip(guard, before, strict=True)):
                raise _Wrong(here, "a higher severity must not get a weaker action")
        if any(younger < older for younger, older in pairwise(guard)):
            raise _Wrong(here, "a younger band must not get a weaker action than an older one")


def _place(rules: CategoryPolicy, side: Side, severity: int, where: Place) -> Place:
    row = rules.row(side, severity)
    return (*where, rules.rows(side).index(row) if row is not None else 0)


# --- over the shipped one ---------------------------------------------------------------------------------------------


def _not_weaker(base: Policy, merged: Policy) -> None:
    if set(base.always_open) - set(merged.always_open):
        raise _Wrong(("always_open",), "these lines stay open and can't be dropped")
    if set(merged.always_open) - set(base.always_open):
        raise _Wrong(
            ("always_open",), "nothing can be added: what stays open for everybody is not an operator's to say"
        )
    for band in BANDS:
        if protection(merged.unsure.of(band), None) < protection(base.unsure.of(band), None):
            raise _Wrong(("unsure", band), f"{base.unsure.of(band)} can't become {merged.unsure.of(band)}")
    for name, ours in base.categories.items():
        theirs, where = merged.categories[name], ("categories", name)
        if ours.locked and theirs != ours:
            raise _Wrong(where, "this category is locked")
        _still_helps(ours, theirs, (*where, "message"))
        _still_guards(ours, theirs, (*where, "reply"))
        if set(theirs.by_playbook) - set(ours.by_playbook):
            raise _Wrong((*where, "by_playbook"), "actions by playbook can't be added")
        for playbook, action in ours.by_playbook.items():
            if theirs.by_playbook.get(playbook) != action:
                raise _Wrong((*where, "by_playbook"), f"{playbook} can't be changed")


def _still_helps(ours: CategoryPolicy, theirs: CategoryPolicy, where: Place) -> None:
    """Help never becomes a no, nothing becomes less, and the answers that people wrote stay where they are."""
    for severity, band, plain in product(SEVERITIES, BANDS, _PLAIN):
        here = _place(theirs, "message", severity, where)
        before, played = ours.does("message", severity, band, plain=plain)
        after, plays = theirs.does("message", severity, band, plain=plain)
        if before in _HELPS and after in TURNS_AWAY:
            raise _Wrong(here, f"{before} can't become {after}: danger is answered")
        if protection(after, played) < protection(before, played):
            raise _Wrong(here, f"{before} can't become {after}")
        if played is not None and plays != played:
            raise _Wrong(here, f"the playbook stays {played}")
    _still_filed(ours, theirs, "message", where)


def _still_guards(ours: CategoryPolicy, theirs: CategoryPolicy, where: Place) -> None:
    """Replies may be held stricter, never looser, for no band: erotic content stays off for adults as well."""
    for severity, band, plain in product(SEVERITIES, BANDS, _PLAIN):
        before, _ = ours.does("reply", severity, band, plain=plain)
        after, _ = theirs.does("reply", severity, band, plain=plain)
        if protection(after, None) < protection(before, None):
            raise _Wrong(_place(theirs, "reply", severity, where), f"{before} can't become {after}")
    _still_filed(ours, theirs, "reply", where)


def _still_filed(ours: CategoryPolicy, theirs: CategoryPolicy, side: Side, where: Place) -> None:
    for severity in SEVERITIES:
        old, new = ours.row(side, severity), theirs.row(side, severity)
        if old is not None and old.incident and not (new is not None and new.incident):
            raise _Wrong(_place(theirs, side, severity, where), "the incident stays")
