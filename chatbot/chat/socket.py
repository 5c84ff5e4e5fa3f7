"""The socket: translates frames to services and rows to frames. A turn never waits in here.

What a turn says stands in rows. A follower sends what is new, woken by an event, and looks every 300 ms while a turn is
open, so that two tabs, a reconnect and a second process all see the same by one way.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.models import User
from chatbot.chat import dangers, frames, live, services, talk
from chatbot.chat.follow import Follower
from chatbot.chat.limits import closed_notice, closed_now
from chatbot.chat.notices import break_notice, crisis_notice, not_stored, refusal_notice
from chatbot.chat.opening import conversation_ready
from chatbot.chat.report import message_report
from chatbot.chat.sign_in import BySession, SignIn, TicketRefused, by_ticket
from chatbot.core import metrics
from chatbot.core.crypto import CryptoError
from chatbot.core.database import in_database
from chatbot.core.keys import KeyMissing, key_missing

log = structlog.get_logger()
HELLO_S = 5.0
BAD_FRAMES = 3
BURST, BURST_S = 60, 10.0
LIMITS_S = 20.0

BAD, SIGNED_OUT, NOT_ALLOWED, NO_HELLO, WRONG_VERSION, TOO_LARGE, TOO_FAST = 4400, 4401, 4403, 4408, 4409, 4413, 4429
# The reason that goes with a close code: at most 123 bytes.
REASONS = {
    BAD: gettext_noop("Three frames in a row couldn't be read. Look at the protocol, then connect again."),
    SIGNED_OUT: gettext_noop("You're signed out. Sign in again to go on; your draft is kept here."),
    NOT_ALLOWED: gettext_noop("That isn't yours to open."),
    NO_HELLO: gettext_noop("There was no hello within 5 seconds. Connect again and send it first."),
    WRONG_VERSION: gettext_noop("This server speaks abraco.v1 and nothing else."),
    TOO_LARGE: gettext_noop("That's too long to send at once. Nothing was sent; make it shorter."),
    TOO_FAST: gettext_noop("That was quick! Give it a few seconds, then connect again."),
}


class ChatSocket(AsyncWebsocketConsumer):
    """One browser tab (or another client) in one conversation."""

    person: User | None = None
    conversation_id: uuid.UUID | None = None
    _known: uuid.UUID
    _missing: KeyMissing | None
    _sign_in: SignIn

    async def connect(self) -> None:
        self._bad = 0
        self._told: str | None = None
        self._limits: asyncio.Task[None] | None = None
        self._times: list[float] = []
        self._follower: Follower | None = None
        self._hello: asyncio.Task[None] | None = None
        offered = self.scope.get("subprotocols", [])
        # A close before accepting reaches the browser as 1006: accept with what was offered, then close.
        await self.accept(frames.SUBPROTOCOL if frames.SUBPROTOCOL in offered else next(iter(offered), None))
        metrics.SOCKETS.inc()
        if frames.SUBPROTOCOL not in offered:
            await self._leave(WRONG_VERSION)
            return
        user = self.scope.get("user")
        # Somebody signed out may still hold a ticket: what their first frame says decides.
        self.person = user if isinstance(user, User) else None
        self._sign_in = BySession(self.scope.get("session"))
        self._hello = asyncio.create_task(self._expect_hello())

    async def _expect_hello(self) -> None:
        await asyncio.sleep(HELLO_S)
        if self.conversation_id is None:
            await self._leave(NO_HELLO)

    async def _leave(self, code: int, sentence: str = "") -> None:
        """Close, with a sentence that says why."""
        with self._in_language():
            reason = (sentence or _(REASONS[code])).encode("utf-8")[:123].decode("utf-8", "ignore")
        await self.close(code, reason)

    def _in_language(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext() if self.person is None else translation.override(self.person.language.lower())

    async def disconnect(self, code: int) -> None:
        metrics.SOCKETS.dec()
        for task in (self._hello, self._limits):
            if task is not None:
                task.cancel()
        if self._follower is not None:
            await self._follower.close()
        if self.conversation_id is not None and self.person is not None:
            await self.channel_layer.group_discard(live.conversation_group(self.conversation_id), self.channel_name)
            await self.channel_layer.group_discard(live.person_group(self.person.id), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None:
            await self._bad_frame(frames.BadFrame("bad_frame", "", "Frames are text, not bytes."))
            return
        if len(text_data.encode("utf-8", "surrogatepass")) > frames.FRAME_BYTES:
            await self._leave(TOO_LARGE)
            return
        with self._in_language():
            try:
                frame = frames.frame_read(text_data)
            except frames.BadFrame as error:
                await self._too_long(error, text_data)
                await self._bad_frame(error)
                return
            try:
                if await self._let_in(frame):
                    with self._in_language():
                        await self._frame(frame)
            except (DatabaseError, CryptoError) as error:
                log.error("database_away", error=type(error).__name__)
                await self._without_database(self.person, frame, error)

    async def _let_in(self, frame: frames.ClientFrame) -> bool:
        """Whether anybody sits here. DANGER: a ticket counts alone, whoever else's cookie came with the socket."""
        if isinstance(frame, frames.Hello) and frame.ticket is not None and self.conversation_id is None:
            self.person = None
            try:
                self._sign_in = await in_database(by_ticket, ticket=frame.ticket, site=frame.site, origin=frame.origin)
            except TicketRefused as refusal:
                await self._leave(NOT_ALLOWED if refusal.foreign else SIGNED_OUT, refusal.sentence)
                return False
            self.person = await in_database(self._sign_in.person_now)
        if self.person is None:
            await self._leave(SIGNED_OUT)
        return self.person is not None

    async def _too_long(self, error: frames.BadFrame, text_data: str) -> None:
        """A message that is too long to be kept is still heard: danger comes before every no."""
        person, text = self.person, frames.text_of(text_data) if error.code == "too_long" else ""
        if person and text and await asyncio.to_thread(dangers.danger_in, text, person) is not None:
            await self.push(crisis_notice(await dangers.danger_unkept(person, text)))

    async def _without_database(self, person: User | None, frame: frames.ClientFrame, cause: Exception) -> None:
        """Danger is answered from memory; everything else waits, and nothing is lost in the browser."""
        if person is not None and isinstance(frame, frames.Say | frames.Edit):
            danger = dangers.danger_in(frame.text, person)
            if danger is not None:
                answered = talk.message_without_database(person, frame.text, danger, cause=cause)
                if answered.danger is not None:
                    await self.push(crisis_notice(answered.danger))
                return
        await self.push(not_stored(cause))

    async def _bad_frame(self, error: frames.BadFrame) -> None:
        await self.push(frames.ErrorFrame(code=error.code, message=error.sentence))
        if error.code in ("empty", "too_long"):  # a person's slip, not a broken client
            return
        self._bad += 1
        if self._bad >= BAD_FRAMES:
            await self._leave(BAD)

    async def _frame(self, frame: frames.ClientFrame) -> None:
        if not await self._signed_in():
            await self._danger_before_leaving(frame)
            await self._leave(SIGNED_OUT)
            return
        if isinstance(frame, frames.Hello):
            await self._on_hello(frame)
            return
        if self.conversation_id is None:
            await self._danger_before_leaving(frame)  # a hello may have failed for want of what it opens
            await self._bad_frame(frames.BadFrame("no_hello", "type", "The first frame is hello."))
            return
        self._bad = 0
        if isinstance(frame, frames.Say | frames.Edit | frames.Again):
            await self._on_words(frame)
        elif not self._too_many():
            with self._refusals() as refused:
                await self._on_other(frame)
            await self._push_all(refused)
        elif not await in_database(self._in_crisis):  # until a crisis ends no socket closes for speed
            await self._leave(TOO_FAST)

    async def _danger_before_leaving(self, frame: frames.ClientFrame) -> None:
        """Somebody types where somebody else was signed in: danger gets its words and the card, nothing is kept."""
        if isinstance(frame, frames.Say | frames.Edit) and self.person is not None:
            answer = await asyncio.to_thread(dangers.danger_answer, self.person, frame.text)
            if answer is not None:
                await self.push(crisis_notice(answer))

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[list[frames.ServerFrame]]:
        """What to tell when the house says no to the block."""
        refused: list[frames.ServerFrame] = []
        try:
            yield refused
        except talk.TooFast as refusal:
            refused.append(frames.ErrorFrame(code=refusal.code, message=refusal.sentence(), retry_after=refusal.wait_s))
        except talk.NotStored as error:
            refused.append(not_stored(error.cause))
        except services.NotYours as refusal:
            refused.append(frames.ErrorFrame(code=refusal.code, message=refusal.sentence()))
        except gate.Refused as refusal:
            self._told = refusal.code
            refused.append(closed_notice(refusal))
        except services.NotPossible:
            refused.append(
                frames.ErrorFrame(code="not_possible", message=_("That can't be done with this one any more."))
            )

    async def _push_all(self, said: Iterable[frames.ServerFrame]) -> None:
        for frame in said:
            await self.push(frame)

    def _in_crisis(self) -> bool:
        return self.person is not None and dangers.crisis_of(self.person)

    async def _signed_in(self) -> bool:
        """A socket outlives its session: look before each frame."""
        return await in_database(self._signed_in_now)

    def _signed_in_now(self) -> bool:
        user = self._sign_in.person_now()
        if user is None or self.person is None or user.id != self.person.id:
            return False
        self.person = user
        return True

    def _too_many(self) -> bool:
        """A client that floods. Messages are not counted here: danger must never meet a closed socket."""
        now = time.monotonic()
        self._times = [at for at in self._times if now - at < BURST_S] + [now]
        return len(self._times) > BURST

    async def _on_hello(self, frame: frames.Hello) -> None:
        if self.conversation_id is not None:
            await self._bad_frame(frames.BadFrame("bad_frame", "type", "There was a hello already."))
            return
        try:
            ready = await in_database(self._open, frame.conversation)
        except services.NotYours:
            await self._leave(NOT_ALLOWED)
            return
        except gate.Refused as refusal:
            await self.push(refusal_notice(refusal))
            await self._leave(NOT_ALLOWED)
            return
        self.conversation_id = ready.conversation
        if self.person is None:
            return
        await self._join()
        await self.push(ready)
        await self._push_all([not_stored(self._missing)] if self._missing else [])
        await self._tell_limits(self.person)
        self._limits = asyncio.create_task(self._watch_limits(self.person))
        seen = (frame.seen.turn, frame.seen.seq) if frame.seen else None
        self._follower = Follower(ready.conversation, self.push, after=self._known, seen=seen)

    def _open(self, conversation_id: uuid.UUID | None) -> frames.Ready:
        if self.person is None:
            raise gate.SignedOut
        # Then the chat opens all the same: danger must be heard.
        self._missing = key_missing(self.person.id)
        ready, self._known = conversation_ready(self.person, conversation_id, readable=not self._missing)
        return ready

    async def _watch_limits(self, person: User) -> None:
        """Quiet hours begin, and minutes end, while nobody sends anything: the person is told all the same. And what
        an event was lost for: a sign-out elsewhere, a layer that was emptied."""
        while True:
            await asyncio.sleep(LIMITS_S)
            await self._join()
            with contextlib.suppress(DatabaseError, CryptoError):
                if not await self._signed_in():
                    await self._leave(SIGNED_OUT)
                    return
                await self._tell_limits(person)

    async def _join(self) -> None:
        """Be woken. Twice is harmless."""
        if self.conversation_id is not None and self.person is not None:
            await self.channel_layer.group_add(live.conversation_group(self.conversation_id), self.channel_name)
            await self.channel_layer.group_add(live.person_group(self.person.id), self.channel_name)

    async def _tell_limits(self, person: User) -> None:
        closed = await in_database(closed_now, person.id)
        code = None if closed is None else closed.code
        if closed is not None and code != self._told:
            with translation.override(person.language.lower()):
                await self.push(closed_notice(closed))
        self._told = code

    async def _on_words(self, frame: frames.Say | frames.Edit | frames.Again) -> None:
        """Whatever asks for an answer. None of these is counted as a flood: danger must never meet a closed socket."""
        person, conversation_id = self.person, self.conversation_id
        if person is None or conversation_id is None:
            return
        with self._refusals() as refused:
            match frame:
                case frames.Say():
                    taken = await talk.message_take(
                        person=person, conversation_id=conversation_id, client_id=frame.client_id, text=frame.text,
                        off_record=frame.off_record,
                    )  # fmt: skip
                case frames.Edit():
                    taken = await talk.message_correct(
                        person=person, message_id=frame.message, text=frame.text, off_record=frame.off_record
                    )
                case frames.Again():
                    taken = await talk.turn_repeat(person=person, turn_id=frame.turn)
            await self._taken(taken, frame.client_id if isinstance(frame, frames.Say) else None)
        await self._push_all(refused)

    async def _taken(self, taken: talk.Taken, client_id: uuid.UUID | None) -> None:
        if taken.danger is not None:
            await self.push(crisis_notice(taken.danger))
        accepted = taken.acceptance
        if accepted is None:
            return
        if client_id is not None:
            took = {"message": accepted.message_id, "turn": accepted.turn_id, "off_record": accepted.off_record}
            await self.push(frames.Accepted.model_validate({"client_id": client_id, **took}))
        if self._follower is not None:
            self._follower.expect(accepted.turn_id)
        talk.turn_start(accepted.turn_id)
        if taken.break_due:
            self._told = gate.BreakOpen.code
            await self.push(break_notice())

    async def _on_other(self, frame: frames.ClientFrame) -> None:
        person = self.person
        if person is None:
            return
        match frame:
            case frames.Stop():
                await talk.turn_stop(person=person, turn_id=frame.turn)
            case frames.React():
                await in_database(services.message_react, person=person, message_id=frame.message, emoji=frame.emoji)
            case frames.Report():
                await in_database(message_report, person=person, message_id=frame.message, reason=frame.reason)
                await self.push(
                    frames.Notice(
                        kind="safety_tip", title=_("Thanks for telling us"), body=_("A person will look at it.")
                    )
                )
            case frames.Ack():
                await in_database(self._acknowledge, frame.kind)
            case _:
                await self.push(frames.Pong())

    def _acknowledge(self, kind: str) -> None:
        if self.person is None:
            return
        if kind == "break":
            people.break_acknowledge(self.person)
        elif kind == "deal":
            people.deal_confirm(self.person)

    async def conversation_woke(self, event: dict[str, Any]) -> None:
        if self._follower is not None:
            self._follower.look()

    async def person_check(self, event: dict[str, Any]) -> None:
        with contextlib.suppress(DatabaseError):
            if not await self._signed_in() or self.person is None:
                await self._leave(SIGNED_OUT)
            elif self.person.locked_at is not None:  # R19: said at once; help stays here
                with self._in_language():
                    await self.push(refusal_notice(gate.Locked()))
            else:
                await self._tell_limits(self.person)

    async def push(self, frame: frames.ServerFrame) -> None:
        """Send one frame; a socket that is gone is no error, the rows stay."""
        with contextlib.suppress(RuntimeError, ConnectionError):
            await self.send(text_data=frame.model_dump_json())
