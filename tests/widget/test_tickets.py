"""Tickets: one use, one minute, one site, one origin; and the socket that they open."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from chatbot.accounts import gate, services
from chatbot.accounts.erasure import age_doubted, erasures_due
from chatbot.accounts.models import Role, User
from chatbot.asgi import application
from chatbot.chat import engine, socket, talk
from chatbot.chat import services as chat
from chatbot.chat.sign_in import TicketRefused
from chatbot.core import clock
from chatbot.core.choices import choice_set
from chatbot.core.database import in_database
from chatbot.widget import sites
from chatbot.widget.models import Site, Ticket, Visitor
from chatbot.widget.services import ticket_redeem
from moderation.incidents.services import incident_file
from moderation.review import selectors as review
from moderation.types import Decision
from tests.chat.house import NOON, says
from tests.chat.tab import Tab
from tests.conftest import make_person, make_teen
from tests.widget.host import ORIGIN, admitted, ask, made, ticket


def redeem(made_for: sites.NewSecret, secret: str, **changes: str) -> Any:
    return ticket_redeem(**{"ticket": secret, "site": made_for.site.public_key, "origin": ORIGIN, **changes})


# --- the rows ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(open_house: None) -> sites.NewSecret:
    return made(origins=[ORIGIN, "https://north.example"])


@pytest.mark.django_db
def test_a_ticket_opens_once(site: sites.NewSecret) -> None:
    secret = ticket(site)
    assert secret not in str(Ticket.objects.values_list())
    assert redeem(site, secret).person_now() == Visitor.objects.get().person
    with pytest.raises(TicketRefused) as refused:
        redeem(site, secret)
    assert not refused.value.foreign


@pytest.mark.django_db
def test_a_ticket_of_over_a_minute_opens_nothing(site: sites.NewSecret) -> None:
    secret = ticket(site)
    with clock.at(clock.now() + timedelta(seconds=61)), pytest.raises(TicketRefused):
        redeem(site, secret)


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"origin": "https://north.example"}, {"site": "site_other"}, {"origin": ""}])
def test_a_ticket_shown_elsewhere_opens_nothing_and_is_spent(site: sites.NewSecret, change: dict[str, str]) -> None:
    secret = ticket(site)
    with pytest.raises(TicketRefused) as refused:
        redeem(site, secret, **change)
    assert refused.value.foreign
    with pytest.raises(TicketRefused):
        redeem(site, secret)


@pytest.mark.django_db
@pytest.mark.parametrize("guess", ["", "x", "🧡", "\ud800", "a" * 512])
def test_a_guess_opens_nothing(site: sites.NewSecret, guess: str) -> None:
    with pytest.raises(TicketRefused):
        redeem(site, guess)


@pytest.mark.django_db
def test_an_origin_that_the_operator_took_away_opens_nothing(site: sites.NewSecret) -> None:
    secret, seat = ticket(site), redeem(site, ticket(site))
    assert seat.person_now() is not None
    sites.site_change(site.site, origins=["https://north.example"])
    assert seat.person_now() is None
    with pytest.raises(TicketRefused):
        redeem(site, secret)
    assert admitted(site).json()["code"] == "origin"


@pytest.mark.django_db
def test_in_a_web_view_each_opening_begins_where_nothing_was_said(open_house: None) -> None:
    app = made(origins=[ORIGIN, "webview"])
    assert admitted(app).json()["boot"]["conversation"] is None
    person = Visitor.objects.get().person
    talked_in = chat.conversation_open(person=person)
    chat.message_accept(person=person, conversation=talked_in, client_id=uuid.uuid4(), text="hello there")
    begun = admitted(app, origin="webview").json()["boot"]["conversation"]
    assert begun not in (None, str(talked_in.id))
    assert admitted(app, origin="webview").json()["boot"]["conversation"] == begun  # still empty: no other piles up
    assert admitted(app).json()["boot"]["conversation"] is None


@pytest.mark.django_db
def test_a_site_that_was_removed_opens_nothing(site: sites.NewSecret) -> None:
    secret, seat = ticket(site), redeem(site, ticket(site))
    assert sites.site_remove(site.site) == 1
    assert seat.person_now() is None
    with pytest.raises(TicketRefused):
        redeem(site, secret)
    assert admitted(site).status_code == 404
    assert not User.objects.get().is_active
    assert not Site.objects.exists()


@pytest.mark.django_db
def test_only_the_frame_s_own_page_asks(site: sites.NewSecret) -> None:
    fields = {"site": site.site.public_key, "origin": ORIGIN, "identity": "v1.e30.x"}
    for headers in (
        {},
        {"Origin": ORIGIN},
        {"Origin": "null"},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "same-site"},
    ):
        for name in ("ticket", "forget"):
            assert ask(name, headers=headers, **fields).json()["code"] == "not_the_frame"


@pytest.mark.django_db
def test_a_body_that_is_no_question_is_answered_with_a_sentence(site: sites.NewSecret) -> None:
    key = site.site.public_key
    assert ask("ticket", site=key, origin=ORIGIN).status_code == 400
    assert ask("ticket", site=key, origin=ORIGIN, identity=["x"]).status_code == 400
    assert ask("ticket", site=key, origin=ORIGIN, identity="x" * 9000).status_code == 413
    assert ask("ticket", site=key, origin="https://evil.example", identity="x").json()["code"] == "origin"
    assert ask("ticket", site="site_none", origin=ORIGIN, identity="x").status_code == 404


@pytest.mark.django_db
def test_one_visitor_gets_no_flood_of_tickets_and_another_still_gets_one(site: sites.NewSecret) -> None:
    with clock.at(NOON):
        answers = [admitted(site).status_code for _ in range(21)]
        assert answers == [200] * 20 + [429]
        assert admitted(site, sub="student-2").status_code == 200


# --- who may not, and what is not left behind -------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("claims", "refusal"),
    [
        ({"country": "US", "region": "US-NY"}, gate.RegionClosed),
        ({"country": "DE", "region": None}, gate.ConsentNeeded),
        ({"country": "BR", "region": None, "band": "16-17", "consent": "form"}, gate.GuardianNeeded),
    ],
)  # fmt: skip
def test_the_gate_holds_as_for_everybody_and_leaves_no_row(
    open_house: None, claims: dict[str, Any], refusal: type[gate.Refused]
) -> None:
    response = admitted(made(host_consents=True), **claims)
    assert (response.status_code, response.json()["code"]) == (403, refusal.code)
    assert response.json()["help"]["emergency"]  # help of that country, all the same
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_host_s_consent_counts_only_where_the_operator_says_so(open_house: None) -> None:
    plain, trusted = made(), made(name="Trusted", host_consents=True)
    germany: dict[str, Any] = {"country": "DE", "region": None, "consent": "signed form"}
    assert admitted(plain, **germany).json()["code"] == "consent_needed"
    assert admitted(trusted, **germany).status_code == 200
    person = Visitor.objects.get(site=trusted.site).person
    consent = person.consents.get()
    assert consent.method == f"host:{trusted.site.public_key}"
    assert "signed form" in consent.given_by
    assert admitted(trusted, **germany).status_code == 200
    assert person.consents.count() == 1
    # In one step, and by the host: kept although it shuts the door in the same moment.
    assert admitted(trusted, **{**germany, "consent": False}).json()["code"] == "consent_needed"
    assert admitted(trusted, country="DE", region=None).json()["code"] == "consent_needed"
    assert admitted(trusted, **germany).status_code == 200


@pytest.mark.django_db
def test_a_consent_that_the_operator_took_back_is_not_given_again_by_the_host(open_house: None) -> None:
    site = made(host_consents=True)
    germany: dict[str, Any] = {"country": "DE", "region": None, "consent": "signed form"}
    assert admitted(site, **germany).status_code == 200
    services.consent_withdraw(person=Visitor.objects.get().person, by="operator")
    assert admitted(site, **germany).json()["code"] == "consent_needed"


@pytest.mark.django_db
def test_sixteen_and_seventeen_count_as_sixteen_where_no_birthday_is_known(open_house: None) -> None:
    assert admitted(made(), country="DE", region=None, band="16-17").status_code == 200
    assert admitted(made(), country="IN", region=None, band="16-17").json()["code"] == "consent_needed"


@pytest.mark.django_db
def test_a_stricter_band_is_kept_although_it_shuts_the_door(open_house: None) -> None:
    site = made()
    assert admitted(site, country="DE", region=None, band="18+").status_code == 200
    assert admitted(site, country="DE", region=None, band="13-15").json()["code"] == "consent_needed"
    assert admitted(site, country="DE", region=None, band="18+").json()["code"] == "consent_needed"


@pytest.mark.django_db
def test_an_account_that_is_closed_stays_closed_to_its_site(site: sites.NewSecret) -> None:
    ticket(site)
    services.person_lock(Visitor.objects.get().person, reason="test")
    assert admitted(site).json()["code"] == "locked"


@pytest.mark.django_db
def test_who_may_be_under_13_does_not_come_back_at_once_by_deleting(site: sites.NewSecret) -> None:
    kept = ticket(site)
    person = Visitor.objects.get().person
    assert age_doubted(person.id)
    fields = {"site": site.site.public_key, "origin": ORIGIN, "ticket": kept}
    refused = ask("forget", **fields)
    assert (refused.status_code, refused.json()["code"]) == (403, "locked")
    assert "within two days by itself" in refused.json()["message"]
    assert User.objects.filter(id=person.id).exists()
    assert admitted(site).json()["code"] == "locked"
    with clock.at(clock.now() + timedelta(hours=48)):
        assert erasures_due() == 1
    assert not Visitor.objects.exists()


# --- the socket -------------------------------------------------------------------------------------------------------


class Frame(Tab):
    """A widget's socket: no cookie, unless somebody else's is put on it."""

    def __init__(self, site: sites.NewSecret, cookie: str = "") -> None:
        self.site = site
        self.wire = WebsocketCommunicator(
            application,  # type: ignore[arg-type]  # the stubs know another kind of application
            "/ws/chat",
            headers=[(b"cookie", cookie.encode()), (b"origin", b"http://localhost"), (b"host", b"localhost")],
            subprotocols=["abraco.v1"],
        )

    async def hello(self, secret: str, **changes: str) -> None:
        await self.wire.connect()
        said = {"ticket": secret, "site": self.site.site.public_key, "origin": ORIGIN, **changes}
        await self.send(type="hello", **said)


@pytest.fixture
async def live(transactional_db: None) -> AsyncIterator[sites.NewSecret]:
    clock.move_to(NOON)
    await in_database(choice_set, "regions", {"*": "allow"})
    yield await in_database(made)
    await talk.turns_release()
    await engine.engines_close()


async def visitor() -> User:
    return await in_database(lambda: Visitor.objects.select_related("person").get().person)


async def test_a_visitor_confirms_the_deal_talks_and_comes_back_to_the_same_talk(live: sites.NewSecret) -> None:
    says("That sounds like a plan.")
    tab = Frame(live)
    await tab.hello(await in_database(ticket, live))
    ready = await tab.get()
    assert ready["type"] == "ready"
    assert (await tab.get())["data"]["code"] == "deal_open"
    refused = await tab.send_and_get(type="say", client_id=uuid.uuid4(), text="hello there")
    assert refused["data"]["code"] == "deal_open"
    await tab.send(type="ack", kind="deal")
    assert (await tab.say("going skating later"))[-1]["finish"] == "complete"
    assert not (await in_database(admitted, live)).json()["boot"]["deal"]
    again = Frame(live)
    await again.hello(await in_database(ticket, live))
    assert [one["text"] for one in (await again.get())["messages"]] == [
        "going skating later", "That sounds like a plan.",
    ]  # fmt: skip


async def test_replayed_expired_and_foreign_tickets_close_the_socket_with_the_reason(live: sites.NewSecret) -> None:
    secret = await in_database(ticket, live)
    first = Frame(live)
    await first.hello(secret)
    assert (await first.get())["type"] == "ready"
    for wrong, close in (
        ({"secret": secret}, socket.SIGNED_OUT),
        ({"secret": await in_database(ticket, live), "origin": "https://evil.example"}, socket.NOT_ALLOWED),
        ({"secret": await in_database(ticket, live), "site": "site_other"}, socket.NOT_ALLOWED),
        ({"secret": "guess"}, socket.SIGNED_OUT),
    ):
        tab = Frame(live)
        await tab.hello(**wrong)
        output = await tab.wire.receive_output(timeout=10)
        assert (output["type"], output["code"]) == ("websocket.close", close)
        assert output["reason"].startswith("This way in was ")
    late = await in_database(ticket, live)
    clock.move_to(NOON + timedelta(minutes=2))
    tab = Frame(live)
    await tab.hello(late)
    assert await tab.closed_with() == socket.SIGNED_OUT


async def test_the_ticket_counts_and_not_the_cookie_of_somebody_else(live: sites.NewSecret) -> None:
    maya = await in_database(lambda: make_teen("maya", age=15))
    session = await sync_to_async(Tab)(maya)
    tab = Frame(live, cookie=f"sessionid={session.session_key}")
    await tab.hello(await in_database(ticket, live))
    assert (await tab.get())["type"] == "ready"
    assert (await tab.get())["data"]["code"] == "deal_open"  # the visitor's; Maya confirmed hers
    # And a ticket that is refused leaves nobody signed in, whatever cookie came along.
    other = Frame(live, cookie=f"sessionid={session.session_key}")
    await other.hello("guess")
    assert await other.closed_with() == socket.SIGNED_OUT


async def test_a_site_that_is_removed_closes_the_socket_at_the_next_frame(live: sites.NewSecret) -> None:
    tab = Frame(live)
    await tab.hello(await in_database(ticket, live))
    await tab.get()
    await in_database(sites.site_remove, live.site)
    await tab.send(type="ping")
    assert await tab.closed_with() == socket.SIGNED_OUT


async def test_danger_is_answered_in_the_widget_before_the_deal_too(live: sites.NewSecret) -> None:
    tab = Frame(live)
    await tab.hello(await in_database(ticket, live))
    assert (await tab.get())["type"] == "ready"
    frames = await tab.say("i want to kill myself and im not joking")
    card = next(frame for frame in frames if frame.get("kind") == "crisis_card")
    assert card["data"]["emergency"] == "911"
    assert frames[-1]["finish"] == "crisis"


async def test_quiet_hours_and_the_day_s_minutes_hold_in_the_widget(live: sites.NewSecret) -> None:
    await in_database(ticket, live)
    person = await visitor()
    await in_database(services.deal_confirm, person)
    await in_database(services._usage_add, person, day=NOON.date(), seconds=3600)
    tab = Frame(live)
    await tab.hello(await in_database(ticket, live))
    await tab.get()
    assert (await tab.get())["kind"] == "limit"
    clock.move_to(NOON + timedelta(hours=11))
    late = Frame(live)
    await late.hello(await in_database(ticket, live))
    await late.get()
    assert (await late.get())["kind"] == "quiet_hours"


async def test_a_visitor_deletes_everything_and_comes_back_as_somebody_new(live: sites.NewSecret) -> None:
    says("Noted.")
    tab = Frame(live)
    await tab.hello(await in_database(ticket, live))
    await tab.get()
    before = await visitor()
    fields = {"site": live.site.public_key, "origin": ORIGIN}
    secret = await in_database(ticket, live)
    response = await in_database(lambda: ask("forget", ticket=secret, **fields))
    assert response.json() == {"deleted": True}
    assert not await in_database(lambda: User.objects.filter(id=before.id).exists())
    assert not await in_database(lambda: Visitor.objects.exists() or Ticket.objects.exists())
    await tab.send(type="ping")
    assert await tab.closed_with() == socket.SIGNED_OUT
    spent = await in_database(lambda: ask("forget", ticket=secret, **fields))
    assert spent.json()["code"] == "bad_ticket"
    await in_database(ticket, live)
    assert (await visitor()).id != before.id


@pytest.mark.django_db
def test_what_a_visitor_needs_help_with_stays_in_the_queue_when_their_site_is_taken_away(open_house: None) -> None:
    site = made()
    ticket(site)
    person = Visitor.objects.get().person
    grave = Decision("crisis", 4, "L3", ("T01",), "suicide_L3", incident=True, about="self")
    filed = incident_file(
        person_id=person.id, conversation_id=None, turn_id=None, decision=grave, excerpt="words", kind="message"
    )
    rui = make_person("rui", Role.MODERATOR)
    sites.site_remove(site.site)
    page = review.queue(rui, show="open", page="", now=clock.now())
    assert [row.id for row in page.rows] == [filed.id]
    assert review.is_there(rui, filed.id)
