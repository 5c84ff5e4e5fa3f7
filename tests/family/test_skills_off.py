"""Games and other skills: a guardian switches them off for their teen, the operator for everybody; help stays on."""

from __future__ import annotations

import re
from datetime import time
from html import unescape

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from chatbot.accounts import gate
from chatbot.accounts.guardian_limits import LimitsRefused, Wished, limits_set
from chatbot.accounts.models import Role, TimeLimits, User
from chatbot.chat.playing import skills
from chatbot.core import clock
from tests.chat.house import NOON
from tests.family.conftest import SignIn
from tests.family.test_pages import LIMITS, text

FINE = Wished(time(21), time(7), 45, memory_off=False, time_zone="UTC")
BOX = re.compile(r'<input type="checkbox" id="skill-(\w+)"([^>]*)>')


def switchable() -> list[str]:
    return [name for name in skills().names() if name != "calm_down"]


def sent(*off: str) -> dict[str, object]:
    """The form as a browser sends it with these unticked."""
    names = switchable()
    return {**LIMITS, "skills_shown": names, "skills_on": [name for name in names if name not in off]}


def boxes(client: Client, teen: User) -> dict[str, str]:
    """The attributes of each box by the name of its skill."""
    return dict(BOX.findall(text(client, f"/family/{teen.id}/limits/")))


def off(teen: User) -> list[str]:
    return list(TimeLimits.objects.get(person=teen).skills_off)


def test_every_skill_has_a_box_that_is_ticked_with_its_title_and_what_it_is(
    maya: User, ana: User, sign_in: SignIn
) -> None:
    client = sign_in(ana)
    found = boxes(client, maya)
    assert set(found) == set(skills().names())
    assert all("checked" in given for given in found.values())
    page = unescape(text(client, f"/family/{maya.id}/limits/"))
    assert skills().title("riddles", "en") in page
    assert skills().about("riddles", "en") in page


def test_the_fieldset_speaks_the_guardian_s_language(maya: User, ana: User, sign_in: SignIn) -> None:
    client = sign_in(ana)
    client.cookies["django_language"] = "fr"
    page = unescape(text(client, f"/family/{maya.id}/limits/"))
    assert skills().about("riddles", "fr") in page
    first = page.index(skills().title("riddles", "fr"))
    for name in skills().names():
        spoken = skills().spoken(name, "fr")
        if spoken != "fr":
            said = page.index(f'<span lang="{spoken}">{skills().title(name, "fr")}</span>')
            assert said > first, "what speaks another language says which, and comes last"


def test_what_is_unticked_is_off_at_the_gate_and_ticked_again_is_on(maya: User, ana: User, sign_in: SignIn) -> None:
    client = sign_in(ana)
    assert client.post(f"/family/{maya.id}/limits/", sent("riddles", "roast")).status_code == 302
    assert off(maya) == ["riddles", "roast"]
    assert gate.may_talk(maya, now=NOON).skills_off == {"riddles", "roast"}
    found = boxes(client, maya)
    assert [name for name, given in found.items() if "checked" not in given] == [
        name for name in found if name in ("riddles", "roast")
    ]
    assert "2 off" in text(client, f"/family/{maya.id}/limits/")
    client.post(f"/family/{maya.id}/limits/", sent("roast"))
    assert off(maya) == ["roast"]


def test_all_of_them_can_be_off_but_help(maya: User, ana: User, sign_in: SignIn) -> None:
    client = sign_in(ana)
    client.post(f"/family/{maya.id}/limits/", sent(*switchable()))
    assert set(off(maya)) == set(switchable())
    found = boxes(client, maya)
    assert "checked" in found["calm_down"]
    assert "disabled" in found["calm_down"]
    assert "Always on: it is help" in text(client, f"/family/{maya.id}/limits/")


def test_a_form_without_boxes_switches_nothing(maya: User, ana: User, sign_in: SignIn) -> None:
    client = sign_in(ana)
    client.post(f"/family/{maya.id}/limits/", sent("riddles"))
    client.post(f"/family/{maya.id}/limits/", LIMITS)
    assert off(maya) == ["riddles"]


def test_a_skill_that_came_since_the_page_was_opened_is_not_switched_off(
    maya: User, ana: User, sign_in: SignIn
) -> None:
    older = [name for name in switchable() if name != "jokes"]
    sign_in(ana).post(f"/family/{maya.id}/limits/", {**LIMITS, "skills_shown": older, "skills_on": older[1:]})
    assert off(maya) == [older[0]]


def test_one_that_is_off_and_has_left_the_house_is_off_when_it_comes_back(
    maya: User, ana: User, sign_in: SignIn
) -> None:
    TimeLimits.objects.create(person=maya, skills_off=["a_package"], set_by=Role.GUARDIAN)
    sign_in(ana).post(f"/family/{maya.id}/limits/", sent("riddles"))
    assert off(maya) == ["a_package", "riddles"]
    assert "a_package" in text(sign_in(ana), f"/family/{maya.id}/")


