from __future__ import annotations

import html
import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from chatbot.accounts.models import Role, TimeLimits, User
from chatbot.chat import pages, services
from chatbot.chat.models import Author, Conversation, Message
from chatbot.core import clock
from chatbot.core.choices import choice_set
from chatbot.core.ids import new_id
from companion.profile.services import companion_for, companion_shape
from moderation import screen
from moderation.crisis.phrases import offline_phrases
from moderation.incidents import services as incidents
from moderation.types import Sequence, WatchState
from tests.conftest import make_person, make_teen

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PATHS = ("/chat/", "/chat/earlier/", "/chat/search/", "/chat/friend/")
SHAPE = {"name": "Pixel", "colour": "sky", "playful": "80", "curious": "20", "gentle": "55"}


@pytest.fixture
def maya_in(client: Client, maya: User) -> Client:
    client.force_login(maya, backend=BACKEND)
    return client


def talk(person: User, *said: str) -> Conversation:
    """A conversation in which each message got an answer."""
    conversation = services.conversation_start(person=person)
    for words in said:
        accepted = services.message_accept(person=person, conversation=conversation, client_id=uuid.uuid4(), text=words)
        Message(
            id=new_id(), owner_id=person.id, conversation=conversation, author=Author.COMPANION,
            body=f"About {words}: really?", turn_id=accepted.turn_id,
        ).save(force_insert=True)  # fmt: skip
    return conversation


