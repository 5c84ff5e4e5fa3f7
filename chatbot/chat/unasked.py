"""Memory that comes up by itself: a plan that is over is asked about, something of last time is come back to, a name or
a pet stands in a line. In one turn of four at most, whoever says it, and never in a hard moment.

A greeting, or a message with nothing in it, is answered by the line alone. Where something was told, the reply comes
first, and a line follows it only if neither asks anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from chatbot.chat import answering
from chatbot.chat.calm import is_calm
from chatbot.chat.material import Material
from chatbot.chat.models import Finish, Turn, TurnState
from chatbot.chat.reply import Reply
from chatbot.chat.saying import may_be_said_back, say_checked
from chatbot.chat.sentences import sentences_of
from chatbot.chat.summing import talks_sum_waiting
from chatbot.core import clock
from chatbot.core.database import in_database
from companion.memory.threads import Callback, callback_due, callback_take, moment_in
from companion.types import Delta, Language
from companion.words import feeling_of, weighs, words_of
from moderation.types import Screening

APART = 3  # turns between two that use memory unasked
LATELY = 3  # messages before this one that must not have weighed
LONGEST = 15  # words of a message after whose answer something else may be asked


async def called_back(reply: Reply, screening: Screening) -> Finish | None:
    """Answer with a line of memory's own, where that fits; None where it doesn't. What would fit behind the reply is
    kept for it, and so is whether memory may come up in it."""
    material = reply.material
    if not material.memory:
        return None
    found = await in_database(_found, reply, screening)
    reply.may_recall = found is not False
    if not isinstance(found, Callback):
        return None
    if moment_in(material.text, screening.language) == "after":
        reply.callback = found
        return None
    return Finish.COMPLETE if await _said(reply, screening, found) else None


async def called_back_after(reply: Reply, screening: Screening) -> None:
    """Ask it behind a reply that told something and asked nothing."""
    if reply.callback is not None and reply.pieces and not any("?" in piece for piece in reply.pieces):
        await _said(reply, screening, reply.callback)


def recalled_in(reply: Reply, said: str) -> None:
    """Note whether something of memory stands in what was said that the message did not name."""
    if any(_names(said, value) and not _names(reply.material.text, value) for value in _values(reply)):
        reply.unasked = True


async def _said(reply: Reply, screening: Screening, callback: Callback) -> bool:
    """Whether all of it was said. What may not be said is left out, and what was marked stays so."""
    if not await in_database(_take, reply, callback):
        return False
    if not await may_be_said_back(reply, (callback.theirs,), screening):
        return False
    reply.engine = reply.engine or answering.MEMORY
    for sentence in sentences_of(callback.text):
        if not await say_checked(reply, Delta(sentence), screening, written=True):
            return bool(reply.pieces)
        reply.unasked = True
    reply.trace["memories"] = [*reply.trace.get("memories", ()), str(callback.id)]
    reply.trace["spoken_of"] = [str(callback.of)]
    return True


def _take(reply: Reply, callback: Callback) -> bool:
    """Under the turn's fence. Raises answering.LeaseLost."""
    material = reply.material
    answering.turn_renew(material.turn_id, reply.fence, now=clock.now())
    return callback_take(owner_id=material.owner_id, callback=callback, at=clock.now())


def _found(reply: Reply, screening: Screening) -> Callback | bool:
    """What there is to come back to; else whether memory may come up by itself in this turn."""
    material = reply.material
    before = Turn.objects.filter(owner_id=material.owner_id, id__lt=material.turn_id, state=TurnState.DONE)
    if any(before.order_by("-id").values_list("unasked", flat=True)[:APART]):
        return False
    if not _fits(reply, screening):
        return True
    if moment_in(material.text, screening.language) != "after":
        talks_sum_waiting(material.owner_id, material.language)
    return callback_due(
        owner_id=material.owner_id, text=material.text, language=screening.language, seed=material.turn_id.int,
        at=material.local, lately=_lately(material),
    ) or True  # fmt: skip


def _fits(reply: Reply, screening: Screening) -> bool:
    """No hard moment, no game, no goodbye, nothing that is being told or asked."""
    material, decision = reply.material, screening.decision
    if material.off_record or decision.action != "allow" or decision.low or "farewell" in screening.signals:
        return False
    if any(row.active for row in reply.known.playing.values()) or not is_calm(screening.watch, clock.now()):
        return False
    said = (*_lately(material), material.text)
    if any(weighs(words_of(text, screening.language), screening.language) for text in said):
        return False
    return moment_in(material.text, screening.language) != "after" or _is_told(reply, screening.language)


def _lately(material: Material) -> list[str]:
    """What they said just before this message."""
    return [line.text for line in material.usable if line.who == "user"][-LATELY:]


def _is_told(reply: Reply, language: Language) -> bool:
    """A short thing that is told, is no answer and no question, and doesn't sound bad."""
    text, last = reply.material.text, reply.material.usable[-1:]
    asked = any("?" in line.text for line in last)
    words = words_of(text, language)
    return not asked and "?" not in text and len(words) <= LONGEST and feeling_of(words, language) >= 0


def _values(reply: Reply) -> Iterator[str]:
    """Names, and what they like, as memory has them for this turn."""
    if reply.known.name:
        yield reply.known.name
    for one in reply.known.recalled:
        if one.kind in ("name", "pet", "person", "like", "favourite"):
            yield from one.slots.values()


def _names(text: str, value: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", text.casefold()) is not None
