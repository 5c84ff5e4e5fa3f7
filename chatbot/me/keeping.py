"""Whether a person's own words may be kept as a memory: the mind's rules and the safety layer's, put together (6.5)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from chatbot.accounts import gate
from chatbot.accounts.adapter import sign_out_tell
from chatbot.accounts.erasure import age_doubted
from chatbot.accounts.guardianship import is_guarded
from chatbot.accounts.models import User
from chatbot.chat.material import language_of
from chatbot.core import clock
from companion.memory import services as memory
from companion.memory.kept import MOST
from moderation import crisis, screen
from moderation.crisis import CrisisAnswer
from moderation.incidents import services as incidents
from moderation.types import Screening, WatchState


class NotKept(Exception):
    """Nothing was changed. `sentence` says why; `answer` is the written one where the words speak of danger."""

    def __init__(self, sentence: str, answer: CrisisAnswer | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.answer = answer


# Why somebody's own words are not kept, as a sentence.
NOT_KEPT: dict[str, Callable[[], str]] = {
    "not_kept": lambda: _("I don't keep things like that, on purpose."),
    "personal": lambda: _("Addresses, numbers, links and user names aren't kept, on purpose."),
    "private": lambda: _("Health, faith, love, places, passwords and the like aren't kept, on purpose."),
    "planted": lambda: _("That reads like an order to me, not like something about you."),
    "newer": lambda: _("You told me something newer since then."),
    "full": lambda: _("There's no more room: at most %(most)d things are kept.") % {"most": MOST},
}


@dataclass(frozen=True)
class Looked:
    """What the safety layer says of words that their owner would have kept. refused: a key of NOT_KEPT, or empty."""

    screening: Screening
    refused: str

    @property
    def danger(self) -> bool:
        """Whether people's own words answer it."""
        return self.screening.decision.playbook is not None


def looked_at(person: User, words: str, *, now: datetime, watch: WatchState | None = None) -> Looked:
    """Screen them. Without a watch they are looked at by themselves, as if nothing had been said before."""
    screening = screen.check_message(
        words, band=gate.band_of(person, now), language=language_of(person), watch=watch or WatchState(), now=now
    )
    if screening.decision.playbook is not None or screening.decision.action != "allow":
        return Looked(screening, "not_kept")
    return Looked(screening, "personal" if screening.spans else "")


def correction_keep(person: User, memory_id: uuid.UUID, value: str) -> None:
    """Screen the words, then keep them. Danger comes first, before any rule about what may be kept.

    Raises NotKept, gate.Refused (memory is off or frozen), memory.MemoryNotFound.
    """
    if len(value) > memory.LONGEST_CORRECTION:
        raise NotKept(unchanged(_("That's too long to keep. A few words will do.")))
    now = clock.now()
    watch = incidents.watch_load(person.id)
    look = looked_at(person, value, now=now, watch=watch)
    if look.danger:
        raise NotKept(unchanged(NOT_KEPT["not_kept"]()), answered(person, look.screening, watch))
    gate.may_keep(person, now=now)
    if look.refused:
        raise NotKept(unchanged(NOT_KEPT[look.refused]()))
    try:
        memory.memory_correct(owner_id=person.id, memory_id=memory_id, value=value, language=language_of(person))
    except memory.NeverKept as refusal:
        raise NotKept(unchanged(NOT_KEPT[refusal.reason]())) from None
    except memory.BadCorrection:
        raise NotKept(_("There has to be something in the box. To remove it, use Forget.")) from None


def unchanged(sentence: str) -> str:
    """The sentence, and that all is as it was."""
    return " ".join((sentence, _("Nothing was changed.")))


def answered(person: User, screening: Screening, before: WatchState) -> CrisisAnswer:
    """The written words for it, and what else a message of that kind leaves behind."""
    decision = screening.decision
    answer = crisis.answer(
        decision,
        screening.watch,
        text="",
        language=language_of(person),
        country=person.country,
        band=gate.band_of(person, clock.now()),
        guarded=is_guarded(person.id),
        now=clock.now(),
        production=not settings.DEBUG,
    )
    incidents.watch_store(person.id, answer.watch, before=before)
    if answer.card is not None:
        incidents.referral_count(
            region=person.region or person.country,
            category=decision.categories[0] if decision.categories else "",
            band=gate.band_of(person, clock.now()),
        )
    if decision.incident:
        incidents.incident_file(
            person_id=person.id, conversation_id=None, turn_id=None, decision=decision, excerpt=None, kind="message"
        )
    if "under_13" in decision.categories and age_doubted(person.id):
        sign_out_tell(person.id)
    return answer
