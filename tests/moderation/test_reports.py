"""R11 to R13: the yearly reports hold counts and the protocol, and nobody."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from chatbot.core import clock
from moderation.incidents.services import referral_count

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _counted() -> None:
    for moment, region, times in (
        (datetime(2026, 3, 1, tzinfo=UTC), "US-CA", 2),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), "US-WA", 3),
        (datetime(2026, 6, 1, tzinfo=UTC), "US-OR", 1),
        (datetime(2027, 1, 1, tzinfo=UTC), "US-WA", 5),
    ):
        clock.move_to(moment)
        for _ in range(times):
            referral_count(region=region, category="T01", band="13-15")


def report(kind: str, capsys: pytest.CaptureFixture[str], year: int = 2026) -> dict[str, object]:
    call_command("report", kind, year=year)
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_sb243_is_its_three_fields_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    found = report("sb243", capsys)
    assert list(found) == ["crisis_referrals", "protocol_detect_remove_respond", "protocol_prohibit_responses"]
    assert found["crisis_referrals"] == 6
    assert report("sb243", capsys, year=2025)["crisis_referrals"] == 0


def test_the_public_report_has_the_counts_and_the_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    found = report("public", capsys)
    assert found["crisis_referrals"] == {"US-WA": 3, "US-OR": 1, "all": 6}
    assert set(found["protocol"]) == {"version", "detect", "prohibit"}  # type: ignore[call-overload]  # JSON


def test_an_unknown_report_says_which_there_are() -> None:
    with pytest.raises(CommandError, match="sb243"):
        call_command("report", "monthly", year=2026)