def boot_of(client: Client, path: str = "/chat/") -> dict[str, Any]:
    page = client.get(path).content.decode()
    found = re.search(r'<script id="chat-boot" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found, page[:300]
    boot: dict[str, Any] = json.loads(found[1])
    return boot


# ---- who may


@pytest.mark.parametrize("path", PATHS)
def test_signed_out_one_is_asked_to_sign_in_first(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/account/login/?next=")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", ["ana", "rui", "olga"])
def test_guardians_and_staff_have_no_chat_and_are_told_so(
    client: Client, request: pytest.FixtureRequest, path: str, who: str
) -> None:
    client.force_login(request.getfixturevalue(who), backend=BACKEND)
    response = client.get(path)
    assert response.status_code == 403
    assert "looks after others" in response.content.decode()


@pytest.mark.parametrize("path", PATHS)
def test_a_teen_opens_them(maya_in: Client, maya: User, path: str) -> None:
    talk(maya, "hello")
    assert maya_in.get(path).status_code == 200


@pytest.mark.parametrize(
    ("regions", "country", "region", "age", "words"),
    [
        ({}, "US", "US-CA", 15, "opened it for your country yet"),
        ({"*": "allow"}, "US", "US-NY", 15, "can&#x27;t be offered to people under 18"),
        ({"US": "block"}, "US", "", 17, "can&#x27;t be offered to people under 18"),
        ({"*": "adults_only"}, "GB", "", 17, "can&#x27;t be offered to people under 18"),
        ({"*": "allow"}, "DE", "", 15, "has to say yes"),
        ({"*": "allow"}, "BR", "", 16, "linked before the chat opens"),
    ],
)
def test_whoever_may_not_chat_gets_a_page_that_says_why_with_help(  # noqa: PLR0917  one column a thing
    client: Client, db: None, regions: dict[str, str], country: str, region: str, age: int, words: str
) -> None:
    choice_set("regions", regions)
    person = make_teen("nina", age=age, country=country, region=region)
    client.force_login(person, backend=BACKEND)
    for path in PATHS:
        response = client.get(path)
        assert response.status_code == 403, path
        page = response.content.decode()
        assert words in page, path
        assert 'href="/help/"' in page


def test_a_locked_account_finds_help(maya_in: Client, maya: User) -> None:
    User.objects.filter(id=maya.id).update(locked_at=clock.now())
    response = maya_in.get("/chat/")
    assert response.status_code == 403
    assert 'href="/help/"' in response.content.decode()


def test_the_deal_comes_before_the_chat_then_the_friend_then_the_chat(client: Client, maya: User) -> None:
    User.objects.filter(id=maya.id).update(deal_confirmed_at=None)
    client.force_login(maya, backend=BACKEND)
    for path in PATHS:
        assert client.get(path).headers["Location"] == "/account/deal/", path
    assert client.post("/account/deal/").headers["Location"] == "/chat/"
    assert client.get("/chat/").headers["Location"] == "/chat/friend/"
    assert "Skip this" in client.get("/chat/friend/").content.decode()
    assert client.get("/chat/").status_code == 200


def test_the_deal_is_not_asked_of_whoever_may_not_chat(client: Client, ana: User) -> None:
    client.force_login(ana, backend=BACKEND)
    assert client.get("/account/deal/").headers["Location"] == "/chat/"
    assert client.post("/account/deal/").headers["Location"] == "/chat/"
    ana.refresh_from_db()
    assert ana.deal_confirmed_at is None


def test_the_deal_tells_who_is_told_and_when_staff_look(maya_in: Client) -> None:
    page = maya_in.get("/account/deal/").content.decode()
    assert "Nobody watches live" in page
    choice_set("duty_contact", "Ms Lima, the school nurse")
    choice_set("staff_hours", "weekdays 8 to 16")
    page = maya_in.get("/account/deal/").content.decode()
    assert "Ms Lima, the school nurse" in page
    assert "weekdays 8 to 16" in page


def test_quiet_hours_and_limits_close_the_socket_s_ear_not_the_page(maya_in: Client, maya: User) -> None:
    talk(maya, "hello")
    TimeLimits.objects.create(person=maya, minutes_a_day=0)
    for path in PATHS:
        assert maya_in.get(path).status_code == 200, path


# ---- the chat


def test_the_page_carries_what_the_chat_needs_and_no_user_name(maya_in: Client, maya: User) -> None:
    companion_shape(owner_id=maya.id, name="Pixel", colour="plum", playful=50, curious=50, gentle=50)
    boot = boot_of(maya_in)
    assert boot["companion"]["name"] == "Pixel"
    assert boot["companion"]["colour"] == "plum"
    assert boot["socket"] == "/ws/chat"
    assert boot["conversation"] is None
    assert boot["language"] == "en"
    assert boot["help"]["emergency"] == "911"
    assert "i want to die" in boot["phrases"]
    assert "maya" not in json.dumps(boot)
    assert str(maya.id) not in json.dumps(boot)


def test_the_card_stays_pinned_over_a_reload_while_a_crisis_lasts_and_no_longer(maya_in: Client, maya: User) -> None:
    talk(maya, "hello")
    assert boot_of(maya_in)["pinned"] is False
    now = clock.now()
    incidents.watch_store(maya.id, WatchState(level="L2", signal_at=now, sequence=Sequence("suicide_L2")))
    assert boot_of(maya_in)["pinned"] is True
    clock.move_to(now + timedelta(days=3))
    maya_in.force_login(maya, backend=BACKEND)
    assert boot_of(maya_in)["pinned"] is False


def test_two_people_on_one_device_have_two_keys(client: Client, maya: User, leo: User) -> None:
    keys = set()
    for person in (maya, leo):
        talk(person, "hello")
        client.force_login(person, backend=BACKEND)
        keys.add(boot_of(client)["person"])
    assert len(keys) == 2


def test_a_name_cannot_break_out_of_the_page_s_data(maya_in: Client, maya: User) -> None:
    companion_shape(owner_id=maya.id, name="</script><b>x", colour="honey", playful=50, curious=50, gentle=50)
    page = maya_in.get("/chat/").content.decode()
    assert "</script><b>" not in page
    assert boot_of(maya_in)["companion"]["name"] == "</script><b>x"


def test_the_permanent_label_stands_beside_the_name(maya_in: Client, maya: User) -> None:
    talk(maya, "hello")
    assert re.search(r"data-ai[^>]*>AI</span>", maya_in.get("/chat/").content.decode())


def test_an_own_conversation_can_be_opened_by_its_id(maya_in: Client, maya: User) -> None:
    own = talk(maya, "hello")
    assert boot_of(maya_in, f"/chat/?conversation={own.id}")["conversation"] == str(own.id)


def test_somebody_else_s_conversation_looks_like_one_that_never_was(maya_in: Client, maya: User, leo: User) -> None:
    theirs = talk(leo, "a secret plan")
    for path in ("/chat/?conversation={}", "/chat/earlier/{}/", "/chat/earlier/{}/?before=" + str(new_id())):
        other, missing = maya_in.get(path.format(theirs.id)), maya_in.get(path.format(new_id()))
        assert other.status_code == missing.status_code == 404
        assert "secret" not in other.content.decode()
        clean = [re.sub(r'value="[^"]*"', "", answer.content.decode()) for answer in (other, missing)]
        assert clean[0] == clean[1]


@pytest.mark.parametrize("junk", ["nonsense", "1", "' or 1=1", "0" * 4000, "../.."])
def test_an_id_that_is_none_is_missing_too(maya_in: Client, maya: User, junk: str) -> None:
    own = talk(maya, "hello")
    assert maya_in.get("/chat/", {"conversation": junk}).status_code == 404
    assert maya_in.get(f"/chat/earlier/{own.id}/", {"before": junk}).status_code == 404


def test_a_new_chat_by_a_tap_and_no_pile_of_empty_ones(maya_in: Client, maya: User) -> None:
    talk(maya, "hello")
    first = maya_in.post("/chat/new/").headers["Location"]
    assert maya_in.post("/chat/new/").headers["Location"] == first
    assert Conversation.objects.filter(person=maya).count() == 2
    assert maya_in.get("/chat/new/").status_code == 405
    assert maya_in.get(first).status_code == 200


# ---- earlier chats


def test_earlier_chats_are_one_s_own_only(maya_in: Client, maya: User, leo: User) -> None:
    talk(maya, "a goat at school", "and then")
    talk(leo, "a secret plan")
    page = maya_in.get("/chat/earlier/").content.decode()
    assert "a goat at school" in page
    assert "4 messages" in page
    assert "secret" not in page


def test_before_the_first_chat_the_list_says_what_will_stand_there(maya_in: Client) -> None:
    assert "after the first one" in maya_in.get("/chat/earlier/").content.decode()


def test_a_long_conversation_is_read_page_by_page(maya_in: Client, maya: User) -> None:
    own = talk(maya, *(f"number {n}" for n in range(30)))
    newest = maya_in.get(f"/chat/earlier/{own.id}/").content.decode()
    assert "number 29" in newest
    assert ">number 4<" not in newest
    older = re.search(r'href="(\?before=[^"]+)"', newest)
    assert older
    page = maya_in.get(f"/chat/earlier/{own.id}/{html.unescape(older[1])}").content.decode()
    assert ">number 4<" in page
    assert "number 29" not in page
    assert "Older messages" not in page
    assert "To the end" in page


# ---- search


def test_search_finds_one_s_own_words_without_case_or_accents(maya_in: Client, maya: User, leo: User) -> None:
    talk(maya, "Meu café acabou", "something else")
    talk(leo, "cafe of somebody else")
    page = maya_in.get("/chat/search/", {"q": "CAFE"}).content.decode()
    assert "Meu café acabou" in page
    assert "somebody else" not in page


def test_a_found_message_leads_to_its_page_of_history(maya_in: Client, maya: User) -> None:
    own = talk(maya, *(f"number {n}" for n in range(40)))
    wanted = next(row for row in Message.objects.filter(owner_id=maya.id, author=Author.USER) if row.body == "number 3")
    page = maya_in.get("/chat/search/", {"q": "number 3"}).content.decode()
    link = re.search(rf'href="(/chat/earlier/{own.id}/\?before=[^"#]+)#m-{wanted.id}"', page)
    assert link
    assert f'id="m-{wanted.id}"' in maya_in.get(html.unescape(link[1])).content.decode()


@pytest.mark.parametrize("query", ["", "   ", "xyzzy", "<b>bold</b>", "%_'\"", "\u202eevil", "🛹"])
def test_a_search_without_a_find_says_so_and_breaks_nothing(maya_in: Client, maya: User, query: str) -> None:
    talk(maya, "hello")
    response = maya_in.get("/chat/search/", {"q": query})
    assert response.status_code == 200
    assert "<b>bold" not in response.content.decode()


def test_a_huge_query_is_refused_with_a_sentence(maya_in: Client, maya: User) -> None:
    talk(maya, "hello")
    response = maya_in.get("/chat/search/", {"q": "word " * 2000})
    assert response.status_code == 400
    assert "one or two words" in response.content.decode()


def test_a_long_message_is_shown_around_the_hit() -> None:
    words = pages._around("before " * 60 + "NEEDLE " + "after " * 60, "needle")
    assert "NEEDLE" in words
    assert words.startswith("…")
    assert words.endswith("…")
    assert len(words) < 200


# ---- the friend


def test_the_companion_is_shaped_by_its_person(maya_in: Client, maya: User) -> None:
    assert maya_in.post("/chat/friend/", SHAPE).headers["Location"] == "/chat/"
    shape = companion_for(maya.id)
    assert (shape.name, shape.colour, shape.playful, shape.curious, shape.gentle) == ("Pixel", "sky", 80, 20, 55)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "1 to 24 letters"),
        ({"name": "   "}, "1 to 24 letters"),
        ({"name": "x" * 25}, "1 to 24 letters"),
        ({"name": "x" * 100_000}, "1 to 24 letters"),
        ({"name": "a\u202eb"}, "1 to 24 letters"),
        ({"name": "hitler"}, "kinder name"),
        ({"name": "stupid bitch"}, "kinder name"),
        ({"colour": "mauve"}, "six colours"),
        ({"colour": ""}, "six colours"),
        ({"playful": "101"}, "0 to 100"),
        ({"curious": "-1"}, "0 to 100"),
        ({"gentle": "lots"}, "0 to 100"),
        ({"gentle": "9" * 5000}, "0 to 100"),
    ],
)
def test_a_shape_that_can_not_be_is_explained_and_loses_nothing(
    maya_in: Client, maya: User, changes: dict[str, str], words: str
) -> None:
    maya_in.post("/chat/friend/", SHAPE)
    response = maya_in.post("/chat/friend/", {**SHAPE, "playful": "10", **changes})
    assert response.status_code == 400
    page = response.content.decode()
    assert words in page
    assert len(page) < 60_000
    assert companion_for(maya.id).playful == 80


