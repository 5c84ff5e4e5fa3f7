"""`manage.py report sb243|public --year Y`: the yearly reports, as JSON. Counts and texts; no person is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandParser

from moderation.incidents.selectors import referrals_of_year

PROTOCOL = Path(__file__).resolve().parents[2] / "protocol.yaml"


class Command(BaseCommand):
    help = "Print a yearly report: sb243 (California, its three fields) or public (Washington and Oregon)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=["sb243", "public"])
        parser.add_argument("--year", type=int, required=True)

    def handle(self, *args: Any, kind: str, year: int, **options: Any) -> None:
        protocol = yaml.safe_load(PROTOCOL.read_text(encoding="utf-8"))
        report = _sb243(year, protocol) if kind == "sb243" else _public(year, protocol)
        self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False))


def _sb243(year: int, protocol: dict[str, str]) -> dict[str, object]:
    """R12: the three fields of section 22603 and nothing else."""
    return {
        "crisis_referrals": sum(row.count for row in referrals_of_year(year)),
        "protocol_detect_remove_respond": protocol["detect"],
        "protocol_prohibit_responses": protocol["prohibit"],
    }


def _public(year: int, protocol: dict[str, str]) -> dict[str, object]:
    """R13: referrals in Washington and Oregon, all of them, and the protocol."""
    rows = referrals_of_year(year)
    return {
        "year": year,
        "crisis_referrals": {
            "US-WA": sum(row.count for row in rows if row.region == "US-WA"),
            "US-OR": sum(row.count for row in rows if row.region == "US-OR"),
            "all": sum(row.count for row in rows),
        },
        "protocol": {name: protocol[name] for name in ("version", "detect", "prohibit")},
    }
