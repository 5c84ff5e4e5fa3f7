"""Whether the person's own correction may be kept: the mind's rules and the safety layer's, put together (6.5)."""

from __future__ import annotations

import uuid

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


def correction_keep(person: User, memory_id: uuid.UUID, value: str) -> None:
    """Screen the words, then keep them. Danger comes first, before any rule about what may be kept.

    Raises NotKept, gate.Refused (memory is off or frozen), memory.MemoryNotFound.
    """
    if len(value) > memory.LONGEST_CORRECTION:
        raise NotKept(_("That's too long to keep. A few words will do; nothing was changed."))
    now = clock.now()
    watch = incidents.watch_load(person.id)
    screening = screen.check_message(
        value, band=gate.band_of(person, now), language=language_of(person), watch=watch, now=now
    )
    decision = screening.decision
    if decision.playbook is not None:
        raise NotKept(
            _("I don't keep things like that, on purpose. Nothing was changed."), _answered(person, screening, watch)
        )
    gate.may_keep(person, now=now)
    if decision.action != "allow":
        raise NotKept(_("I don't keep things like that, on purpose. Nothing was changed."))
    if screening.spans:
        raise NotKept(_("Addresses, numbers, links and user names aren't kept, on purpose. Nothing was changed."))
    try:
        memory.memory_correct(owner_id=person.id, memory_id=memory_id, value=value, language=language_of(person))
    except memory.NeverKept:
        raise NotKept(
            _("Health, faith, love, places, passwords and the like aren't kept, on purpose. Nothing was changed.")
        ) from None
    except memory.BadCorrection:
        raise NotKept(_("There has to be something in the box. To remove it, use Forget.")) from None


def _answered(person: User, screening: Screening, before: WatchState) -> CrisisAnswer:
    """The written words for it, and what else a message of that kind leaves behind."""
    decision = screening.decision
    answer = crisis.answer(
        decision,
        screening.watch,
        text="",
        language=language_of(person),
        country=person.country,
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
