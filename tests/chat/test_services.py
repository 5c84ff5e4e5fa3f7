from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.chat import answering, selectors, services
from chatbot.chat.models import Finish, Message, Sentence, Turn, TurnState
from chatbot.core import clock
from tests.stored import stored_bytes

pytestmark = pytest.mark.django_db


def accept(
    person: User, text: str = "my dog is called Bento", client_id: uuid.UUID | None = None
) -> services.Acceptance:
    conversation = services.conversation_open(person=person)
    return services.message_accept(
        person=person, conversation=conversation, client_id=client_id or uuid.uuid4(), text=text
    )


def say(accepted: services.Acceptance, fence: int, text: str, *, seq: int = 1) -> bool:
    owner_id = Turn.objects.get(id=accepted.turn_id).owner_id
    return answering.sentence_add(turn_id=accepted.turn_id, owner_id=owner_id, fence=fence, seq=seq, text=text)


def answer(accepted: services.Acceptance, *sentences: str) -> uuid.UUID | None:
    turn = answering.turn_claim(accepted.turn_id, now=clock.now())
    assert turn is not None
    for seq, sentence in enumerate(sentences, start=1):
        assert say(accepted, turn.fence, sentence, seq=seq)
    return answering.turn_finish(
        turn=turn,
        finish=Finish.COMPLETE,
        engine="scripted",
        trace={},
        timings={},
        learn=False,
    )


def test_a_message_is_stored_with_its_turn_and_reads_back(maya: User) -> None:
    accepted = accept(maya)
    assert accepted.new
    answer(accepted, "Bento is a great name.", "Why that one?")
    page = selectors.conversation_messages(selectors.conversation_of(maya, accepted.conversation_id))
    assert [(m.author, m.text) for m in page] == [
        ("user", "my dog is called Bento"),
        ("companion", "Bento is a great name. Why that one?"),
    ]


def test_a_double_send_gets_the_first_answer(maya: User) -> None:
    client_id = uuid.uuid4()
    first, second = accept(maya, client_id=client_id), accept(maya, "other words", client_id)
    assert (second.message_id, second.turn_id, second.new) == (first.message_id, first.turn_id, False)
    assert Message.objects.count() == 1


def test_the_same_client_id_of_another_person_is_another_message(maya: User, leo: User) -> None:
    client_id = uuid.uuid4()
    assert accept(maya, client_id=client_id).message_id != accept(leo, client_id=client_id).message_id


def test_nobody_else_opens_a_conversation(maya: User, leo: User, ana: User, stranger: User) -> None:
    accepted = accept(maya)
    for other in (leo, ana, stranger):
        with pytest.raises(gate.Refused):
            selectors.conversation_of(other, accepted.conversation_id)
        with pytest.raises(gate.Refused):
            services.conversation_open(person=other, conversation_id=accepted.conversation_id)
        with pytest.raises(gate.Refused):
            services.turn_stop(person=other, turn_id=accepted.turn_id)
        with pytest.raises(gate.Refused):
            services.message_edit(person=other, message_id=accepted.message_id, text="mine now")
        assert selectors.messages_search(other, "bento") == []


def test_only_one_holds_the_lease_and_a_late_writer_is_fenced_off(maya: User) -> None:
    accepted = accept(maya)
    now = clock.now()
    first = answering.turn_claim(accepted.turn_id, now=now)
    assert first is not None
    assert answering.turn_claim(accepted.turn_id, now=now + timedelta(seconds=14)) is None
    second = answering.turn_claim(accepted.turn_id, now=now + timedelta(seconds=16))
    assert second is not None
    assert second.fence == first.fence + 1
    with pytest.raises(answering.LeaseLost):
        say(accepted, first.fence, "too late")
    with pytest.raises(answering.LeaseLost):
        answering.turn_renew(accepted.turn_id, first.fence, now=now)
    assert say(accepted, second.fence, "in time")
    assert [sentence.text for sentence in Sentence.objects.all()] == ["in time"]


def test_turns_of_a_conversation_are_answered_in_order(maya: User) -> None:
    first, second = accept(maya, "one"), accept(maya, "two")
    assert answering.turn_claim(second.turn_id, now=clock.now()) is None
    answer(first, "ok")
    assert answering.turn_claim(second.turn_id, now=clock.now()) is not None


def test_a_released_turn_is_free_at_once(maya: User) -> None:
    accepted = accept(maya)
    turn = answering.turn_claim(accepted.turn_id, now=clock.now())
    assert turn is not None
    answering.turn_release(accepted.turn_id, turn.fence)
    again = answering.turn_claim(accepted.turn_id, now=clock.now())
    assert again is not None
    assert again.fence == turn.fence + 1