@pytest.mark.parametrize("field", ["skills_on", "skills_shown"])
@pytest.mark.parametrize("name", ["calm_down", "nothing", "", "house", "<b>riddles", "riddles\x00", "x" * 5000])
def test_a_name_that_can_t_be_switched_is_refused_with_a_sentence(
    maya: User, ana: User, sign_in: SignIn, field: str, name: str
) -> None:
    response = sign_in(ana).post(f"/family/{maya.id}/limits/", {**sent("riddles"), field: [*switchable(), name]})
    page = unescape(response.content.decode())
    assert response.status_code == 400
    assert "There is no game or skill of that name to switch here. Nothing was changed." in page
    assert "<b>riddles" not in page
    assert '<details class="fold skills" open>' in page
    assert not TimeLimits.objects.filter(person=maya).exists()


def test_after_a_fault_elsewhere_the_boxes_are_as_they_were_sent(maya: User, ana: User, sign_in: SignIn) -> None:
    response = sign_in(ana).post(f"/family/{maya.id}/limits/", {**sent("riddles"), "minutes": "500"})
    assert response.status_code == 400
    found = dict(BOX.findall(response.content.decode()))
    assert [name for name, given in found.items() if "checked" not in given] == ["riddles"]


def test_help_can_t_be_switched_off_past_the_form_either(maya: User, ana: User) -> None:
    with pytest.raises(LimitsRefused) as refusal:
        limits_set(ana, maya.id, Wished(**{**vars(FINE), "skills_off": frozenset({"calm_down"})}))
    assert "it is help" in refusal.value.sentence()
    assert not TimeLimits.objects.exists()


def test_both_pages_say_what_is_off_and_by_whom_word_for_word(maya: User, ana: User, sign_in: SignIn) -> None:
    client, teen = sign_in(ana), sign_in(maya)
    for page in (text(client, f"/family/{maya.id}/"), text(teen, "/me/guardian/"), text(teen, "/me/limits/")):
        assert "all on" in page
    client.post(f"/family/{maya.id}/limits/", sent("riddles", "jokes"))
    for page in (text(client, f"/family/{maya.id}/"), text(teen, "/me/guardian/"), text(teen, "/me/limits/")):
        assert "switched off by a parent or carer: Jokes, Riddles" in page


def test_what_is_off_for_everybody_stands_on_every_page_and_has_no_box(
    maya: User, ana: User, leo: User, sign_in: SignIn, settings: Settings
) -> None:
    settings.SKILLS_OFF = frozenset({"roast"})
    client = sign_in(ana)
    for page in (
        text(client, f"/family/{maya.id}/"), text(sign_in(maya), "/me/guardian/"), text(sign_in(maya), "/me/limits/"),
        text(sign_in(leo), "/me/limits/"),
    ):  # fmt: skip
        assert "off for everybody here: Roast my excuse" in page
    assert "disabled" in boxes(client, maya)["roast"]
    assert "checked" not in boxes(client, maya)["roast"]
    assert "Off for everybody here" in text(client, f"/family/{maya.id}/limits/")


def test_a_guardian_s_own_word_outlasts_the_operator_s(
    maya: User, ana: User, sign_in: SignIn, settings: Settings
) -> None:
    client, names = sign_in(ana), [name for name in switchable() if name != "roast"]
    client.post(f"/family/{maya.id}/limits/", sent("roast"))
    settings.SKILLS_OFF = frozenset({"roast"})
    client.post(f"/family/{maya.id}/limits/", {**LIMITS, "skills_shown": names, "skills_on": names})
    assert off(maya) == ["roast"]


def test_what_the_operator_switched_off_for_one_teen_says_so(leo: User, sign_in: SignIn) -> None:
    TimeLimits.objects.create(person=leo, skills_off=["trivia"], set_by=Role.OPERATOR)
    assert "switched off by whoever runs this place: Quiz" in text(sign_in(leo), "/me/limits/")


def test_at_eighteen_a_guardian_s_word_on_games_has_ended(maya: User, ana: User) -> None:
    limits_set(ana, maya.id, Wished(**{**vars(FINE), "skills_off": frozenset({"riddles"})}))
    maya.band, maya.band_until = "18+", None
    maya.save()
    assert gate.limits_of(maya, clock.now()).skills_off == frozenset()


def test_with_the_link_s_end_games_are_on_again(maya: User, ana: User, sign_in: SignIn) -> None:
    client = sign_in(ana)
    client.post(f"/family/{maya.id}/limits/", sent("riddles"))
    client.post(f"/family/links/{maya.guardianships.get().id}/end/")
    assert gate.limits_of(maya, NOON).skills_off == frozenset()


def test_somebody_else_s_guardian_and_the_teen_switch_nothing(
    maya: User, ana: User, bruno: User, sign_in: SignIn
) -> None:
    for person in (bruno, maya):
        assert sign_in(person).post(f"/family/{maya.id}/limits/", sent("riddles")).status_code == 403
    assert not TimeLimits.objects.filter(person=maya).exists()


def test_before_they_are_linked_the_teen_is_told_that_games_can_be_switched_off(leo: User, sign_in: SignIn) -> None:
    assert "which games are off" in text(sign_in(leo), "/family/code/")
