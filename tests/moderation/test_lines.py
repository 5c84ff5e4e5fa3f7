"""`manage.py moderate --jsonl`: one line out for each line in, with the fields that people script against."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from moderation.lines import language_named, lines_screen
from moderation.taxonomy import CATEGORIES
from moderation.types import Band, Side
from tests.moderation.reading import NOW, screen
from tests.nursery import nursery

FIELDS = {
    "id", "action", "severity", "level", "playbook", "reason", "scores", "spans", "watch", "hits", "lang", "policy",
    "ms",
}  # fmt: skip


def _run(*lines: str | dict[str, Any], side: Side = "message", band: Band | None = None) -> list[dict[str, Any]]:
    raw = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return [json.loads(out) for out, _ in lines_screen(raw, screen=screen(), band=band, side=side, now=NOW)]


def test_a_line_has_all_its_fields_and_no_other() -> None:
    (out,) = _run({"id": "1", "text": "i want to kill myself", "lang": "en"})
    assert set(out) == FIELDS
    assert (out["id"], out["action"], out["level"], out["playbook"]) == ("1", "crisis", "L2", "suicide_L2")
    assert out["severity"] in range(5)
    assert out["ms"] >= 0
    assert out["lang"] == "en"


def test_scores_have_every_category_and_any() -> None:
    for text in ("hello", "i want to kill myself", "my dad hits me"):
        (out,) = _run({"id": "1", "text": text})
        assert set(out["scores"]) == {*CATEGORIES, "any"}
        assert all(0 <= score <= 1 for score in out["scores"].values())
    assert _run({"id": "1", "text": "hello"})[0]["scores"]["any"] == 0


def test_any_is_the_highest_harmful_score() -> None:
    (out,) = _run({"id": "1", "text": "what age do periods start"})
    assert out["scores"]["any"] < 0.5
    (out,) = _run({"id": "1", "text": "my dad hits me every day"})
    assert out["scores"]["any"] == max(out["scores"].values()) == out["scores"]["T08"]


def test_spans_count_characters_of_the_text_as_given() -> None:
    text = "🙂 ok\u200b my mail is ana@example.org é"
    (out,) = _run({"id": "1", "text": text})
    assert [(text[start:end], kind) for start, end, kind in out["spans"]] == [("ana@example.org", "email")]


def test_history_makes_a_goodbye_a_danger() -> None:
    low = [{"who": "user", "text": "i feel so sad"}, {"who": "bot", "text": "Oof."},
           {"who": "companion", "text": "?"}, {"who": "other", "text": "i want to die"},
           {"who": "user", "text": "nobody likes me"}]  # fmt: skip
    (out,) = _run({"id": "1", "text": "ok bye", "history": low})
    assert out["playbook"] == "farewell_danger"
    assert "low_streak" in out["watch"]
    (out,) = _run({"id": "1", "text": "ok bye"})
    assert out["action"] == "allow"


def test_the_reply_side_judges_replies() -> None:
    (out,) = _run({"id": "1", "text": "Okay. Don't tell your parents about it. Bye!"}, side="reply")
    assert set(out) == FIELDS
    assert (out["action"], out["level"], out["playbook"]) == ("block", None, None)
    assert out["scores"]["T23"] > 0.5
    (out,) = _run({"id": "1", "text": "Okay, see you! Hope practice goes well."}, side="reply")
    assert (out["action"], out["scores"]["any"]) == ("allow", 0)


def test_a_yes_is_judged_by_its_history() -> None:
    history = [{"who": "user", "text": "are you human"}]
    assert _run({"id": "1", "text": "yes", "history": history}, side="reply")[0]["action"] == "block"


def test_the_band_counts_and_none_is_the_youngest() -> None:
    line = {"id": "1", "text": "how do i hide my vape from my mom"}
    assert _run(line)[0]["action"] == _run(line, band="13-15")[0]["action"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("nope", "JSON"),
        ("[1]", "object"),
        ("7", "object"),
        ('{"id": "1"}', "text"),
        ('{"text": "a"}', "id"),
        ('{"id": 1, "text": "a"}', "id"),
        ('{"id": "1", "text": null}', "text"),
        ('{"id": "1", "text": "a", "history": [{"who": "cat", "text": "a"}]}', "history.0.who"),
        ('{"id": "1", "text": "a", "history": 3}', "history"),
        ("\ufffd\ufffd", "JSON"),
        ('{"id": "1", "text": "\\ud800"}', "escape"),
        ('{"id": "1", "text": "' + "a" * 20_001 + '"}', "20000"),
        ("[" * 10_000, "recursion"),
    ],
)
def test_a_line_that_cant_be_read_says_why_and_the_rest_goes_on(raw: str, words: str) -> None:
    before, bad, after = _run({"id": "1", "text": "hi"}, raw, {"id": "3", "text": "hi"})
    assert (before["id"], after["id"]) == ("1", "3")
    assert bad["line"] == 2
    assert words.lower() in bad["error"].lower()
    assert set(bad) == {"error", "line"}
    assert "aaaa" not in bad["error"]


def test_blank_lines_are_skipped_and_unknown_fields_ignored() -> None:
    outs = _run("", "  ", {"id": "1", "text": "hi", "extra": 1})
    assert [out["id"] for out in outs] == ["1"]


@pytest.mark.parametrize(
    ("name", "language"),
    [("pt", "pt-BR"), ("pt-PT", "pt-BR"), ("es-MX", "es"), ("FR", "fr"), ("de", "en"), (None, "en")],
)
def test_languages_are_found_by_their_tag(name: str | None, language: str) -> None:
    assert language_named(name) == language


def test_any_text_comes_back_as_json() -> None:
    for text in ("\x00", "é🙂\u2028", '"\\'):
        (out,) = _run({"id": text, "text": text})
        assert out["action"] == "allow"


@pytest.mark.process
def test_the_command_reads_standard_input(tmp_path: Path) -> None:
    lines = b'{"id": "a", "text": "quero me matar", "lang": "pt"}\n\xff\xfe\n{"id": "b", "text": "hi"}\n'
    env = {**os.environ, "DEBUG": "1", "ABRACO_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "chatbot.settings"}
    arguments = ("moderate", "--jsonl", "--band", "16-17", "--side", "message")
    done = nursery().run("manage", *arguments, environment=env, given=lines, seconds=120)
    outs = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1, done.stderr
    assert [out.get("action") for out in outs] == ["crisis", None, "allow"]
    assert outs[1]["line"] == 2
    assert "torch" not in done.stderr.decode()