def test_stop_is_heard_at_the_next_sentence(maya: User) -> None:
    accepted = accept(maya)
    turn = answering.turn_claim(accepted.turn_id, now=clock.now())
    assert turn is not None
    assert not answering.turn_renew(accepted.turn_id, turn.fence, now=clock.now())
    assert say(accepted, turn.fence, "Before the tap.")
    services.turn_stop(person=maya, turn_id=accepted.turn_id)
    assert answering.turn_renew(accepted.turn_id, turn.fence, now=clock.now())
    assert not say(accepted, turn.fence, "After the tap.", seq=2)
    assert [sentence.text for sentence in Sentence.objects.all()] == ["Before the tap."]


def test_again_replaces_the_reply_of_the_last_turn_only(maya: User) -> None:
    first = accept(maya, "one")
    with pytest.raises(services.NotPossible):
        services.turn_again(person=maya, turn_id=first.turn_id)
    answer(first, "first answer")
    again = services.turn_again(person=maya, turn_id=first.turn_id)
    answer(again, "second answer")
    page = selectors.conversation_messages(selectors.conversation_of(maya, first.conversation_id))
    assert [m.text for m in page] == ["one", "second answer"]
    with pytest.raises(services.NotPossible):
        services.turn_again(person=maya, turn_id=first.turn_id)


def test_only_the_last_own_message_can_be_corrected(maya: User) -> None:
    first = accept(maya, "one")
    answer(first, "ok")
    second = accept(maya, "tow")
    with pytest.raises(services.NotPossible):
        services.message_edit(person=maya, message_id=second.message_id, text="two")
    answer(second, "tow?")
    with pytest.raises(services.NotPossible):
        services.message_edit(person=maya, message_id=first.message_id, text="uno")
    answer(services.message_edit(person=maya, message_id=second.message_id, text="two"), "two!")
    page = selectors.conversation_messages(selectors.conversation_of(maya, first.conversation_id))
    assert [m.text for m in page] == ["one", "ok", "two", "two!"]


def test_a_reaction_stands_on_replies_only_and_can_be_taken_back(maya: User, leo: User) -> None:
    accepted = accept(maya)
    reply = answer(accepted, "Bento!")
    assert reply is not None
    services.message_react(person=maya, message_id=reply, emoji="👍")
    services.message_react(person=maya, message_id=reply, emoji="😂")
    conversation = selectors.conversation_of(maya, accepted.conversation_id)
    assert selectors.conversation_messages(conversation)[-1].reactions == ["😂"]
    services.message_react(person=maya, message_id=reply, emoji="")
    assert selectors.conversation_messages(conversation)[-1].reactions == []
    with pytest.raises(services.NotPossible):
        services.message_react(person=maya, message_id=accepted.message_id, emoji="👍")
    with pytest.raises(gate.Refused):
        services.message_react(person=leo, message_id=reply, emoji="👍")


def test_search_finds_words_in_any_case_and_accent(maya: User) -> None:
    accept(maya, "A Júlia vai à PRAIA")
    assert [m.body for m in selectors.messages_search(maya, "julia praia")] == ["A Júlia vai à PRAIA"]
    assert selectors.messages_search(maya, "julia neve") == []
    assert selectors.messages_search(maya, "  ") == []


def test_a_pause_begins_a_new_conversation(maya: User) -> None:
    first = services.conversation_open(person=maya)
    assert services.conversation_open(person=maya).id == first.id
    clock.move_to(clock.now() + timedelta(minutes=31))
    assert services.conversation_open(person=maya).id != first.id


def test_messages_older_than_the_house_keeps_are_deleted(maya: User) -> None:
    answer(accept(maya, "old"), "ok")
    clock.move_to(clock.now() + timedelta(days=31))
    accept(maya, "new")
    assert services.messages_expire(days=30) == 2
    assert [m.body for m in Message.objects.all()] == ["new"]
    assert Turn.objects.filter(state=TurnState.DONE).count() == 0


@pytest.mark.django_db(transaction=True)
def test_no_word_that_was_typed_is_in_the_database(maya: User) -> None:
    answer(accept(maya, "zanzibarquokka is my secret word"), "quokkazanzibar is a fine reply")
    content = stored_bytes().lower()
    assert b"maya" in content
    for word in (b"zanzibarquokka", b"quokkazanzibar", b"secret word", "zanzibarquokka".encode("utf-16-le")):
        assert word not in content
