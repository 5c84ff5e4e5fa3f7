"""`manage.py policy diff FILE` and `policy replay --jsonl|--days N`: what another policy changes, and would have."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic import ValidationError

from chatbot.chat.selectors import decisions_since
from chatbot.core import clock
from chatbot.core.audit import audit_record
from moderation.policy import Policy, PolicyError, policy_load, policy_shipped
from moderation.policy_diff import policy_changes
from moderation.policy_table import BANDS, SIDES
from moderation.replay import Was, differs, replayed


class Command(BaseCommand):
    help = "Compare an operator's policy with the shipped one, or decide anew about what was found before."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        whats = parser.add_subparsers(dest="what", required=True)
        diff = whats.add_parser("diff", help="a line for each decision that the file changes")
        diff.add_argument("file", type=Path)
        replay = whats.add_parser("replay", help="what would have been decided about what was found then")
        over = replay.add_mutually_exclusive_group(required=True)
        over.add_argument("--jsonl", action="store_true", help="lines of `manage.py moderate --jsonl`, in and out")
        over.add_argument("--days", type=int, help="the turns of so many days, counted: no words and no persons")
        replay.add_argument("--policy", type=Path, metavar="FILE", help="without it, the policy that counts here")
        replay.add_argument("--band", choices=BANDS, default=BANDS[0], help="of --jsonl; turns have their own")
        replay.add_argument("--side", choices=SIDES, default=SIDES[0], help="of --jsonl")
        replay.add_argument("--plain", action="store_true", help="plain mode, of --jsonl")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if what == "diff":
            self._diff(_policy(options["file"]))
            return
        policy = _policy(options["policy"])
        if options["jsonl"]:
            self._lines(policy, options)
        else:
            self._days(policy, options["days"])

    def _diff(self, theirs: Policy) -> None:
        shipped = policy_shipped()
        lines = list(policy_changes(shipped, theirs))
        for line in lines:
            self.stdout.write(line)
        self.stdout.write(f"{shipped.version} -> {theirs.version}: {len(lines)} decisions change.")

    def _lines(self, policy: Policy, options: dict[str, Any]) -> None:
        fine = True
        for number, raw in enumerate(sys.stdin.buffer, start=1):
            if not raw.strip():
                continue
            try:
                given = json.loads(raw.decode("utf-8", "replace"))
                was = Was.model_validate(given)
            except (ValueError, RecursionError) as error:
                fine, answer = False, {"error": _why(error), "line": number}
            else:
                now = replayed(
                    was, policy=policy, side=options["side"], band=options["band"], plain=options["plain"]
                )  # fmt: skip
                answer = {
                    "id": given.get("id"), "was": was.action, "action": now.action, "playbook": now.playbook,
                    "differs": differs(was, now), "policy": policy.version,
                }  # fmt: skip
            self.stdout.write(json.dumps(answer))
        if not fine:
            sys.exit(1)

    def _days(self, policy: Policy, days: int) -> None:
        if not 1 <= days <= settings.MESSAGE_DAYS:
            raise CommandError(f"Turns are kept for {settings.MESSAGE_DAYS} days: say --days 1 to that.")
        counted: Counter[tuple[str, str]] = Counter()
        without = otherwise = 0
        for kept in decisions_since(clock.now() - timedelta(days=days)):
            try:
                was = Was.model_validate(kept)
            except ValidationError:
                without += 1
                continue
            now = replayed(was, policy=policy, side="message", band=was.band, plain=was.plain)
            counted[was.action, now.action] += 1
            otherwise += differs(was, now)
        for (before, after), count in sorted(counted.items()):
            self.stdout.write(f"{before} -> {after}: {count}")
        self.stdout.write(
            f"{policy.version}: {otherwise} of {counted.total()} turns would be answered otherwise. "
            f"Turns of which nothing was kept for a replay: {without}."
        )
        audit_record(actor="operator", subject=None, action="policy_replayed", detail={"days": days})


def _policy(file: Path | None) -> Policy:
    ours = Path(settings.POLICY_FILE) if settings.POLICY_FILE else None
    try:
        return policy_load(file or ours)
    except PolicyError as error:
        raise CommandError(str(error)) from error


def _why(error: Exception) -> str:
    """Where a line is wrong, without what stood there."""
    if not isinstance(error, ValidationError):
        return "this line is not JSON"
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place or 'line'}: {first['msg']}"
