"""Undoing what a message taught, from the slip in the chat that said so."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from chatbot.accounts.models import User
from chatbot.chat import learning
from chatbot.chat.models import Conversation, Message
from companion.memory import services as memory
from tests.at_once import at_once, came
from tests.chat.house import accept, answer_empty
from tests.conftest import make_teen

SignIn = Callable[..., Client]
TOLD = "my dog is called Waffles and i love surfing"


def said(person: User, text: str = TOLD) -> uuid.UUID:
    """A message that was answered and learned from."""
    accepted = accept(person, Conversation.objects.create(person=person), text)
    answer_empty(accepted, learn=True)
    message = learning.message_learnable(accepted.message_id)
    assert message is not None
    learning.message_learn(message, "en")
    return accepted.message_id


def values(person: User) -> list[str]:
    return [one.value for one in memory.memory_list(owner_id=person.id, language="en")]


def undone(client: Client, message: uuid.UUID) -> str:
    response = client.post(f"/me/memory/told/{message}/forget/")
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    return str(response.json()["message"])


@pytest.mark.django_db
def test_all_that_it_taught_goes_for_good_and_nothing_else(signed_in: SignIn, maya: User) -> None:
    said(maya, "i love chess")
    message = said(maya)
    assert sorted(values(maya)) == ["Waffles", "chess", "surfing"]
    client = signed_in(maya)
    assert undone(client, message) == "Forgotten."
    assert values(maya) == ["chess"]
    assert learning.message_learnable(message) is None  # and it does not come back
    assert undone(client, message) == "That's gone already."  # a second tap, another tab
    assert Message.objects.filter(id=message).exists()  # the chat stays as it is


@pytest.mark.django_db
def test_what_was_only_said_again_stays(signed_in: SignIn, maya: User) -> None:
    said(maya, "i love surfing")
    message = said(maya)
    undone(signed_in(maya), message)
    assert values(maya) == ["surfing"]


@pytest.mark.django_db
def test_somebody_else_s_answers_like_one_that_never_was_and_changes_nothing(signed_in: SignIn, maya: User) -> None:
    message = said(maya)
    stranger = signed_in(make_teen("zoe", age=15))
    assert undone(stranger, message) == undone(stranger, uuid.uuid4()) == "That's gone already."
    assert sorted(values(maya)) == ["Waffles", "surfing"]


@pytest.mark.django_db
def test_signed_out_without_a_token_or_by_a_link_nothing_is_forgotten(maya: User) -> None:
    message = said(maya)
    path = f"/me/memory/told/{message}/forget/"
    assert Client().post(path).status_code == 302
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(maya, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert browser.post(path).status_code == 403
    assert browser.get(path).status_code == 405
    assert sorted(values(maya)) == ["Waffles", "surfing"]


@pytest.mark.django_db
def test_in_the_language_of_the_person(signed_in: SignIn, maya: User) -> None:
    message = said(maya)
    client = signed_in(maya)
    client.cookies["django_language"] = "fr"
    assert undone(client, message) == "C'est oublié."


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_forget_it_once(signed_in: SignIn, maya: User) -> None:
    message = said(maya)
    one, two = signed_in(maya), signed_in(maya)
    found = came(at_once(lambda: undone(one, message), lambda: undone(two, message)))
    assert sorted(found) == ["Forgotten.", "That's gone already."]
    assert values(maya) == []
