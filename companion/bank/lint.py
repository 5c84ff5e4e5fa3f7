"""Checks the bank's files: `python -m companion.bank.lint [language ...]`. Exit status 1 if there is an error.

Errors stop the build. Warnings (-w prints them) are for the writer's ear.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml
from pydantic import ValidationError

from companion.bank.book import Exchange, opening
from companion.bank.form import ACTS, FileForm, file_parse, problem_words
from companion.bank.lint_lines import line_problems, said_problems
from companion.bank.lint_twins import twins
from companion.bank.load import BANK_DIR, exchanges_of
from companion.types import LANGUAGES, Language

# Without these the engine can't keep a promise: what it is, letting go, saying that it didn't follow.
NEEDED_ACTS = frozenset(
    {"are_you_real", "love_you", "farewell", "farewell_night", "not_understood", "not_understood_twice", "change_topic"}
)
# Found only where what fills their slot was told.
ACTS_WITH_SLOT = frozenset({"tells_name", "tells_pet", "tells_person", "knock_who", "sum"})
LINES_PER_SLOT = 15  # a slot in at most one reply of so many


@dataclass(frozen=True)
class Problem:
    """`hard` ones stop the build."""

    where: str
    what: str
    hard: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {'' if self.hard else '(warning) '}{self.what}"


@dataclass(frozen=True)
class Report:
    language: Language
    problems: tuple[Problem, ...]
    counts: dict[str, tuple[int, int, int]]  # situation -> exchanges, said, lines
    acts: dict[str, int]

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.hard)


def _shape(exchange: Exchange, *, depth: int = 0) -> Iterator[tuple[str, str, bool]]:
    """Counts: what the format asks for. Yields (id, what, hard)."""
    if depth == 0:
        yield from _top_shape(exchange)
    if depth > 2:
        yield exchange.id, "`then` is nested more than 2 deep", True
    if exchange.then and not any(line.asks for line in (*exchange.replies, *exchange.otherwise)):
        yield exchange.id, "`then` after replies of which none asks", False
    if len(exchange.otherwise) > 3:
        yield exchange.id, "more than 3 lines under `otherwise`", False
    for line in (*exchange.replies, *exchange.otherwise):
        if len(line.chips) > 3:
            yield line.id, "more than 3 chips", True
        for chip in line.chips:
            if len(chip) > 24:
                yield line.id, f"chip over 24 characters: {chip!r}", True
    for follow in exchange.then:
        yield from _shape(follow, depth=depth + 1)


def _top_shape(exchange: Exchange) -> Iterator[tuple[str, str, bool]]:
    if not exchange.said and exchange.act is None and exchange.hears is None:
        yield exchange.id, "no `act` and no `hears` either: it can never be chosen", True
    if exchange.hears is not None and (exchange.said or exchange.act or exchange.about is None):
        what = "`hears` is for a file with `about`, and for an exchange without `said` and `act`"
        yield exchange.id, f"{what}: it is chosen by what a message does, not by its words", True
    if exchange.said and not 3 <= len(exchange.said) <= 12:
        yield exchange.id, f"{len(exchange.said)} ways under `said`, asked are 3-6", len(exchange.said) < 3
    if len(exchange.replies) < 2:
        yield exchange.id, "only one reply, asked are 2-4", exchange.act is None
    moods_everywhere = [line for line in exchange.replies if not line.moods and not line.bands and not line.slots]
    if not moods_everywhere and exchange.act not in ACTS_WITH_SLOT:
        yield exchange.id, "no reply that is free of slot, mood and band: it may have nothing to say", True


def _file_problems(form: FileForm, *, path: Path, language: Language) -> Iterator[Problem]:
    name = f"{language}/{path.name}"
    if form.situation != path.stem:
        yield Problem(name, f"situation is {form.situation!r}, the file is called {path.stem!r}")
    for found, times in Counter(exchange.id for exchange in form.exchanges).items():
        if times > 1:
            yield Problem(name, f"the id {found!r} stands {times} times")
    exchanges = exchanges_of(form)
    for exchange in exchanges:
        for where, what, hard in (*_shape(exchange), *said_problems(exchange)):
            yield Problem(f"{language}/{where}", what, hard)
    acts = {line: exchange.act for exchange in exchanges for line in exchange.lines()}
    for line, act in acts.items():
        for what, hard in line_problems(line, act=act, language=language):
            yield Problem(f"{language}/{line.id}", f"{what}: {line.text!r}", hard)
    openings = Counter(opening(line.text) for line in acts)
    for start, times in openings.items():
        if times > 3:
            yield Problem(name, f"{times} lines begin with {start!r}", hard=False)


def _whole_problems(exchanges: Sequence[Exchange], *, language: Language) -> Iterator[Problem]:
    """What only the whole language shows: twins, missing acts, too many slots."""
    lines = [line for exchange in exchanges for line in exchange.lines()]
    for pair in twins([(line.id, line.text) for line in lines]):
        yield Problem(
            f"{language}/{pair.first}", f"the same line as {pair.second}, or nearly: {pair.text!r}", pair.same
        )
    said = [(exchange.id, words) for exchange in exchanges for words in exchange.said]
    for pair in twins(said, nearly=False):
        where = "twice" if pair.first == pair.second else f"also in {pair.second}"
        yield Problem(f"{language}/{pair.first}", f"said {pair.text!r} stands {where}")
    written = {exchange.act for exchange in exchanges}
    for act in ACTS:
        if exchanges and act not in written:
            yield Problem(language, f"no exchange has the act {act}", hard=act in NEEDED_ACTS)
    slotted = sum(1 for line in lines if line.slots - {"quote"})
    if slotted * LINES_PER_SLOT > len(lines):
        yield Problem(language, f"{slotted} of {len(lines)} lines have a slot, at most one in fifteen", hard=False)


def lint_language(language: Language, directory: Path | None = None) -> Report:
    problems: list[Problem] = []
    exchanges: list[Exchange] = []
    counts: dict[str, tuple[int, int, int]] = {}
    for path in sorted(((directory or BANK_DIR) / language).iterdir()):
        if path.suffix != ".yaml":
            problems.append(Problem(f"{language}/{path.name}", "not a .yaml file"))
            continue
        try:
            form = file_parse(path.read_bytes())
        except yaml.YAMLError as error:
            problems.append(Problem(f"{language}/{path.name}", f"not YAML: {error}"))
            continue
        except ValidationError as error:
            problems.extend(Problem(f"{language}/{path.name}", words) for words in problem_words(error.errors()))
            continue
        problems.extend(_file_problems(form, path=path, language=language))
        found = exchanges_of(form)
        exchanges.extend(found)
        counts[form.situation] = (
            len(found),
            sum(len(exchange.said) for exchange in found),
            sum(1 for exchange in found for _ in exchange.lines()),
        )
    problems.extend(_whole_problems(exchanges, language=language))
    acts = Counter(exchange.act for exchange in exchanges if exchange.act)
    return Report(language, tuple(problems), counts, dict(acts))


def report_words(report: Report, *, warnings: bool) -> Iterator[str]:
    for problem in report.problems:
        if problem.hard or warnings:
            yield str(problem)
    yield f"{report.language}: exchanges / ways to say it / lines"
    for situation, (exchanges, said, lines) in sorted(report.counts.items()):
        yield f"  {situation:<28}{exchanges:>5}{said:>6}{lines:>6}"
    totals = [sum(row[column] for row in report.counts.values()) for column in range(3)]
    yield f"  {'all':<28}{totals[0]:>5}{totals[1]:>6}{totals[2]:>6}"
    soft = len(report.problems) - len(report.errors)
    yield f"{report.language}: {len(report.errors)} errors, {soft} warnings{'' if warnings else ' (-w prints them)'}"


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m companion.bank.lint", description=__doc__)
    parser.add_argument("languages", nargs="*", help="en pt-BR es fr (default: all that have a folder)")
    parser.add_argument("-w", "--warnings", action="store_true", help="print the warnings too")
    options = parser.parse_args(None if arguments is None else list(arguments))
    unknown = set(options.languages) - set(LANGUAGES)
    if unknown:
        parser.error(f"unknown language: {', '.join(sorted(unknown))}")
    chosen = options.languages or [language for language in LANGUAGES if (BANK_DIR / language).is_dir()]
    wrong = False
    for language in chosen:
        report = lint_language(cast(Language, language))
        wrong = wrong or bool(report.errors)
        for line in report_words(report, warnings=options.warnings):
            print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
