"""The pages by value: what a browser gets, what it must not get, and what happens after the link has ended."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from chatbot.accounts import gate, guardianship, oversight
from chatbot.accounts import services as people
from chatbot.accounts.erasure import age_doubted, erasure_of, erasures_due
from chatbot.accounts.models import AlertKind, ErasureReason, Guardianship, Role, TimeLimits, UsageDay, User
from chatbot.core import clock
from chatbot.core.audit import audit_of
from tests.conftest import make_person, make_teen
from tests.family.conftest import SignIn

JOINING = {"username": "zora", "password": "four odd words here", "email": "", "adult": "on"}
LIMITS = {"quiet_from": "21:00", "quiet_to": "07:00", "minutes": "45", "time_zone": "UTC"}


def text(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, path
    return response.content.decode()


def code_shown(client: Client) -> str:
    page = client.post("/family/code/make/").content.decode()
    return page.split('id="code">')[1].split("<")[0]


def test_a_teen_and_a_grown_up_find_each_other_through_the_pages(ila: User, sign_in: SignIn) -> None:
    teen, grown = sign_in(ila), Client()
    closed = text(teen, "/chat/", 403)
    assert "/family/code/" in closed  # the way stands on the closed page
    code = code_shown(teen)
    made = grown.post("/family/join/", JOINING)
    assert made.headers["Location"] == reverse("accounts:recovery_code")
    assert 'href="/family/join/"' in text(grown, "/account/recovery-code/")
    met = grown.post("/family/join/", {"code": code}).content.decode()
    assert "Link with ila?" in met
    assert "Their chats" in met
    unticked = grown.post("/family/join/", {"code": code, "sure": "1"})
    assert (unticked.status_code, Guardianship.objects.count()) == (400, 0)
    assert grown.post("/family/join/", {"code": code, "sure": "1", "agree": "on"}).headers["Location"] == "/family/"
    assert "still has to say yes" in text(grown, "/family/")
    asked = text(teen, "/family/code/")
    assert "zora asks to be linked to you" in asked
    link = Guardianship.objects.get()
    assert teen.post(f"/family/requests/{link.id}/", {"answer": "yes"}).status_code == 302
    assert teen.get("/chat/").status_code == 302  # to naming the companion: the chat is open
    assert "ila" in text(grown, "/family/")
    assert text(grown, f"/family/{ila.id}/")


def test_a_no_is_a_no(ila: User, zoe: User, sign_in: SignIn) -> None:
    teen, grown = sign_in(ila), sign_in(zoe)
    grown.post("/family/join/", {"code": code_shown(teen), "sure": "1", "agree": "on"})
    link = Guardianship.objects.get()
    assert teen.post(f"/family/requests/{link.id}/", {"answer": "no"}).status_code == 302
    assert text(teen, "/chat/", 403)
    assert "Not linked with ila since" in text(grown, "/family/")
    assert grown.get(f"/family/{ila.id}/").status_code == 403


def test_the_guardian_s_code_needs_the_guardian_s_tick(ila: User, zoe: User, sign_in: SignIn) -> None:
    teen, grown = sign_in(ila), sign_in(zoe)
    code = code_shown(grown)
    assert "Link with zoe?" in teen.post("/family/code/enter/", {"code": code}).content.decode()
    teen.post("/family/code/enter/", {"code": code, "sure": "1"})
    link = Guardianship.objects.get()
    assert "ila typed your code" in text(grown, "/family/")
    grown.post(f"/family/requests/{link.id}/", {"answer": "yes"})
    link.refresh_from_db()
    assert link.state == "invited"
    grown.post(f"/family/requests/{link.id}/", {"answer": "yes", "agree": "on"})
    link.refresh_from_db()
    assert link.state == "active"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"adult": ""}, "adult"),
        ({"password": "short"}, "password"),
        ({"username": "maya"}, "username"),
        ({"username": "fuckyou"}, "username"),
        ({"username": "a b<c>"}, "username"),
        ({"email": "not an address"}, "email"),
    ],
)
def test_an_account_that_can_t_be_made_says_why_and_nothing_is_kept(
    maya: User, changes: dict[str, str], field: str, settings: LazySettings
) -> None:
    settings.EMAIL_URL = "smtp://localhost"  # else nobody is asked for an address
    response = Client().post("/family/join/", {**JOINING, **changes})
    assert response.status_code == 400
    assert response.context["form"].errors[field]
    assert not User.objects.filter(role=Role.GUARDIAN).exists()


def test_a_wrong_code_is_one_sentence_and_too_many_tries_are_another(zoe: User, sign_in: SignIn) -> None:
    grown = sign_in(zoe)
    wrong = grown.post("/family/join/", {"code": "ABCD-EFGH"})
    assert wrong.status_code == 400
    assert "doesn&#x27;t work here" in wrong.content.decode()
    for _ in range(guardianship.TRIES):
        last = grown.post("/family/join/", {"code": "ABCD-EFGH"})
    assert last.status_code == 429
    assert "quarter of an hour" in last.content.decode()


def test_a_teen_and_staff_are_no_guardians_here(maya: User, rui: User, olga: User, ila: User, sign_in: SignIn) -> None:
    code = code_shown(sign_in(ila))
    for person in (maya, rui, olga):
        response = sign_in(person).post("/family/join/", {"code": code, "sure": "1", "agree": "on"})
        assert response.status_code == 403
        assert "ila" not in response.content.decode()
    assert not Guardianship.objects.filter(teen=ila).exists()


def test_the_page_shows_minutes_limits_and_alerts_and_the_teen_s_mirror_the_same(
    maya: User, ana: User, sign_in: SignIn
) -> None:
    link = maya.guardianships.get()
    Guardianship.objects.filter(id=link.id).update(since=clock.now() - timedelta(days=5))
    UsageDay.objects.create(person=maya, day=clock.now().date() - timedelta(days=1), seconds=33 * 60, turns=40)
    UsageDay.objects.create(person=maya, day=clock.now().date() - timedelta(days=9), seconds=55 * 60, turns=40)
    oversight.alert_file(link, incident_id=uuid.uuid4(), kind=AlertKind.PERSON, held=False, at=clock.now())
    page = text(sign_in(ana), f"/family/{maya.id}/")
    assert '<td class="num">35</td>' in page  # in steps of five
    assert "55" not in page.split("As a table")[1].split("</table>")[0]  # before the link: not theirs to see
    assert "22:00 to 07:00" in page
    assert "Please check on them now" in page
    mirror = text(sign_in(maya), "/me/guardian/")
    for said in ('<td class="num">35</td>', "22:00 to 07:00", "Please check on them now"):
        assert said in mirror


def test_an_alert_s_time_names_its_clock_on_both_pages(maya: User, ana: User, sign_in: SignIn) -> None:
    User.objects.filter(id=maya.id).update(time_zone="America/Sao_Paulo")
    named = "Times are on this clock: America/Sao_Paulo."
    assert named not in text(sign_in(ana), f"/family/{maya.id}/"), "no time, no clock"
    noon = clock.now().replace(hour=15, minute=5)
    oversight.alert_file(maya.guardianships.get(), incident_id=uuid.uuid4(), kind=AlertKind.PERSON, held=False, at=noon)
    theirs, hers = text(sign_in(ana), f"/family/{maya.id}/"), text(sign_in(maya), "/me/guardian/")
    for page in (theirs, hers):
        assert named in page
        assert "12:05 p.m." in page


def test_a_code_says_on_whose_clock_it_works(ana: User, sign_in: SignIn) -> None:
    client = sign_in(ana)
    code_shown(client)
    assert "Times are on this clock: UTC." in text(client, "/family/code/")


def test_the_badge_of_supervision_is_always_there(maya: User, ana: User, leo: User, sign_in: SignIn) -> None:
    from companion.profile.services import companion_shape

    for person in (maya, leo):
        companion_shape(owner_id=person.id, name="Pixel", colour="leaf", playful=50, curious=50, gentle=50)
    assert "linked to ana" in text(sign_in(maya), "/chat/")
    assert "linked to" not in text(sign_in(leo), "/chat/")


def test_limits_are_saved_from_the_form_and_a_wrong_one_gets_a_sentence(maya: User, ana: User, sign_in: SignIn) -> None:
    grown = sign_in(ana)
    assert grown.post(f"/family/{maya.id}/limits/", LIMITS).status_code == 302
    row = TimeLimits.objects.get(person=maya)
    assert (row.minutes_a_day, row.set_by) == (45, Role.GUARDIAN)
    wrong = grown.post(f"/family/{maya.id}/limits/", {**LIMITS, "minutes": "500"})
    assert wrong.status_code == 400
    assert "10 to 120" in wrong.content.decode()
    for broken in ({"minutes": "many"}, {"quiet_from": "25:00"}, {"time_zone": "Mars/Olympus"}, {"minutes": ""}):
        assert grown.post(f"/family/{maya.id}/limits/", {**LIMITS, **broken}).status_code == 400
    row.refresh_from_db()
    assert row.minutes_a_day == 45
    assert "limits_set" in [entry.action for entry in audit_of(maya.id)]


def test_after_the_link_has_ended_old_pages_and_forms_are_a_sentence_without_data(
    maya: User, ana: User, sign_in: SignIn
) -> None:
    grown, link = sign_in(ana), maya.guardianships.get()
    oversight.alert_file(link, incident_id=uuid.uuid4(), kind=AlertKind.PERSON, held=False, at=clock.now())
    alert = link.alerts.get().id
    assert grown.post(f"/family/links/{link.id}/end/").status_code == 302
    for path in (f"/family/{maya.id}/", f"/family/{maya.id}/limits/"):
        page = text(grown, path, 403)
        assert "aren&#x27;t linked" in page
        assert "maya" not in page
    for path, form in (
        (f"/family/{maya.id}/limits/", LIMITS),
        (f"/family/{maya.id}/consent/", {}),
        (f"/family/{maya.id}/consent/", {"give": "1", "agree": "on"}),
        (f"/family/{maya.id}/delete/", {}),
        (f"/family/alerts/{alert}/", {}),
        (f"/family/links/{link.id}/end/", {}),
    ):
        assert grown.post(path, form).status_code == 403, path
    assert not TimeLimits.objects.filter(person=maya).exists()
    gate.may_enter(maya, now=clock.now())
    assert erasure_of(maya.id) is None


def test_the_yes_is_taken_back_and_given_again_from_the_page(maya: User, ana: User, sign_in: SignIn) -> None:
    grown, teen = sign_in(ana), sign_in(maya)
    grown.post(f"/family/{maya.id}/consent/")
    closed = text(teen, "/chat/", 403)
    assert "taken back" in closed
    assert "/family/code/" in closed
    assert "Open the chat again" in text(grown, f"/family/{maya.id}/")
    grown.post(f"/family/{maya.id}/consent/", {"give": "1"})
    assert teen.get("/chat/").status_code == 403  # without the tick it isn't a yes
    grown.post(f"/family/{maya.id}/consent/", {"give": "1", "agree": "on"})
    assert teen.get("/chat/").status_code != 403


def test_of_two_guardians_one_s_no_is_the_state_on_both_pages(
    maya: User, ana: User, zoe: User, sign_in: SignIn
) -> None:
    people.guardianship_start(teen=maya, guardian=zoe)
    anas, zoes = sign_in(ana), sign_in(zoe)
    path, missing = f"/family/{maya.id}/", "closed: another parent or carer took their yes back"
    for grown in (anas, zoes):
        assert missing not in text(grown, path)
    zoes.post(f"{path}consent/")
    assert missing in text(anas, path)
    assert "zoe" not in text(anas, path)
    assert "chat closed" in text(anas, "/family/")
    assert missing in text(sign_in(maya), "/me/guardian/")
    anas.post(f"{path}consent/")
    said = anas.post(f"{path}consent/", {"give": "1", "agree": "on"}, follow=True).content.decode()
    assert "The chat is open again" not in said
    assert "once every parent or carer has said yes again" in said
    said = zoes.post(f"{path}consent/", {"give": "1", "agree": "on"}, follow=True).content.decode()
    assert "The chat is open again" in said
    assert missing not in text(anas, path)
    gate.may_enter(maya, now=clock.now())


def test_another_guardian_s_request_to_delete_is_not_said_to_be_taken_back(
    maya: User, ana: User, zoe: User, sign_in: SignIn
) -> None:
    people.guardianship_start(teen=maya, guardian=zoe)
    sign_in(ana).post(f"/family/{maya.id}/delete/")
    said = sign_in(zoe).post(f"/family/{maya.id}/delete/", {"take_back": "1"}, follow=True).content.decode()
    assert erasure_of(maya.id) is not None
    assert "Taken back." not in said
    assert "yours to take back" in said


def test_the_teen_is_told_of_a_request_to_delete_and_it_can_be_taken_back(
    maya: User, ana: User, sign_in: SignIn
) -> None:
    grown = sign_in(ana)
    grown.post(f"/family/{maya.id}/delete/")
    request = erasure_of(maya.id)
    assert request is not None
    assert (request.reason, request.asked_by) == (ErasureReason.GUARDIAN, ana.id)
    assert "asked to delete this account" in text(sign_in(maya), "/me/guardian/")
    assert "erasure_asked_by_guardian" in [entry.action for entry in audit_of(maya.id)]
    clock.move_to(clock.now() + timedelta(days=6, hours=23))
    assert erasures_due() == 0
    grown.post(f"/family/{maya.id}/delete/", {"take_back": "1"})
    clock.move_to(clock.now() + timedelta(days=2))
    assert erasures_due() == 0
    assert User.objects.filter(id=maya.id).exists()


def test_after_seven_days_it_is_done(maya: User, ana: User, sign_in: SignIn) -> None:
    sign_in(ana).post(f"/family/{maya.id}/delete/")
    clock.move_to(clock.now() + timedelta(days=7, minutes=1))
    assert erasures_due() == 1
    assert not User.objects.filter(id=maya.id).exists()
    assert "maya" not in text(sign_in(ana), "/family/")


def test_the_request_goes_with_the_link(maya: User, ana: User, sign_in: SignIn) -> None:
    grown = sign_in(ana)
    grown.post(f"/family/{maya.id}/delete/")
    grown.post(f"/family/links/{maya.guardianships.get().id}/end/")
    assert erasure_of(maya.id) is None


def test_a_doubt_about_age_does_not_wait_for_the_guardian_s_seven_days(maya: User, ana: User, sign_in: SignIn) -> None:
    sign_in(ana).post(f"/family/{maya.id}/delete/")
    assert age_doubted(maya.id)
    request = erasure_of(maya.id)
    assert request is not None
    assert request.reason == ErasureReason.UNDER_13
    assert request.due_at <= clock.now() + timedelta(hours=48)


def test_somebody_else_s_alert_is_nobody_s_to_see(maya: User, ana: User, bruno: User, sign_in: SignIn) -> None:
    link = maya.guardianships.get()
    oversight.alert_file(link, incident_id=uuid.uuid4(), kind=AlertKind.AWAY, held=False, at=clock.now())
    alert = link.alerts.get()
    assert sign_in(bruno).post(f"/family/alerts/{alert.id}/").status_code == 403
    assert sign_in(ana).post(f"/family/alerts/{alert.id}/").status_code == 302
    alert.refresh_from_db()
    assert alert.seen_at is not None


def test_a_held_alert_can_t_be_opened_by_its_address(maya: User, ana: User, sign_in: SignIn) -> None:
    link = maya.guardianships.get()
    oversight.alert_file(link, incident_id=uuid.uuid4(), kind=AlertKind.PERSON, held=True, at=clock.now())
    assert sign_in(ana).post(f"/family/alerts/{link.alerts.get().id}/").status_code == 403


def test_names_are_shown_as_text(sign_in: SignIn, zoe: User, open_house: None) -> None:
    teen = make_teen("o'neil@home", age=16)
    people.guardianship_start(teen=teen, guardian=zoe)
    assert "o&#x27;neil@home" in text(sign_in(zoe), f"/family/{teen.id}/")


def test_a_guardian_s_e_mail_is_asked_for_only_where_mails_are_sent(ana: User, sign_in: SignIn, settings) -> None:  # type: ignore[no-untyped-def]
    grown = sign_in(ana)
    assert "A note by e-mail" not in text(grown, "/family/")
    settings.EMAIL_URL = "smtp://localhost"
    assert "A note by e-mail" in text(grown, "/family/")
    grown.post("/family/mail/", {"email": "ana@example.org"})
    ana.refresh_from_db()
    assert ana.email == "ana@example.org"
    grown.post("/family/mail/", {"email": "nonsense"})
    ana.refresh_from_db()
    assert ana.email == "ana@example.org"


def test_guests_of_a_site_have_no_link(open_house: None) -> None:
    guest = make_teen("guest", age=15)
    guest.set_unusable_password()
    guest.save()
    with pytest.raises(gate.Refused):
        guardianship.code_make(guest)
    assert make_person("yann", Role.GUARDIAN)
