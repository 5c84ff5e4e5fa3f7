"""Reads the bank's files: about a millisecond a file, no other language touched."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import ValidationError

from companion.bank.book import Bank, BankError, BankLine, Exchange, bank_of
from companion.bank.form import ExchangeForm, FileForm, FollowForm, ReplyForm, file_parse, problem_words
from companion.bank.parsed import parsed_read, parsed_write
from companion.bank.slots import slots_in
from companion.types import LANGUAGES, About, Language, PersonaId

BANK_DIR = Path(__file__).parent


def _line(*, form: ReplyForm, line_id: str, persona: PersonaId | None) -> BankLine:
    return BankLine(
        id=line_id,
        persona=persona,
        text=form.text,
        tone=form.tone,
        moods=frozenset(form.mood),
        bands=frozenset(form.band),
        slots=slots_in(form.text),
        chips=form.chips,
    )


def _exchange(
    *,
    form: ExchangeForm | FollowForm,
    own_id: str,
    situation: str,
    persona: PersonaId | None,
    about: About | None = None,
) -> Exchange:
    return Exchange(
        id=own_id,
        persona=persona,
        situation=situation,
        said=form.said,
        replies=tuple(
            _line(form=reply, line_id=f"{own_id}/{n}", persona=persona) for n, reply in enumerate(form.replies)
        ),
        then=tuple(
            _exchange(form=follow, own_id=f"{own_id}/then{n}", situation=situation, persona=persona, about=about)
            for n, follow in enumerate(form.then)
        ),
        otherwise=tuple(
            _line(form=reply, line_id=f"{own_id}/otherwise/{n}", persona=persona)
            for n, reply in enumerate(form.otherwise)
        ),
        act=form.act if isinstance(form, ExchangeForm) else None,
        about=about,
        hears=form.hears if isinstance(form, ExchangeForm) else None,
    )


def exchanges_of(form: FileForm) -> tuple[Exchange, ...]:
    return tuple(
        _exchange(
            form=exchange,
            own_id=f"{form.situation}/{exchange.id}",
            situation=form.situation,
            persona=form.persona,
            about=form.about,
        )
        for exchange in form.exchanges
    )


def _files(language: Language, directory: Path | None) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(((directory or BANK_DIR) / language).glob("*.yaml")):
        yield path, path.read_bytes()


def bank_digest(language: Language, directory: Path | None = None) -> str:
    """Changes with any byte of the language's files; they are not parsed for it."""
    digest = hashlib.sha256()
    for path, content in _files(language, directory):
        digest.update(path.name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def bank_load(
    language: Language,
    directory: Path | None = None,
    *,
    left_out: list[str] | None = None,
    parsed_in: Path | None = None,
) -> Bank:
    """The bank of one language, from `directory` (which holds a folder per language) or from the product's own.
    A language without files gives an empty bank. Raises BankError that names the file; with `left_out`, a file that
    can't be read is left out, and why is put there. parsed_in: a folder that keeps the parsed files, since reading them
    anew takes most of a second."""
    digest = bank_digest(language, directory)
    forms = None if parsed_in is None else parsed_read(parsed_in, language, digest)
    if forms is None:
        forms, problems = _forms(language, directory, left_out)
        if parsed_in is not None and not problems:
            parsed_write(parsed_in, language, digest, forms)
    exchanges = tuple(exchange for form in forms for exchange in exchanges_of(form))
    return bank_of(language=language, exchanges=exchanges, digest=digest)


def _forms(
    language: Language, directory: Path | None, left_out: list[str] | None
) -> tuple[tuple[FileForm, ...], list[str]]:
    """And what was left out, if anything may be."""
    found, problems = [], []
    for path, content in _files(language, directory):
        try:
            found.append(_form(content, name=f"{language}/{path.name}"))
        except BankError as error:
            if left_out is None:
                raise
            problems.append(str(error))
    if left_out is not None:
        left_out += problems
    return tuple(found), problems


def _form(content: bytes, *, name: str) -> FileForm:
    try:
        return file_parse(content)
    except yaml.YAMLError as error:
        raise BankError(f"{name}: {error}") from error
    except ValidationError as error:
        raise BankError(f"{name}: {'; '.join(problem_words(error.errors()))}") from error


@functools.cache
def bank_for(language: Language) -> Bank:
    """The product's bank of a language, read once per process."""
    return bank_load(language)


def languages_written(directory: Path | None = None) -> tuple[Language, ...]:
    """Languages that have at least one file."""
    root = directory or BANK_DIR
    return tuple(language for language in LANGUAGES if any((root / language).glob("*.yaml")))
