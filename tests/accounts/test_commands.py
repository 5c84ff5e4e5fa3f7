from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from chatbot.accounts.models import Role, User
from chatbot.core.choices import choice

pytestmark = pytest.mark.django_db


def test_setup_records_regions_and_duty_contact() -> None:
    call_command(
        "setup", "--region", "US-CA=allow", "--region", "BR=plain_mode", "--duty-contact", "the office, room 2",
        "--staff-hours", "weekdays 8-16",
    )  # fmt: skip
    assert choice("regions") == {"US-CA": "allow", "BR": "plain_mode"}
    assert choice("duty_contact") == "the office, room 2"
    assert choice("staff_hours") == "weekdays 8-16"


@pytest.mark.parametrize("item", ["US-CA", "US-CA=open", "Narnia=allow", "=allow"])
def test_setup_refuses_a_region_that_it_does_not_understand(item: str) -> None:
    with pytest.raises(CommandError, match="write PLACE=POLICY"):
        call_command("setup", "--region", item)
    assert choice("regions") is None


def test_setup_makes_an_operator_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABRACO_PASSWORD", "quite a long one")
    call_command("setup", "--operator", "olga")
    assert User.objects.get(username="olga").role == Role.OPERATOR
    with pytest.raises(CommandError, match="already"):
        call_command("setup", "--operator", "Olga")


def test_setup_refuses_a_weak_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABRACO_PASSWORD", "12345678")
    with pytest.raises(CommandError):
        call_command("setup", "--operator", "olga")
    assert not User.objects.exists()


def test_the_demo_s_people_exist_only_with_debug(settings: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="only with DEBUG"):
        call_command("seed_demo")
    settings.DEBUG = True  # type: ignore[attr-defined]  # pytest-django's settings take any name
    call_command("seed_demo")
    call_command("seed_demo")
    assert User.objects.count() == 6
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("maya", "leo", "ana", "bruno", "rui", "olga"))
    assert User.objects.get(username="maya").band == "13-15"
    assert User.objects.get(username="leo").band == "16-17"


def test_consent_is_recorded_and_withdrawn_by_command(maya: User) -> None:
    call_command("consent", "maya", "--method", "signed form")
    assert maya.consents.filter(withdrawn_at=None).count() == 1
    call_command("consent", "maya", "--withdraw")
    assert maya.consents.filter(withdrawn_at=None).count() == 0
    with pytest.raises(CommandError, match="Say how"):
        call_command("consent", "maya")
    with pytest.raises(CommandError, match="No teen"):
        call_command("consent", "stranger", "--withdraw")
