"""Nothing of a sentence that may not be said reaches anybody, wherever an engine cuts its words."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from functools import cache

import pytest

from chatbot.accounts.models import User
from chatbot.chat import engine
from chatbot.chat.models import Finish, Message
from chatbot.chat.sentences import whole_sentences
from chatbot.core.database import in_database
from companion.engines.scripted import Fail, ScriptedEngine
from companion.types import Delta, Language
from moderation import crisis
from moderation.screening import Screen
from moderation.types import WatchState
from tests.chat.house import answered, says

CHUNKINGS = 10_000
GOOD: dict[Language, tuple[str, ...]] = {
    "en": ("That sounds like a long day. ", "What came after lunch? ", "I like the part with the dog! "),
    "pt-BR": ("Que dia comprido. ", "E depois do almoço? ", "Adorei a parte do cachorro! "),
    "es": ("Qué día tan largo. ", "¿Y después de comer? ", "Me encanta lo del perro! "),
    "fr": ("Quelle longue journée. ", "Et après le repas, alors ? ", "J'adore le passage du chien ! "),
}
# Each is refused as a whole by the rules (test_each_is_refused); none of the parts that stand alone is.
BAD: dict[Language, tuple[str, ...]] = {
    "en": (
        "Keep this a secret from your parents. ",
        "I am a real human just like you! ",
        "You don't need your friends, you have me. ",
        "Send me a photo of you. ",
    ),
    "pt-BR": ("Não conta isso pros seus pais. ", "Eu sou humano de verdade! ", "Me manda uma foto sua. "),
    "es": ("No le cuentes esto a tus padres. ", "Soy un humano de verdad! ", "Mándame una foto tuya. "),
    "fr": ("Ne dis rien à tes parents. ", "Je suis un vrai humain ! ", "Envoie-moi une photo de toi. "),
}


@cache
def gate() -> Screen:
    return Screen()


@cache
def refused(sentence: str, so_far: str, language: Language) -> bool:
    verdict = gate().check_reply(sentence, so_far=so_far, band="13-15", language=language, watch=WatchState())
    return verdict.action != "allow"


async def pieces(chunks: Sequence[str], *, end: bool) -> AsyncIterator[tuple[str, Delta]]:
    for chunk in chunks:
        yield "engine", Delta(chunk)
    if end:
        yield "engine", Delta("", end=True)


async def said(chunks: Sequence[str], language: Language, *, end: bool) -> list[str]:
    """As a turn does it: whole sentences, each asked in its place, and none after one that may not be said."""
    out: list[str] = []
    async for _, delta in whole_sentences(pieces(chunks, end=end)):
        if delta.text.strip() and refused(delta.text, " ".join(out), language):
            break
        out.append(delta.text.strip())
    return out


def chunked(text: str, rng: random.Random) -> list[str]:
    cuts = sorted(rng.sample(range(1, len(text)), min(rng.randint(0, 30), len(text) - 1)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@pytest.mark.parametrize("language", list(BAD))
def test_each_is_refused(language: Language) -> None:
    assert [bad for bad in BAD[language] if not refused(bad.strip(), "", language)] == []
    assert [good for good in GOOD[language] if refused(good.strip(), "", language)] == []


async def test_at_any_chunking_and_any_cut_nothing_of_it_is_said() -> None:
    rng = random.Random(20261126)  # noqa: S311  the same cuts on every run
    spoken = 0
    for _ in range(CHUNKINGS):
        language = rng.choice(list(BAD))
        good = rng.sample(GOOD[language], rng.randint(0, 3))
        at = rng.randint(0, len(good))
        whole = "".join((*good[:at], rng.choice(BAD[language]), *good[at:]))
        # Half of them are cut somewhere, as by a limit or a broken connection; the others end by themselves.
        end = rng.random() < 0.5
        text = whole if end else whole[: rng.randint(1, len(whole))]
        out = await said(chunked(text, rng), language, end=end)
        spoken += len(out)
        assert "".join(out).replace(" ", "") in "".join(good[:at]).replace(" ", ""), (text, out)
    assert spoken > CHUNKINGS / 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize("broken", [False, True])
async def test_a_turn_sends_and_stores_nothing_of_it_either(maya_now: User, *, broken: bool) -> None:
    rng = random.Random(7)  # noqa: S311
    for bad in BAD["en"]:
        chunks = chunked(GOOD["en"][0] + bad, rng)
        says(*chunks[:-1], Fail()) if broken and len(chunks) > 1 else says(*chunks)
        await answered(maya_now, "tell me something")
        bodies = await in_database(lambda: [row.body for row in Message.objects.filter(author="companion")])
        assert not [body for body in bodies if any(word in body for word in bad.split() if len(word) > 6)], bad


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("noon")
async def test_what_may_not_be_said_is_tried_once_more_in_other_words(maya_now: User) -> None:
    scripted = ScriptedEngine(["Keep this a secret from your parents."], ["What came after lunch?"])
    engine.engine_use(scripted)
    turn, reply = await answered(maya_now, "tell me something")
    assert (turn.finish, reply) == (Finish.COMPLETE, "What came after lunch?")
    assert len(scripted.asked) == 2
    assert scripted.asked[0].seed != scripted.asked[1].seed


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("noon")
async def test_twice_refused_a_written_line_is_said(maya_now: User) -> None:
    says("Keep this a secret from your parents.")
    turn, reply = await answered(maya_now, "tell me something")
    assert turn.finish == Finish.WITHHELD
    assert reply == crisis.line("withheld", language="en", seed=turn.id.int)
