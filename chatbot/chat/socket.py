"""The socket: translates frames to services and rows to frames. A turn never waits in here.

What a turn says stands in rows. A follower sends what is new, woken by an event, and looks every 300 ms while a turn is
open, so that two tabs, a reconnect and a second process all see the same by one way.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import SESSION_KEY, get_user
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.models import User
from chatbot.chat import frames, live, selectors, services, talk
from chatbot.chat.follow import Follower
from chatbot.chat.notices import break_notice, crisis_notice, disclosure, refusal_notice
from chatbot.chat.report import message_report
from chatbot.core import clock
from chatbot.core.database import in_database
from companion.profile.services import companion_for

HELLO_S = 5.0
BAD_FRAMES = 3
BURST, BURST_S = 60, 10.0

BAD, SIGNED_OUT, NOT_ALLOWED, NO_HELLO, WRONG_VERSION, TOO_LARGE, TOO_FAST = 4400, 4401, 4403, 4408, 4409, 4413, 4429
TEXT_CODES = {4413: "too_large"}


class ChatSocket(AsyncWebsocketConsumer):
    """One browser tab (or another client) in one conversation."""

    person: User | None = None
    conversation_id: uuid.UUID | None = None
    _known: uuid.UUID

    async def connect(self) -> None:
        self._bad = 0
        self._times: list[float] = []
        self._follower: Follower | None = None
        self._hello: asyncio.Task[None] | None = None
        offered = self.scope.get("subprotocols", [])
        # A close before accepting reaches the browser as 1006: accept with what was offered, then close.
        await self.accept(frames.SUBPROTOCOL if frames.SUBPROTOCOL in offered else next(iter(offered), None))
        if frames.SUBPROTOCOL not in offered:
            await self.close(WRONG_VERSION)
            return
        user = self.scope.get("user")
        if not isinstance(user, User):
            await self.close(SIGNED_OUT)
            return
        self.person = user
        self._hello = asyncio.create_task(self._expect_hello())

    async def _expect_hello(self) -> None:
        await asyncio.sleep(HELLO_S)
        if self.conversation_id is None:
            await self.close(NO_HELLO)

    async def disconnect(self, code: int) -> None:
        if self._hello is not None:
            self._hello.cancel()
        if self._follower is not None:
            await self._follower.close()
        if self.conversation_id is not None and self.person is not None:
            await self.channel_layer.group_discard(live.conversation_group(self.conversation_id), self.channel_name)
            await self.channel_layer.group_discard(live.person_group(self.person.id), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.person is None:
            return
        if text_data is None:
            await self._bad_frame(frames.BadFrame("bad_frame", "", "Frames are text, not bytes."))
            return
        if len(text_data.encode("utf-8", "surrogatepass")) > frames.FRAME_BYTES:
            await self.close(TOO_LARGE)
            return
        with translation.override(self.person.language.lower()):
            try:
                frame = frames.frame_read(text_data)
            except frames.BadFrame as error:
                await self._bad_frame(error)
                return
            await self._frame(frame)

    async def _bad_frame(self, error: frames.BadFrame) -> None:
        await self.push(frames.ErrorFrame(code=error.code, message=error.sentence))
        if error.code in ("empty", "too_long"):  # a person's slip, not a broken client
            return
        self._bad += 1
        if self._bad >= BAD_FRAMES:
            await self.close(BAD)

    async def _frame(self, frame: frames.ClientFrame) -> None:
        if not await self._signed_in():
            await self.close(SIGNED_OUT)
            return
        if isinstance(frame, frames.Hello):
            await self._on_hello(frame)
            return
        if self.conversation_id is None:
            await self._bad_frame(frames.BadFrame("no_hello", "type", "The first frame is hello."))
            return
        self._bad = 0
        if isinstance(frame, frames.Say):
            await self._on_say(frame)
            return
        if self._too_many():
            await self.close(TOO_FAST)
            return
        try:
            await self._on_other(frame)
        except gate.Refused as refusal:
            await self.push(frames.ErrorFrame(code=refusal.code, message=refusal.sentence()))
        except services.NotPossible:
            await self.push(
                frames.ErrorFrame(code="not_possible", message=_("That can't be done with this one any more."))
            )

    async def _signed_in(self) -> bool:
        """A socket outlives its session: look before each frame."""
        return await in_database(self._signed_in_now)

    def _signed_in_now(self) -> bool:
        session = self.scope.get("session")
        if session is None:
            return False
        fresh = type(session._wrapped if hasattr(session, "_wrapped") else session)(session.session_key)
        if SESSION_KEY not in fresh:
            return False
        request = HttpRequest()
        request.session = fresh
        user = get_user(request)
        if not isinstance(user, User) or self.person is None or user.id != self.person.id:
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
            await self.close(NOT_ALLOWED)
            return
        except gate.Refused as refusal:
            await self.push(refusal_notice(refusal))
            await self.close(NOT_ALLOWED)
            return
        self.conversation_id = ready.conversation
        if self.person is None:
            return
        await self.channel_layer.group_add(live.conversation_group(ready.conversation), self.channel_name)
        await self.channel_layer.group_add(live.person_group(self.person.id), self.channel_name)
        await self.push(ready)
        closed = await in_database(self._refusal)
        if closed is not None:
            with translation.override(self.person.language.lower()):
                await self.push(break_notice() if isinstance(closed, gate.BreakOpen) else refusal_notice(closed))
        seen = (frame.seen.turn, frame.seen.seq) if frame.seen else None
        self._follower = Follower(ready.conversation, self.push, after=self._known, seen=seen)

    def _open(self, conversation_id: uuid.UUID | None) -> frames.Ready:
        person = self.person
        if person is None:
            raise gate.SignedOut
        gate.may_enter(person, now=clock.now())
        conversation = services.conversation_open(person=person, conversation_id=conversation_id)
        # Before the page of messages is read: a turn that ends in between is sent once more rather than never.
        self._known = selectors.turn_newest(conversation.id) or conversation.id
        companion = companion_for(person.id)
        turns = selectors.turns_open(conversation.id)
        try:
            left = gate.may_talk(person, now=clock.now()).minutes_left
        except gate.Refused:
            left = None
        return frames.Ready(
            conversation=conversation.id,
            messages=selectors.conversation_messages(conversation),
            companion=frames.CompanionView(
                name=companion.name, colour=companion.colour, mood=companion.mood, ai_label=_("AI")
            ),
            limits=frames.LimitsView(max_chars=frames.MESSAGE_CHARS, minutes_left=left),
            disclosure=disclosure(person.region),
            turn=frames.OpenTurn(turn=turns[0], seq=0) if turns else None,
        )

    def _refusal(self) -> gate.Refused | None:
        if self.person is None:
            return None
        try:
            gate.may_talk(self.person, now=clock.now())
        except gate.Refused as refusal:
            return refusal
        return None

    async def _on_say(self, frame: frames.Say) -> None:
        if self.person is None or self.conversation_id is None:
            return
        try:
            taken = await talk.message_take(
                person=self.person, conversation_id=self.conversation_id, client_id=frame.client_id, text=frame.text
            )
        except talk.TooFast as refusal:
            await self.push(
                frames.ErrorFrame(code=refusal.code, message=refusal.sentence(), retry_after=refusal.wait_s)
            )
        except talk.NotStored:
            sentence = _(
                "I can't save messages right now, so nothing was sent. It's still in your box; try in a minute."
            )
            await self.push(frames.ErrorFrame(code="not_stored", message=sentence, retry_after=30))
        except gate.Refused as refusal:
            await self.push(break_notice() if isinstance(refusal, gate.BreakOpen) else refusal_notice(refusal))
        else:
            await self._taken(frame, taken)

    async def _taken(self, frame: frames.Say, taken: talk.Taken) -> None:
        if taken.danger is not None:
            await self.push(crisis_notice(taken.danger))
        if taken.acceptance is None:
            return
        accepted = taken.acceptance
        await self.push(frames.Accepted(client_id=frame.client_id, message=accepted.message_id, turn=accepted.turn_id))
        self._begin(accepted)
        if taken.break_due:
            await self.push(break_notice())

    def _begin(self, accepted: services.Acceptance) -> None:
        if self._follower is not None:
            self._follower.expect(accepted.turn_id)
        talk.turn_start(accepted.turn_id)

    async def _on_other(self, frame: frames.ClientFrame) -> None:
        person = self.person
        if person is None:
            return
        match frame:
            case frames.Stop():
                await live.wake(await in_database(services.turn_stop, person=person, turn_id=frame.turn))
            case frames.Again():
                self._begin(await in_database(services.turn_again, person=person, turn_id=frame.turn))
            case frames.Edit():
                await self._on_edit(person, frame)
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

    async def _on_edit(self, person: User, frame: frames.Edit) -> None:
        edited = await talk.message_correct(person=person, message_id=frame.message, text=frame.text)
        self._begin(edited)

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
        if not await self._signed_in():
            await self.close(SIGNED_OUT)

    async def push(self, frame: frames.ServerFrame) -> None:
        """Send one frame; a socket that is gone is no error, the rows stay."""
        with contextlib.suppress(RuntimeError, ConnectionError):
            await self.send(text_data=frame.model_dump_json())
