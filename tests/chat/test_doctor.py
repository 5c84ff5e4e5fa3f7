"""`manage.py doctor`, what keeps a server from starting, and the one command that stops all free replies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from chatbot.accounts.management.commands.seed_demo import PASSWORD
from chatbot.accounts.models import Role, User
from chatbot.asgi import application
from chatbot.chat import doctor
from chatbot.chat.playing import skills
from chatbot.core import crypto
from chatbot.core.audit import audit_broken_at
from chatbot.core.catalogues import compile_all
from chatbot.core.choices import choice, choice_set
from chatbot.core.models import AuditEntry, Setting
from moderation.crisis.helplines import helplines, verified_put
from moderation.incidents.models import HelplineCheck
from moderation.incidents.services import helpline_check, helplines_refresh
from tests.conftest import make_person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _safe(settings: Settings, tmp_path: Path) -> Any:
    """An installation with nothing unsafe about it."""
    settings.VAR_DIR = tmp_path
    settings.MASTER_KEY = crypto.encode_key(crypto.new_key())
    settings.MASTER_KEY_FILE = str(tmp_path / "elsewhere" / "master.key")
    settings.SECRET_KEY = "kd83hGs92jfKw01mZx7Qp5Lr4Tb6Vn8YcE2u"
    settings.ALLOWED_HOSTS = ["chat.example.org"]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    choice_set("regions", {"US": "allow"})
    choice_set("duty_contact", "Olga, 555 0100, 8 to 20")
    make_person("olga", Role.OPERATOR)
    doctor.unsigned_accept(reason="a trial with adults")
    for row in helplines().lines:
        helpline_check(line=row.id, right=True, actor="olga")
    yield
    verified_put({})


def red() -> list[doctor.Finding]:
    return [finding for finding in doctor.findings() if finding.level == "red"]


def test_a_safe_installation_has_nothing_red_and_may_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert red() == []
    assert doctor.start_refusals() == []
    call_command("doctor")
    assert "0 unsafe" in capsys.readouterr().out


def test_tables_that_are_behind_this_version_are_all_that_it_tells(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("chatbot.chat.doctor.migrations_missing", lambda: 2)
    assert [(one.level, one.fix) for one in doctor.findings()] == [("red", "`python manage.py migrate`, then again")]
    with pytest.raises(SystemExit):
        call_command("doctor")
    assert "2 steps behind" in capsys.readouterr().out


def test_pages_that_were_not_translated_are_named_with_the_command(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "locale" / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text('msgid ""\nmsgstr "Language: fr\\n"\n', encoding="utf-8")
    settings.LOCALE_PATHS = [folder.parents[1]]
    [found] = [one for one in doctor.findings() if "English" in one.what]
    assert (found.level, "fr" in found.what, "manage.py catalogues" in found.fix) == ("warn", True, True)
    compile_all(folder.parents[1])
    assert not [one for one in doctor.findings() if "English" in one.what]


def _debug(settings: Settings) -> None:
    settings.DEBUG = True


def _any_host(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]


def _no_https(settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = False


def _plain_origin(settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["http://chat.example.org"]


def _weak_secret(settings: Settings) -> None:
    settings.SECRET_KEY = "secret"


def _key_for_all(settings: Settings) -> None:
    path = Path(settings.MASTER_KEY_FILE)
    path.parent.mkdir()
    path.write_text("x", encoding="ascii")
    path.chmod(0o644)


def _no_key(settings: Settings) -> None:
    settings.MASTER_KEY = ""


def _no_region(settings: Settings) -> None:
    choice_set("regions", {})


def _no_contact(settings: Settings) -> None:
    Setting.objects.filter(name="duty_contact").delete()


def _unsigned(settings: Settings) -> None:
    choice_set(doctor.ACCEPTED, "another text")


def _unchecked(settings: Settings) -> None:
    HelplineCheck.objects.all().delete()
    helplines_refresh()


def _demo(settings: Settings) -> None:
    person = User(username="maya")
    person.set_password(PASSWORD)
    person.save()


def _broken_trail(settings: Settings) -> None:
    AuditEntry.objects.filter(number=1).update(action="nothing_happened")
    assert audit_broken_at() == 1


UNSAFE = [
    (_debug, "DEBUG is on", False),
    (_any_host, "Any host name", False),
    (_no_https, "without HTTPS", False),
    (_plain_origin, "without HTTPS", False),
    (_weak_secret, "SECRET_KEY", False),
    (_key_for_all, "can read", False),
    (_no_key, "master key can't be used", True),
    (_no_region, "No region was chosen", True),
    (_no_contact, "Nobody is named", False),
    (_unsigned, "No professional has signed", True),
    (_unchecked, "US is open, and none of its helplines was checked", True),
    (_demo, "their password is public: maya", True),
    (_broken_trail, "audit trail is broken at entry 1", False),
]


@pytest.mark.parametrize(("spoil", "what", "stops"), UNSAFE)
def test_what_is_unsafe_is_red_with_its_fix(settings: Settings, spoil: Any, what: str, stops: bool) -> None:
    spoil(settings)
    found = next(finding for finding in red() if what in finding.what)
    assert found.fix
    assert found.stops is stops
    assert bool(doctor.start_refusals()) is (stops and not settings.DEBUG)
    with pytest.raises(SystemExit) as ended:
        call_command("doctor")
    assert ended.value.code == 1


def test_unsigned_texts_are_accepted_with_a_reason_only(settings: Settings) -> None:
    _unsigned(settings)
    with pytest.raises(CommandError, match="--reason"):
        call_command("doctor", accept_unsigned_texts=True)
    call_command("doctor", accept_unsigned_texts=True, reason="a trial with adults")
    assert AuditEntry.objects.filter(action="unsigned_texts_accepted").count() == 2


@pytest.fixture
def _own_skills() -> Iterator[None]:
    """Skills by the settings of the test, and afterwards by those of the others."""
    skills.cache_clear()
    yield
    skills.cache_clear()


@pytest.mark.usefixtures("_own_skills")
def test_every_skill_that_can_t_be_used_is_told_with_its_fix(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SKILLS_DIR = tmp_path / "our skills"
    for language, text in (("en", "skill: socks\nkind: rounds\n"), ("fr", "[")):
        (settings.SKILLS_DIR / language).mkdir(parents=True)
        (settings.SKILLS_DIR / language / "socks.yaml").write_text(text, encoding="utf-8")
    told = {finding.what: finding for finding in doctor.findings() if finding.what.startswith("Skills: ")}
    assert len(told) == 2
    for where in ("en/socks.yaml:1: title: Field required", "fr/socks.yaml: can't be read"):
        (found,) = [finding for what, finding in told.items() if where in what]
        assert found.level == "warn"
        assert f"companion.skills.lint --directory '{settings.SKILLS_DIR}'" in found.fix
    call_command("doctor")
    assert "en/socks.yaml:1" in capsys.readouterr().out
    assert doctor.start_refusals() == []


@pytest.mark.usefixtures("_own_skills")
def test_a_folder_of_skills_that_is_missing_is_told(settings: Settings, tmp_path: Path) -> None:
    settings.SKILLS_DIR = tmp_path / "nowhere"
    assert f"Skills: {tmp_path / 'nowhere'}: no such folder." in [finding.what for finding in doctor.findings()]


def test_a_name_that_is_no_skill_s_switches_nothing_off_and_says_so(settings: Settings) -> None:
    settings.SKILLS_OFF = frozenset({"roast", "debates", "qqqq"})
    told = [finding for finding in doctor.findings() if finding.what.startswith("ABRACO_SKILLS_OFF")]
    assert [finding.what.split("'")[1] for finding in told] == ["debates", "qqqq"]
    assert told[0].fix == "write debate there"
    assert told[1].fix == "take it out (`python -m companion.skills --list`)"
    settings.SKILLS_OFF = frozenset({"roast", "debate"})
    assert [finding for finding in doctor.findings() if finding.what.startswith("ABRACO_SKILLS_OFF")] == []


async def lifespan() -> list[dict[str, Any]]:
    """Start and end the application as a server does; what it says."""
    given: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    serving = asyncio.create_task(application({"type": "lifespan"}, given.get, said.put))
    await given.put({"type": "lifespan.startup"})
    answers = [await asyncio.wait_for(said.get(), 20)]
    if answers[0]["type"] == "lifespan.startup.complete":
        await given.put({"type": "lifespan.shutdown"})
        answers.append(await asyncio.wait_for(said.get(), 20))
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    return answers


def test_a_server_does_not_start_where_that_would_be_unsafe_and_says_what_to_do(settings: Settings) -> None:
    _no_region(settings)
    (answer,) = asyncio.run(lifespan())
    assert answer["type"] == "lifespan.startup.failed"
    assert "`python manage.py setup --region" in answer["message"]


def test_a_safe_server_starts_knows_the_checked_helplines_and_ends_in_order(settings: Settings) -> None:
    settings.ENGINE = "scripted"
    verified_put({})
    answers = asyncio.run(lifespan())
    assert [answer["type"] for answer in answers] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    helplines_refresh()
    assert doctor.start_refusals() == []


def test_one_command_stops_all_free_replies_and_undoes_it(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("stop_replies", resume=True)
    assert "are running" in capsys.readouterr().out
    call_command("stop_replies")
    call_command("stop_replies")
    assert "stopped already" in capsys.readouterr().out
    assert choice("replies_stopped") is True
    assert any(finding.what == "Free replies are stopped." for finding in doctor.findings())
    call_command("stop_replies", resume=True)
    assert choice("replies_stopped") is False
    actions = list(AuditEntry.objects.values_list("action", flat=True))
    assert (actions.count("replies_stopped"), actions.count("replies_resumed")) == (1, 1)
