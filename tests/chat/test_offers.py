"""What the chat offers to begin with: games and helpers a tap away, in the chat's language; and the chosen look."""

from __future__ import annotations

import json
import re
import uuid
from html import unescape
from typing import Any, get_args

import pytest
from django.test import Client
from pytest_django import Settings

from chatbot.accounts.models import TimeLimits, User
from chatbot.chat import selectors, services
from chatbot.chat.models import Turn
from chatbot.chat.playing import skills
from chatbot.chat.skill_list import STARTERS, skills_offered, starters
from chatbot.core import clock
from companion.profile.services import companion_shape
from companion.skills.api import Heard
from companion.types import Language
from moderation.incidents import services as incidents
from moderation.types import Sequence, WatchState

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
NOTHING: frozenset[str] = frozenset()


def shown_to(client: Client, person: User) -> tuple[list[str], dict[str, Any]]:
    """What the taps of the sheet say, and what the page brings along."""
    companion_shape(owner_id=person.id, name="Blob", persona="pixel", colour="plum", playful=50, curious=50, gentle=50)
    client.force_login(person, backend=BACKEND)
    page = client.get("/chat/").content.decode()
    boot = re.search(r'<script id="chat-boot" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert boot
    return [unescape(say) for say in re.findall(r'data-say="(.*?)"', page)], json.loads(boot[1])


@pytest.mark.parametrize("language", get_args(Language))
def test_every_tap_asks_for_a_skill_in_its_own_language(language: Language) -> None:
    offers = skills_offered(language, off=NOTHING, plain_mode=False, grave=False)
    assert len(offers) > STARTERS
    assert [offer.game for offer in offers] == sorted((offer.game for offer in offers), reverse=True)
    for offer in offers:
        heard = Heard(text=offer.say, language=language, band="13-15", seed=1)
        claim = skills().claim(heard, None, off=NOTHING)
        assert claim is not None, offer
        assert (claim.kind, skills().title(claim.skill, language)) == ("begin", offer.title)


def test_the_page_has_them_in_the_language_of_the_chat_whatever_the_page_s_is(client: Client, maya: User) -> None:
    maya.language = "pt-BR"
    maya.save()
    says, boot = shown_to(client, maya)
    offers = skills_offered("pt-BR", off=NOTHING, plain_mode=False, grave=False)
    assert says == [offer.say for offer in offers]
    assert len(set(boot["starters"])) == STARTERS
    assert set(boot["starters"]) <= {offer.say for offer in offers if offer.game}


def test_what_is_switched_off_is_not_offered(client: Client, maya: User, settings: Settings) -> None:
    TimeLimits.objects.create(person=maya, skills_off=["jokes"])
    settings.SKILLS_OFF = frozenset({"riddles"})
    says, _boot = shown_to(client, maya)
    assert "tell me a joke" not in says
    assert "give me a riddle" not in says
    assert "debate me" in says


def test_in_a_crisis_no_game_is_offered(client: Client, maya: User) -> None:
    incidents.watch_store(maya.id, WatchState(level="L2", signal_at=clock.now(), sequence=Sequence("suicide_L2")))
    says, boot = shown_to(client, maya)
    assert sorted(says) == ["mood check", "something calm"]
    assert boot["starters"] == []


def test_starters_are_the_same_for_one_seed_and_few_where_there_are_few() -> None:
    offers = skills_offered("en", off=NOTHING, plain_mode=False, grave=False)
    assert starters(offers, "a day") == starters(offers, "a day")
    assert len({tuple(starters(offers, str(day))) for day in range(20)}) > 1
    assert starters(offers[:1], "a day") == [offers[0].say]
    assert starters([], "a day") == []


def test_the_chat_s_face_wears_what_was_chosen(client: Client, maya: User) -> None:
    shown_to(client, maya)
    page = client.get("/chat/").content.decode()
    assert set(re.findall(r'data-persona="(\w+)"', page)) == {"pixel"}
    cards = client.get("/chat/friend/").content.decode()
    assert re.findall(r'class="character">.*?data-persona="(\w+)"', cards, re.DOTALL) == [
        "classic", "spark", "owl", "moss", "pixel", "biscuit",
    ]  # fmt: skip


def test_all_pages_of_a_visit_look_as_the_chat_does(client: Client, maya: User) -> None:
    assert 'data-accent="honey"' in client.get("/help/").content.decode()
    shown_to(client, maya)
    for path in ("/help/", "/", "/me/memory/", "/chat/search/", "/account/password/change/"):
        page = client.get(path).content.decode()
        assert 'data-accent="plum"' in page, path
        assert set(re.findall(r'data-persona="(\w+)"', page)) == {"pixel"}, path
    client.post("/account/logout/")
    assert 'data-accent="honey"' in client.get("/help/").content.decode()


def test_the_list_of_chats_never_shows_words_of_a_crisis(client: Client, maya: User) -> None:
    conversation = services.conversation_start(person=maya)
    for words, finish in (("i want to die", "crisis"), ("ok. my dog is called Waffles", "complete")):
        turn = services.message_accept(
            person=maya, conversation=conversation, client_id=uuid.uuid4(), text=words
        ).turn_id
        Turn.objects.filter(id=turn).update(finish=finish, state="done")
    assert [one.opening for one in selectors.conversations_of(maya)] == ["ok. my dog is called Waffles"]
    Turn.objects.filter(conversation=conversation).update(finish="crisis")
    assert [one.opening for one in selectors.conversations_of(maya)] == [""]


def test_on_a_phone_every_page_has_a_way_back_to_the_chat(client: Client, maya: User) -> None:
    assert 'to-chat"' not in client.get("/").content.decode()
    shown_to(client, maya)
    for path in ("/", "/help/", "/me/", "/me/memory/", "/me/limits/"):
        assert 'to-chat" href="/chat/"' in client.get(path).content.decode(), path
