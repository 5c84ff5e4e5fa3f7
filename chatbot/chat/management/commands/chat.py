"""`manage.py chat`: the companion in a terminal, through the whole turn."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.accounts.models import User
from chatbot.chat import engine, guard
from chatbot.chat.terminal import BadLine, Newcomer, Terminal, memory_row, newcomer_make, throw_away_database
from chatbot.core import logging
from chatbot.core.audit import audit_record
from chatbot.core.encoder import encoder_close
from companion.memory.services import memory_list
from moderation.incidents.services import helplines_refresh

HELP = "/new starts a new conversation, /memory shows what is remembered, /off goes off the record or back, /quit ends."
OFF = "Off the record. Not remembered. Still checked for danger."


class Command(BaseCommand):
    help = "Talk with the companion here. --fresh: as a new throw-away person. --jsonl: one JSON object a line."
    _off_record = False

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--as", dest="username", help="talk as this person")
        who.add_argument("--fresh", action="store_true", help="talk as a new throw-away person; nothing is left behind")
        parser.add_argument("--band", choices=["13-15", "16-17", "18+"], default="13-15")
        parser.add_argument("--lang", choices=["en", "pt-BR", "es", "fr"], default="en")
        parser.add_argument("--country", default="US-CA")
        parser.add_argument("--gates", action="store_true", help="quiet hours, limits and breaks hold for --fresh too")
        parser.add_argument("--reason", help="outside DEBUG, why you talk as somebody; they see it")
        parser.add_argument("--jsonl", action="store_true")

    def handle(self, *args: Any, username: str | None, jsonl: bool, **options: Any) -> None:
        logging.configure(to_stderr=True)
        with ExitStack() as stack:
            newcomer = Newcomer(options["band"], options["lang"], options["country"])
            if username is None:
                stack.enter_context(throw_away_database())
                person = newcomer_make(newcomer, gates=options["gates"])
            else:
                person = self._person(username, options["reason"])
                helplines_refresh()
            terminal = Terminal(newcomer, person, gates=options["gates"])
            try:
                failed = asyncio.run(self._jsonl(terminal) if jsonl else self._talk(terminal))
            finally:
                encoder_close()
        if failed:
            sys.exit(1)

    def _person(self, username: str, reason: str | None) -> User:
        person = User.objects.filter(username__iexact=username).first()
        if person is None:
            raise CommandError(f"Nobody here is called {username}. Check the spelling.")
        if not settings.DEBUG:
            if not reason:
                raise CommandError("Outside DEBUG, say why with --reason; the person sees it.")
            audit_record(actor="operator", subject=person.id, action="talked_as", detail={"reason": reason})
        return person

    async def _jsonl(self, terminal: Terminal) -> bool:
        bad = False
        for number, line in enumerate(sys.stdin, start=1):
            if not line.strip():
                continue
            try:
                answer: object = await terminal.line(line)
            except BadLine as error:
                bad, answer = True, {"error": str(error), "line": number}
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            self.stdout.flush()
        await engine.engines_close()
        await guard.guard_close()
        return bad

    async def _talk(self, terminal: Terminal) -> bool:
        self.stdout.write(f"You're talking with an AI. {HELP}")
        while True:
            try:
                text = (await asyncio.to_thread(input, "> ")).strip()
            except (EOFError, KeyboardInterrupt):
                break
            if text == "/quit":
                break
            await self._one(terminal, text)
        await engine.engines_close()
        await guard.guard_close()
        return False

    async def _one(self, terminal: Terminal, text: str) -> None:
        if text == "/new":
            terminal.session += 1
        elif text == "/memory":
            views = await asyncio.to_thread(memory_list, owner_id=terminal.person.id, language="en")
            for view in views:
                self.stdout.write(f"  {memory_row(view)['text']}")
        elif text == "/off":
            self._off_record = not self._off_record
            self.stdout.write(OFF if self._off_record else "On the record again.")
        elif text in ("/help", ""):
            self.stdout.write(HELP)
        else:
            try:
                answer = await terminal.say(text, off_record=self._off_record)
                self.stdout.write(answer["reply"] or f"({', '.join(answer['notices']) or answer['finish']})")
            except BadLine as error:
                self.stdout.write(str(error))