def test_a_wrong_colour_does_not_cost_the_name(maya_in: Client) -> None:
    page = maya_in.post("/chat/friend/", {**SHAPE, "name": "Biscuit", "colour": "mauve"}).content.decode()
    assert 'value="Biscuit"' in page
    assert 'value="80"' in page


def test_nobody_shapes_the_companion_of_somebody_else(maya_in: Client, leo: User) -> None:
    maya_in.post("/chat/friend/", {**SHAPE, "owner_id": str(leo.id), "person": "leo"})
    assert companion_for(leo.id).name != "Pixel"


def test_a_role_that_changed_closes_the_chat_at_the_next_page(maya_in: Client, maya: User) -> None:
    talk(maya, "hello")
    User.objects.filter(id=maya.id).update(role=Role.GUARDIAN)
    assert maya_in.get("/chat/").status_code == 403
    assert make_person("vera", Role.OPERATOR).role == Role.OPERATOR


# ---- offline phrases


@pytest.mark.parametrize("language", ["en", "pt-BR", "es", "fr"])
def test_every_offline_phrase_is_danger_to_the_server_too(language: str) -> None:
    phrases = offline_phrases()[language]  # type: ignore[index]  # one of the four, see above
    assert len(phrases) >= 10
    for phrase in phrases:
        found = screen.check_danger(phrase, language=language, watch=WatchState())  # type: ignore[arg-type]
        assert found is not None, phrase
