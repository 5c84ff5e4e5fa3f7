from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from chatbot.accounts import services
from chatbot.accounts.models import RecoveryLink, User
from chatbot.core import clock
from chatbot.core.audit import audit_of

pytestmark = pytest.mark.django_db


def test_the_code_sets_a_new_password_and_is_good_once(maya: User) -> None:
    code = services.recovery_code_make(maya)
    person, fresh = services.password_recover(username="MAYA", code=code.lower(), password="a new long one")
    assert person.check_password("a new long one")
    assert fresh != code
    with pytest.raises(services.RecoveryFailed):
        services.password_recover(username="maya", code=code, password="another long one")


@pytest.mark.parametrize("name", ["maya", "nobody"])
def test_a_wrong_code_or_name_gets_the_same_no(maya: User, name: str) -> None:
    services.recovery_code_make(maya)
    with pytest.raises(services.RecoveryFailed):
        services.password_recover(username=name, code="AAAA-BBBB-CCCC-DDDD", password="a new long one")


class CountingHasher(MD5PasswordHasher):
    """Counts how often something is hashed, which is what a guess costs."""

    count = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.count += 1
        return str(super().encode(password, salt))


@pytest.mark.parametrize("name", ["maya", "leo", "nobody"])
def test_a_guess_costs_one_hash_whether_the_name_or_its_code_exists(
    maya: User, leo: User, settings: Settings, name: str
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    services.recovery_code_make(maya)
    services._nobody_digest()
    before = CountingHasher.count
    with pytest.raises(services.RecoveryFailed):
        services.password_recover(username=name, code="AAAA-BBBB-CCCC-DDDD", password="a new long one")
    assert CountingHasher.count - before == 1


def test_an_account_without_a_code_can_not_be_taken_with_an_empty_one(maya: User) -> None:
    with pytest.raises(services.RecoveryFailed):
        services.password_recover(username="maya", code="", password="a new long one")


def test_recovery_signs_out_everywhere(maya: User, client: Client) -> None:
    client.force_login(maya, backend="allauth.account.auth_backends.AuthenticationBackend")
    code = services.recovery_code_make(maya)
    services.password_recover(username="maya", code=code, password="a new long one")
    assert services.sessions_end(maya) == 0


def test_the_operator_s_link_works_once_is_audited_and_its_owner_sees_it(maya: User) -> None:
    secret = services.recovery_link_make(maya, reason="forgot it in the holidays")
    assert secret not in str(RecoveryLink.objects.values())
    services.recovery_link_use(secret=secret, password="a new long one")
    with pytest.raises(services.RecoveryFailed):
        services.recovery_link_use(secret=secret, password="a new long one")
    entry = next(entry for entry in audit_of(maya.id) if entry.action == "recovery_link_made")
    assert entry.detail == {"reason": "forgot it in the holidays"}


def test_an_old_link_does_not_work(maya: User) -> None:
    secret = services.recovery_link_make(maya, reason="forgot")
    clock.move_to(clock.now() + timedelta(hours=25))
    with pytest.raises(services.RecoveryFailed):
        services.recovery_link_use(secret=secret, password="a new long one")


def test_recover_prints_a_path_and_says_no_to_an_unknown_name(maya: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("recover", "maya", reason="forgot")
    assert "/account/recover/" in capsys.readouterr().out
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("recover", "nobody", reason="forgot")
